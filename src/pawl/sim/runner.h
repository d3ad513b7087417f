// Runs seeds in processes of their own, so that a failed check ends one run and not all; each seed
// twice on different heaps, because two runs of one seed must be the same.
//
//   Verdict verdict = judge(plan, nullptr);                     // in a child process
//   Summary summary = judge_seeds({.first = 1, .count = 500, .processes = 2}, print);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/sim/museum.h"
#include "pawl/sim/world.h"

namespace pawl::sim {

struct Verdict {
  bool passed = false;
  std::string invariant;  // "I4"; "check" when an always-on check of the code ended it
  std::string what;
  uint64_t trace_hash = 0;
  Coverage coverage;
  Tally tally;
};

enum class Runs : uint8_t { once, twice };

// `exhibit`: the defect to put in, or null.
Verdict judge(const Plan& plan, const Exhibit* exhibit, Runs runs);

struct Seeds {
  uint64_t first = 1;
  uint64_t count = 500;
  uint32_t processes = 2;
  std::string plan_text;
  std::vector<Given> given;  // instead of random workflows
  std::shared_ptr<jq::Interpreter> jq;
  const Exhibit* exhibit = nullptr;
  Runs runs = Runs::twice;
};
struct Summary {
  uint64_t failed = 0;
  Coverage coverage;
  Tally tally;
};
// What a seed decides, but for what is given and what the text says.
Result<Plan> plan_of(const Seeds& seeds, uint64_t seed);
Summary judge_seeds(const Seeds& seeds, Callback<void(const Plan&, const Verdict&)> each);

// The fewest of the plan's faults under which the same invariant still breaks (delta debugging).
Plan minimise(const Plan& plan, const Exhibit* exhibit, const std::string& invariant);

}  // namespace pawl::sim
