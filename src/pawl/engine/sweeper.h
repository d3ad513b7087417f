// Removes what is kept outside the log for executions that are gone: those that were forgotten, and
// once after a start whatever belongs to no execution. A crash between a forgetting and its removals
// leaves such things behind, and a task of a cancelled execution that still writes.
//
//   Sweeper sweeper({&blob, &outputs});
//   sweeper.drop(id);                               // once its forgetting is durable
//   sweeper.begin_sweep();                          // once, any time after recovery
//   sweeper.work(state, view, telemetry);           // a bounded part of it, every turn
//
// What is about to be referred to is never swept. The state runs ahead of the log: an execution is in
// it from the moment its submission is decided, in the same breath as it adopts its input (blob.h),
// and whatever its tasks write comes later. What is being forgotten is left to drop(), for which the
// forgetting is durable.
//
// An error is logged and not tried again before the next start. Threading: the engine's.
#pragma once

#include <deque>
#include <vector>

#include "pawl/partition/state.h"
#include "pawl/port/belongings.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/view.h"

namespace pawl {

class Sweeper {
 public:
  explicit Sweeper(std::vector<Belongings*> places) : places_(std::move(places)) {}

  void drop(ExecutionId forgotten) { forgotten_.push_back(forgotten); }
  void begin_sweep() { next_place_ = 0; }
  void work(const State& state, View& view, Telemetry& telemetry);

  bool dropping() const { return !forgotten_.empty(); }
  bool sweeping() const { return next_place_ < places_.size() || !found_.empty(); }

 private:
  void drop_now(ExecutionId owner, Telemetry& telemetry);
  void sweep(const State& state, View& view, Telemetry& telemetry);

  std::vector<Belongings*> places_;
  std::deque<ExecutionId> forgotten_;
  std::deque<ExecutionId> found_;  // owners still to be looked at
  size_t next_place_ = SIZE_MAX;   // to be listed
};

}  // namespace pawl
