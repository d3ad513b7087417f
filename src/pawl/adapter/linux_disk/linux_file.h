// One open file of a Linux disk: two descriptors on the same inode, buffered and (where the file
// system can) direct, both O_DSYNC; and the hand-over of started writes to the disk's I/O thread.
//
// Threading: one thread at a time, as port/disk.h says; the I/O and zeroing threads touch only what
// is marked so below.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "pawl/adapter/linux_disk/io_thread.h"
#include "pawl/port/disk.h"
#include "pawl/port/loop.h"

namespace pawl {

// Owns a descriptor.
class Descriptor final {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct LinuxFileParts {
  Descriptor buffered;
  Descriptor direct;  // invalid where O_DIRECT is not to be had
  uint64_t size = 0;
  std::string path;  // for messages
  bool writable = true;
};

class LinuxFile final : public File {
 public:
  LinuxFile(LinuxFileParts parts, IoThread& writer, Loop* wake);
  ~LinuxFile() override;

  Status write(uint64_t offset, ByteView bytes) override;
  void start_write(uint64_t offset, ByteView bytes) override;
  std::optional<Status> poll_write() override;
  Result<Bytes> read(uint64_t offset, uint64_t size) override;
  uint64_t size() const override { return parts_.size; }

  // Fills the file with zeros on `zeroing` until the first write: see linux_disk.h.
  void start_zeroing(IoThread& zeroing);

 private:
  class WriteJob final : public IoJob {
   public:
    explicit WriteJob(LinuxFile& file) : file_(file) {}
    void run() override;

   private:
    LinuxFile& file_;
  };
  class ZeroJob final : public IoJob {
   public:
    explicit ZeroJob(LinuxFile& file) : file_(file) {}
    void run() override;

   private:
    LinuxFile& file_;
  };
  enum class Flight : uint8_t { none, running, landed };
  enum class Zeroing : uint8_t { none, running, finished };

  Status write_all(uint64_t offset, ByteView bytes);
  Status pwrite_all(int fd, uint64_t offset, ByteView bytes);
  void stop_zeroing();
  void zero_ahead(uint64_t end);

  LinuxFileParts parts_;
  IoThread& writer_;
  Loop* wake_;
  bool poisoned_ = false;
  std::string poison_;

  WriteJob write_job_{*this};
  uint64_t flight_offset_ = 0;
  ByteView flight_bytes_;
  Status flight_status_;                       // written by the I/O thread before `landed`
  std::atomic<Flight> flight_ = Flight::none;  // changes from `running` under flight_mutex_
  std::mutex flight_mutex_;
  std::condition_variable flight_landed_;

  ZeroJob zero_job_{*this};
  IoThread* zeroer_ = nullptr;  // set once zeroing has been asked for
  std::atomic<bool> stop_zeroing_ = false;
  std::mutex zeroing_mutex_;
  std::condition_variable zeroing_ended_;
  Zeroing zeroing_ = Zeroing::none;  // under zeroing_mutex_
  bool keeps_ahead_ = false;         // created with a size, where O_DIRECT is to be had
  uint64_t zeroed_ = 0;  // bytes from the start; the zeroing thread's until it has ended
};

}  // namespace pawl
