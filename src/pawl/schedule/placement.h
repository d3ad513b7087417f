// Which worker gets the task: one class per Strategy behind one interface.
//
//   std::unique_ptr<PlacementStrategy> strategy = make_strategy(Strategy::round_robin);
//   Choice choice = strategy->choose(task, candidates);      // any number of times
//   candidates[choice.candidate] gets up to choice.items_max tasks, because of choice.reason
//
// Candidates are the workers that could take at least one task, in ascending order of their sessions; never
// none. A strategy may remember what it chose before; that is soft state and never logged, for grants
// are events. Cost: O(candidates), no allocation but for a worker that is new to it. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pawl/schedule/worker_load.h"

namespace pawl {

struct Candidate {
  const WorkerLoad* load = nullptr;
  uint32_t room = 0;  // tasks, at least 1
};

// What waits in front: `items` tasks of one node.
struct WaitingTask {
  const Placement* placement = nullptr;
  uint64_t key = 0;  // of its placement key, or of the task itself
  uint32_t items = 1;
};

struct Choice {
  size_t candidate = 0;
  uint32_t items_max = 1;
  GrantReason reason;
};

class PlacementStrategy {
 public:
  virtual ~PlacementStrategy() = default;
  virtual Choice choose(const WaitingTask& task, std::span<const Candidate> candidates) = 0;
};

std::unique_ptr<PlacementStrategy> make_strategy(Strategy strategy);

// Leaves in `candidates` those for which most of the task's preferences hold. The reason, if that
// decides: one is left of several.
std::optional<GrantReason> keep_preferred(const Placement& placement,
                                          std::vector<Candidate>& candidates);

// How much a key likes a worker: the one that it likes most is its favourite.
uint64_t liking(uint64_t key, const WorkerLoad& worker);

// consistent_hash: how much more than the mean a worker may hold before its keys go to the next.
constexpr uint64_t hash_load_bound_permille = 1250;

}  // namespace pawl
