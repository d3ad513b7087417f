// What clients and workers may do to a partition, from dice: commands that fit the state they meet,
// most of them sensible, some late, wrong or destructive.
//
//   RandomLife life(seed);
//   Command command = life.next(partition.state());
//   ...
//   for (Command& command : life.calm(partition.state())) ...     brings everything to its end
//
// Same seed and same states, same commands.
#pragma once

#include <vector>

#include "pawl/base/random.h"
#include "pawl/model/command.h"
#include "pawl/partition/state.h"

namespace pawl {

struct RandomLifePlan {
  uint32_t executions_max = 6;
  uint32_t nodes_max = 8;
  uint32_t items_max = 12;
  uint32_t workers_max = 3;
  uint32_t harm_permille = 100;  // cancellations, closed sessions, stale and wrong reports
};

class RandomLife {
 public:
  explicit RandomLife(uint64_t seed, const RandomLifePlan& plan = {}) : dice_(seed), plan_(plan) {}

  // Registers a workflow first.
  Command next(const State& state);
  // A worker for everything, success for all that runs, an answer to each evaluation, another try
  // for each dead letter. Nothing but time is left to wait for when this is empty.
  std::vector<Command> calm(const State& state);
  // How far the clock moves before the next command.
  Duration pause();

 private:
  Command submit(const State& state);
  Command register_some(const State& state);
  Command open_session(bool everything);
  Command work(const State& state);
  Command harm(const State& state);
  Command report(SessionId session, const TaskRange& range, const OpenRange& open);
  AttemptReport success(const TaskRange& range, const OpenRange& open);
  const Execution* any_execution(const State& state);

  Random dice_;
  RandomLifePlan plan_;
  AttemptReport old_report_;
  SessionId old_session_;
};

}  // namespace pawl
