// Rebuilds a partition's state offline, from the log alone or from a checkpoint and the log above
// it, and reads the payload files that it refers to. Changes nothing in the state directory: a
// checkpoint is opened as a copy in the temporary directory.
//
//   StateReplay replay(disk, ".pawl", {}, disk);
//   replay.from_log()->hash == replay.from_checkpoint(4711)->hash
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pawl/base/hash.h"
#include "pawl/base/result.h"
#include "pawl/partition/partition.h"
#include "pawl/port/disk.h"

namespace pawl::cli {

struct ReplayedState {
  Hash128 hash;  // equal states have equal hashes
  uint64_t executions = 0;
  uint64_t blobs = 0;  // payload files that the state refers to
  std::vector<std::string> blob_problems;
};

class StateReplay {
 public:
  // `disk` is that of the partition's directory, `payloads` that of the state directory, opened for reading;
  // nobody writes to them meanwhile.
  StateReplay(Disk& disk, std::string directory, Slot slot, Disk& payloads)
      : disk_(disk), directory_(std::move(directory)), slot_(slot), payloads_(payloads) {}

  Result<ReplayedState> from_log();
  Result<ReplayedState> from_checkpoint(uint64_t position);

 private:
  Status replay(Partition& partition, uint64_t from);
  template <class Take>
  Status each_group(uint64_t from, Take take);
  ReplayedState judge(const Partition& partition);

  Disk& disk_;
  std::string directory_;
  Slot slot_;
  Disk& payloads_;
};

}  // namespace pawl::cli
