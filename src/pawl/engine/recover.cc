// How an engine comes to its state, and how it keeps that way short: checkpoints.

#include "pawl/engine/engine.h"
#include "pawl/partition/snapshot.h"
#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

constexpr Duration checkpoint_retry_pause = Duration::seconds(1);

}  // namespace

Status Engine::replay_log() {
  uint64_t from = ports_.view.position() + 1;
  if (ports_.log.first() > from)
    return Error{Code::data_loss, "the log begins at group " + std::to_string(ports_.log.first()) +
                                      ", but the newest readable checkpoint ends at " +
                                      std::to_string(from - 1) +
                                      ": groups between them are missing"};
  PAWL_ASSIGN(std::unique_ptr<LogReader> reader, ports_.log.read(from));
  for (;;) {
    PAWL_ASSIGN(std::optional<LogGroup> record, reader->next());
    if (!record) return {};
    PAWL_ASSIGN(Group group, decode_group(record->position, record->epoch, record->payload));
    log_bytes_since_checkpoint_ += record->payload.size();
    partition_->replay(group);
    history_.add(record->position, std::move(record->payload));
  }
}

Status Engine::recover() {
  partition_ = std::make_unique<Partition>(options_.limits);
  history_.clear();
  // Inputs staged for submissions: whoever sent those died with the process before, and nobody can
  // stage one for this engine yet.
  if (Status dropped = ports_.blob.drop_owner({}); !dropped.ok())
    ports_.telemetry.log("staged inputs not dropped: " + dropped.error().message);
  PAWL_TRY(restore(partition_->restoring(), ports_.view));
  PAWL_TRY(replay_log());
  PAWL_ASSIGN(epoch_, ports_.log.take_over());
  position_ = durable_ = ports_.log.tail();
  started_at_ = partition_->state().now;
  started_clock_ = ports_.clock.monotonic();
  // Dice of different epochs differ, so that no nonce comes twice.
  dice_ = Random(mix64(options_.seed) ^ mix64(epoch_));
  peers_.start(epoch_);
  ports_.transport.bind(options_.address, messages_);

  StepOutput resumed;
  partition_->resume(resumed);
  open_group();
  gathering_.out.effects = std::move(resumed.effects);
  Hash128 cluster = partition_->state().cluster;
  partition_->start_epoch(epoch_, cluster == Hash128{} ? options_.cluster : cluster,
                          gathering_.out);
  if (options_.workers_died) {
    std::vector<SessionId> dead;
    for (const auto& [id, session] : partition_->state().sessions) dead.push_back(id);
    for (SessionId id : dead) run(CloseSession{id, "its process ended"}, 0);
  }
  return {};
}

void Engine::take_checkpoint_answer() {
  std::optional<Status> done = ports_.view.poll();
  if (!done) return;
  checkpoint_in_flight_ = false;
  if (!done->ok()) {
    // The log has everything since the last checkpoint: nothing is at risk, it only grows.
    ports_.telemetry.log("checkpoint not taken, trying again: " + done->error().message);
    retry_checkpoint_at_ = ports_.clock.monotonic() + checkpoint_retry_pause;
    return;
  }
  checkpoint_.reset();
  partition_->checkpoint_applied();
  history_.drop_until(ports_.view.position());
  Status trimmed = ports_.log.trim(ports_.view.trim_position() + 1);
  if (!trimmed.ok()) ports_.telemetry.log("log not trimmed: " + trimmed.error().message);
  ports_.telemetry.count("checkpoints", 1);
}

// Takes rows when enough has changed, hands them to the view once what they reflect is durable, and
// trims the log once the view says how far it is safe.
void Engine::checkpoint() {
  if (checkpoint_in_flight_) take_checkpoint_answer();
  if (checkpoint_in_flight_) return;
  bool enough = log_bytes_since_checkpoint_ >= options_.checkpoint_log_bytes ||
                partition_->state().dirty.size() >= options_.checkpoint_executions;
  // Between groups only: the rows must reflect exactly one position.
  if (!checkpoint_ && enough && gathering_.empty()) {
    checkpoint_ = checkpoint_rows(*partition_, position_);
    checkpoint_->seal = true;
    log_bytes_since_checkpoint_ = 0;
  }
  bool paused =
      retry_checkpoint_at_ != Instant::never() && ports_.clock.monotonic() < retry_checkpoint_at_;
  if (!checkpoint_ || checkpoint_->position > durable_ || paused) return;
  retry_checkpoint_at_ = Instant::never();
  ViewBatch batch = *checkpoint_;
  if (ports_.view.position() == batch.position) {
    batch = ViewBatch{batch.position, {}, {}, {}, true};  // applied already, only not sealed
  } else if (Status filled = history_.into(batch); !filled.ok()) {
    return fail(filled.error());
  }
  ports_.view.submit(std::move(batch));
  checkpoint_in_flight_ = true;
}

}  // namespace pawl
