// The state as the scheduler sees it. Private to grant.cc and why.cc.
#pragma once

#include <vector>

#include "pawl/partition/state.h"

namespace pawl {

std::vector<WorkerLoad> worker_loads(const State& state);

class StateFacts final : public TaskFacts {
 public:
  explicit StateFacts(const State& state) : state_(state) {}
  bool neighbours(const TaskRange& tasks, Apart apart, const WorkerLoad& worker) const override;
  uint64_t key(const TaskRange& tasks) const override;

 private:
  const State& state_;
};

}  // namespace pawl
