// Space that is already ours: spare segments, allocated before they are needed, and the ballast, a
// file that is given up when even that is used. So a disk that others have filled still takes
// results for at least two segments, while new work has long been refused.
//
// Contract: take() moves a spare to its final name, or allocates, or gives up the ballast and then
// allocates; RESOURCE_EXHAUSTED if all fail, with nothing changed. replenish() makes missing
// reserves while there is room, and is cheap when nothing is missing. Threading: one caller.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pawl/port/disk.h"

namespace pawl::wal {

struct ReserveOptions {
  uint64_t segment_bytes = 0;
  uint64_t ballast_bytes = 0;
  uint64_t soft_free_bytes = 0;
  uint64_t hard_free_bytes = 0;
  uint32_t spares_max = 0;  // kept from recycled segments
};

class Reserve final {
 public:
  Reserve(Disk& disk, std::string directory, ReserveOptions options)
      : disk_(disk), directory_(std::move(directory)), options_(options) {}

  Status adopt();  // what an earlier process left
  Result<std::unique_ptr<File>> take(const std::string& final_path, uint64_t size);
  Status give_back(const std::string& path, uint64_t size);
  void replenish();
  bool complete() const { return !spares_.empty() && ballast_; }
  DiskSpace judge();  // asks the disk

 private:
  struct Spare {
    std::string path;
    std::unique_ptr<File> file;  // kept open, so that zeroing goes on; null: open when needed
  };
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  Disk& disk_;
  std::string directory_;
  ReserveOptions options_;
  std::vector<Spare> spares_;
  uint64_t next_spare_ = 1;
  bool ballast_ = false;
};

}  // namespace pawl::wal
