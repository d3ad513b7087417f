// How many partitions a state directory has, and where each keeps its log and checkpoints.
//
//   PAWL_ASSIGN(uint32_t partitions, settle_partitions(disk, 8));     // a new directory gets 8
//   partition_directory(".pawl", 0)  ->  ".pawl"
//   partition_directory(".pawl", 3)  ->  ".pawl/partition-3"
//
// The file `partitions` holds the number; without it there is one. It never changes, for the ids of executions
// say which partition they are in (model/ids.h, Slot). Payloads and what programs wrote are in one place for all.
// Errors: FAILED_PRECONDITION: the directory has another number; DATA_LOSS: the file holds none.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/port/disk.h"

namespace pawl {

// Of the disk of a state directory.
Result<uint32_t> partitions_in(Disk& disk);
// The same, and settles it when the directory is new. `wanted` 0: as it is, or one.
Result<uint32_t> settle_partitions(Disk& disk, uint32_t wanted);

std::string partition_directory(const std::string& directory, uint32_t slot);

}  // namespace pawl
