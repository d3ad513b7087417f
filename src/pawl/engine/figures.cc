#include "pawl/engine/figures.h"

#include "pawl/engine/engine.h"
#include "pawl/partition/describe.h"

namespace pawl {
namespace {

struct Tally {
  EngineCounters& to;

  void operator()(const AttemptsGranted& event) const { to.granted += event.range.size(); }
  void operator()(const AttemptsSucceeded& event) const { to.succeeded += event.range.size(); }
  void operator()(const AttemptFailed& event) const {
    uint64_t tasks = event.range.size();
    to.failed[static_cast<size_t>(event.kind)] += tasks;
    (event.disposition == Disposition::park ? to.dead_lettered : to.retried) += tasks;
  }
  void operator()(const NodeParked&) const { ++to.dead_lettered; }
  void operator()(const TaskCancelled&) const { ++to.cancelled; }
  void operator()(const SessionOpened&) const { ++to.sessions_opened; }
  void operator()(const SessionClosed&) const { ++to.sessions_closed; }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

void EngineCounters::take(const StepOutput& out, Instant now) {
  for (const Event& event : out.events) std::visit(Tally{*this}, event);
  events += out.events.size();
  for (const AttemptTime& time : out.reported) held.observe(now - time.granted, time.items);
  fenced += out.fenced;
}

Figures Engine::figures() const {
  const State& state = partition_->state();
  Figures figures;
  figures.counted = counted_;
  figures.counts = state.counts;
  figures.executions_in_memory = state.executions.size();
  figures.queues = list_queues(state);
  figures.workers = list_workers(state);
  figures.running = peers_.running();
  figures.epoch = epoch_;
  figures.durable_position = durable_;
  figures.log_bytes = ports_.log.bytes();
  figures.space = ports_.log.space();
  figures.checkpoint_age = ports_.clock.monotonic() - checkpoint_at_;
  return figures;
}

std::optional<Error> Engine::refuses_work() const {
  if (failure_) return Error{Code::unavailable, stopped().message};
  if (ports_.log.space() == DiskSpace::plenty) return std::nullopt;
  return Error{Code::unavailable, almost_full};
}

// A first attempt whose node became ready that long ago; of what has changed meanwhile nothing is known.
void Engine::measure_wait(const Grant& grant) {
  const Execution* execution = partition_->state().executions.find(grant.range.execution);
  if (grant.attempt != 1 || execution == nullptr) return;
  const NodeRun& node = execution->nodes[grant.range.node];
  if (node.status == NodeStatus::active)
    counted_.wait.observe(now() - node.since, grant.range.size());
}

}  // namespace pawl
