// Proves a log offline, from the bytes alone, changing nothing: superblock quorum, links between
// segments, every header and payload checksum, offsets, record numbers and positions without holes,
// epochs that never fall, and the hash chain against every value that any header carries.
//
//   WalReport report = verify_wal(disk, "log");
//   if (report.problem) print(report.problem->where + ": " + report.problem->what);
//
// A torn tail (the unfinished last write of a crash) is not a problem; it is counted. Stops at the
// first problem. Any thread; the log must not be open for writing elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pawl/base/hash.h"
#include "pawl/port/disk.h"

namespace pawl {

struct WalProblem {
  std::string where;  // "log/segment-000000000003 at offset 8192"
  std::string what;
  Code code = Code::data_loss;
};

struct WalReport {
  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t groups = 0;
  uint64_t group_bytes = 0;
  uint64_t first = 1;  // position
  uint64_t tail = 0;   // position
  uint64_t epoch = 0;
  uint64_t chain_values_checked = 0;
  Hash128 chain;  // after the tail
  bool closed_cleanly = false;
  std::optional<WalProblem> problem;
};

WalReport verify_wal(Disk& disk, const std::string& directory);

}  // namespace pawl
