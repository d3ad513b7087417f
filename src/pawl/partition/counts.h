// How many executions there were and how they ended: of all, and of each namespace.
//
//   state.counts.open()  ->  17          // of all namespaces
//   state.name_space("team-a").counts.failed
//
// Since the log began. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/schedule/drain_rate.h"

namespace pawl {

struct Counts {
  uint64_t submitted = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t forgotten = 0;  // of those that have ended
  uint64_t quarantined = 0;

  uint64_t open() const { return submitted - succeeded - failed - cancelled - quarantined; }
  friend bool operator==(const Counts&, const Counts&) = default;
};

// A tenant. One is never removed, so that executions refer to theirs.
struct NameSpace {
  std::string name;
  Counts counts;
  DrainRate drain{};  // soft: of open executions
};

}  // namespace pawl
