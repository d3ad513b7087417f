// How an engine comes to its state, and how it keeps that way short: checkpoints.

#include "pawl/engine/engine.h"
#include "pawl/engine/replay.h"
#include "pawl/partition/snapshot.h"

namespace pawl {
namespace {

constexpr Duration checkpoint_retry_pause = Duration::seconds(1);

}  // namespace

Status Engine::replay_log(std::vector<ExecutionQuarantined>& quarantined) {
  uint64_t from = ports_.view.position() + 1;
  if (ports_.log.first() > from)
    return Error{Code::data_loss, "the log begins at group " + std::to_string(ports_.log.first()) +
                                      ", but the newest readable checkpoint ends at " +
                                      std::to_string(from - 1) +
                                      ": groups between them are missing"};
  if (ports_.log.tail() < ports_.view.position())
    return Error{Code::data_loss,
                 "the newest checkpoint is of group " + std::to_string(ports_.view.position()) +
                     ", but the log ends at group " + std::to_string(ports_.log.tail()) +
                     ": they do not belong together; bring both back from one copy"};
  Replay replay({ports_.log, ports_.replay_note, ports_.telemetry}, *partition_, history_);
  PAWL_TRY(replay.run(from));
  log_bytes_since_checkpoint_ += replay.bytes();
  quarantined = replay.found();
  return {};
}

Status Engine::recover() {
  partition_ = std::make_unique<Partition>(options_.limits, options_.slot);
  history_.clear();
  // Inputs staged for submissions: whoever sent those died with the process before, and nobody can
  // stage one for this engine yet.
  if (Status dropped = ports_.blob.drop_owner({}); !dropped.ok())
    ports_.telemetry.warn("staged_inputs_left",
                          "staged inputs not dropped: " + dropped.error().message);
  PAWL_TRY(restore(partition_->restoring(), ports_.view));
  std::vector<ExecutionQuarantined> quarantined;
  PAWL_TRY(replay_log(quarantined));
  PAWL_ASSIGN(epoch_, ports_.log.take_over());
  position_ = durable_ = ports_.log.tail();
  lines_.begin(partition_->state());
  started_at_ = partition_->state().now;
  started_clock_ = checkpoint_at_ = ports_.clock.monotonic();
  // Dice of different epochs differ, so that no nonce comes twice.
  dice_ = Random(mix64(options_.seed) ^ mix64(epoch_));
  peers_.start(epoch_);
  if (options_.sweep) sweeper_.begin_sweep();
  ports_.transport.bind(options_.address, messages_);
  attach_capacity(&ports_.loop);

  StepOutput resumed;
  partition_->resume(resumed);
  open_group();
  gathering_.out.effects = std::move(resumed.effects);
  Hash128 cluster = partition_->state().cluster;
  partition_->start_epoch(epoch_, cluster == Hash128{} ? options_.cluster : cluster,
                          gathering_.out);
  for (const ExecutionQuarantined& one : quarantined) partition_->record(one, gathering_.out);
  partition_->workers_away();
  if (options_.workers_died) {
    std::vector<CloseSession> dead;
    for (const auto& [id, session] : partition_->state().sessions)
      dead.push_back({id, session.outstanding > 0 ? "its process ended" : process_ended_idle});
    for (const CloseSession& one : dead) run(one, 0);
  }
  return {};
}

void Engine::take_checkpoint_answer() {
  std::optional<Status> done = ports_.view.poll();
  if (!done) return;
  checkpoint_in_flight_ = false;
  if (!done->ok()) {
    // The log has everything since the last checkpoint: nothing is at risk, it only grows.
    ports_.telemetry.warn("checkpoint_failed",
                          "checkpoint not taken, trying again: " + done->error().message);
    checkpoint_failed_ = true;
    retry_checkpoint_at_ = ports_.clock.monotonic() + checkpoint_retry_pause;
    return;
  }
  partition_->checkpoint_applied();
  checkpoint_at_ = ports_.clock.monotonic();
  counted_.checkpoint.observe(checkpoint_at_ - checkpoint_began_);
  history_.stored_until(ports_.view.position());
  Status trimmed = ports_.log.trim(ports_.view.trim_position() + 1);
  if (!trimmed.ok())
    ports_.telemetry.warn("log_not_trimmed", "log not trimmed: " + trimmed.error().message);
  ports_.telemetry.count("checkpoints", 1);
}

Status Engine::checkpoint_slice() {
  const Limits& limits = options_.limits;
  if (!checkpoint_->slice(limits.checkpoint_slice_rows_max, limits.checkpoint_slice_bytes_max))
    return {};
  PAWL_ASSIGN(checkpoint_whole_,
              history_.into(checkpoint_->batch(), checkpoint_->forgotten(),
                            limits.checkpoint_slice_rows_max, limits.checkpoint_slice_bytes_max));
  return {};
}

// Begins when enough has changed, grows by a slice per turn, goes to the view once its position is
// durable; the log is trimmed once the view says how far it is safe. True: the next slice may follow.
bool Engine::checkpoint() {
  bool more = history_.drop_stored(options_.limits.checkpoint_slice_rows_max);
  if (checkpoint_in_flight_) take_checkpoint_answer();
  if (checkpoint_in_flight_) return more;
  if (checkpoint_failed_) {
    if (ports_.clock.monotonic() < retry_checkpoint_at_) return more;
    checkpoint_failed_ = false;
    retry_checkpoint_at_ = Instant::never();
    ports_.view.submit_again();
    checkpoint_in_flight_ = true;
    return more;
  }
  bool enough = log_bytes_since_checkpoint_ >= options_.checkpoint_log_bytes ||
                partition_->changed() >= options_.checkpoint_executions;
  // Between groups only: the rows must reflect exactly one position.
  if (!checkpoint_ && enough && gathering_.empty()) {
    checkpoint_ = std::make_unique<Checkpoint>(partition_->restoring(), position_);
    checkpoint_->batch().seal = true;
    checkpoint_began_ = ports_.clock.monotonic();
    checkpoint_whole_ = false;
    log_bytes_since_checkpoint_ = 0;
  }
  if (!checkpoint_) return more;
  if (!checkpoint_whole_) {
    if (Status sliced = checkpoint_slice(); !sliced.ok()) fail(sliced.error());
    if (failure_ || !checkpoint_whole_) return !failure_;
  }
  if (checkpoint_->batch().position > durable_) return more;
  ports_.view.submit(checkpoint_->take());
  checkpoint_.reset();
  checkpoint_in_flight_ = true;
  return more;
}

}  // namespace pawl
