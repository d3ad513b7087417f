// One history: load under faults, then healing, then a calm in which everything must finish, then
// the audit, a restart, and the audit again.
//
//   RunResult result = run(make_plan(seed), seams);
//   if (result.violation) ...
#pragma once

#include <cstdio>
#include <optional>

#include "pawl/sim/plan.h"
#include "pawl/sim/seams.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

struct RunResult {
  std::optional<Violation> violation;
  uint64_t trace_hash = 0;
  Coverage coverage;
  Tally tally;
};

struct RunOptions {
  std::FILE* trace = nullptr;       // every event as a line
  std::FILE* last_words = nullptr;  // the last events, when something was violated
};

RunResult run(const Plan& plan, Seams& seams, const RunOptions& options = {});

}  // namespace pawl::sim
