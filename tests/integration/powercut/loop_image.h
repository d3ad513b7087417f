// A real ext4 file system in a memory file, whose power can be cut: EXT4_IOC_SHUTDOWN without
// flushing the journal drops everything that had not reached the (loop) device.
//
//   Result<LoopImage> image = LoopImage::make(directory, 64 << 20);   // needs root and loop
//   devices image->mount();  ... write ...  image->cut_power();  image->unmount();  image->mount();
//
// Nothing is left behind on any path, not even after kill -9: mounts live in a mount namespace of
// this process alone, the loop device frees itself with its last mount, and the image file is
// unlinked as soon as it is open. Single-threaded; before any other thread is started.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/result.h"

namespace pawl {

class LoopImage final {
 public:
  static Result<LoopImage> make(const std::string& directory, uint64_t size);
  LoopImage(LoopImage&& other) noexcept;
  LoopImage& operator=(LoopImage&&) = delete;
  ~LoopImage();

  Status mount();
  Status unmount();
  Status cut_power();  // the file system answers EIO until it has been mounted again
  Status remount_read_only();
  const std::string& path() const { return mount_point_; }

 private:
  LoopImage(std::string mount_point, int backing)
      : mount_point_(std::move(mount_point)), backing_(backing) {}

  std::string mount_point_;
  int backing_ = -1;
  bool mounted_ = false;
};

}  // namespace pawl
