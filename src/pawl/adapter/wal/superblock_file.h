// The file `superblock`: four copies, written two by two, so that at any instant of a power cut two
// copies of the old or of the new content are whole.
//
// Contract: load() repairs copies that differ before anything else is written (otherwise a second
// crash could leave no two that agree). update() is durable when it returns; after an error the log
// is to be opened anew. Threading: one caller.
#pragma once

#include <memory>
#include <string>

#include "pawl/adapter/wal/wal_format.h"
#include "pawl/port/disk.h"

namespace pawl::wal {

constexpr const char* superblock_name = "superblock";

class SuperblockFile final {
 public:
  static Result<SuperblockFile> create(Disk& disk, const std::string& directory,
                                       const Superblock& first);
  static Result<SuperblockFile> load(Disk& disk, const std::string& directory);

  const Superblock& current() const { return current_; }
  // Sequence and link to the current one are filled in here.
  Status update(Superblock next);

 private:
  SuperblockFile(std::unique_ptr<File> file, Superblock current)
      : file_(std::move(file)), current_(std::move(current)) {}

  std::unique_ptr<File> file_;
  Superblock current_;
};

// The content alone, changing nothing.
Result<SuperblockQuorum> read_superblock(File& file, const std::string& directory);

}  // namespace pawl::wal
