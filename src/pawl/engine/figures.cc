#include "pawl/engine/engine.h"
#include "pawl/partition/describe.h"

namespace pawl {

Figures Engine::figures() {
  partition_->drop_stale();
  const State& state = partition_->state();
  Figures figures;
  figures.counted = counted_;
  figures.counts = state.counts;
  figures.executions_in_memory = state.executions.size();
  figures.open_bytes = state.open_bytes;
  figures.open_bytes_max = state.limits.open_bytes_max;
  figures.queues = list_queues(state);
  figures.workers = list_workers(state);
  figures.running = peers_.running();
  figures.epoch = epoch_;
  figures.durable_position = durable_;
  figures.log_bytes = ports_.log.bytes();
  figures.space = ports_.log.space();
  figures.checkpoint_age = ports_.clock.monotonic() - checkpoint_at_;
  figures.refuses = refuses_work();
  return figures;
}

// Whoever watches is answered also when nobody else is.
bool Engine::answer_figures(const Request& request) {
  if (!std::holds_alternative<GetFigures>(request.what)) return false;
  ports_.clients.put({request.ticket, std::make_shared<const Figures>(figures())});
  return true;
}

std::optional<Error> Engine::refuses_work() const {
  if (failure_) return Error{Code::unavailable, stopped().message};
  if (ports_.log.space() == DiskSpace::plenty) return std::nullopt;
  return Error{Code::unavailable, almost_full};
}

// Operators are told once when it begins, once when it is over.
void Engine::look_at_space() {
  bool full = ports_.log.space() != DiskSpace::plenty;
  bool was_full = full_since_ != Instant::never();
  if (full == was_full) return;
  full_since_ = full ? ports_.clock.monotonic() : Instant::never();
  if (full) {
    ports_.telemetry.log(
        {.level = LogLevel::warn, .event = "disk_almost_full", .message = almost_full});
  } else {
    ports_.telemetry.log(
        {.level = LogLevel::info,
         .event = "disk_has_room",
         .message = "the disk of the state directory has room again: new work is taken"});
  }
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
