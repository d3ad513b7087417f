#include "pawl/adapter/wal/wal_script.h"

namespace pawl {

WalOptions small_wal_options() {
  WalOptions options;
  options.log_id = {1, 2};
  options.segment_bytes = 64 * 1024;
  options.ballast_bytes = 64 * 1024;
  options.soft_free_bytes = 4 * 64 * 1024;
  options.hard_free_bytes = 2 * 64 * 1024;
  options.rewrite_bytes_max = 16 * 1024;
  options.chain = wal::ChainMode::in_line;
  return options;
}

// Different in every life of the log, so that a group which was lost and comes back is noticed.
Bytes WalScript::payload(uint64_t position) const {
  Random dice(position * 1'000'003 + life_);
  Bytes bytes = std::to_string(position) + "/" + std::to_string(life_) + " ";
  bytes.append(dice.below(position % 7 == 0 ? 9000 : 600), static_cast<char>('a' + position % 26));
  return bytes;
}

bool WalScript::reopen() {
  log_.reset();
  if (disk_.crashed()) disk_.restart();
  auto opened = Wal::open(disk_, clock_, small_wal_options());
  if (!opened.ok()) {
    last_error_ = opened.error().message;
    return false;
  }
  log_ = std::move(opened).value();
  ++life_;
  judge_recovery();
  return true;
}

void WalScript::judge_recovery() {
  uint64_t tail = log_->tail();
  if (tail < acknowledged_)
    fail("acknowledged " + std::to_string(acknowledged_) + " but recovered only " +
         std::to_string(tail));
  if (tail >= sent_.size()) return fail("recovered a group that nobody sent");
  if (log_->first() > trimmed_before_) fail("groups are gone that were not trimmed");
  auto reader = log_->read(log_->first());
  if (!reader.ok()) return fail(reader.error().message);
  for (uint64_t p = log_->first(); p <= tail; ++p) {
    auto group = (*reader)->next();
    if (!group.ok()) {
      if (!disk_.crashed() && disk_.faults_injected() == 0) fail(group.error().message);
      return;
    }
    if (!*group || (*group)->position != p) return fail("a hole at " + std::to_string(p));
    if ((*group)->payload != sent_[p]) return fail("another payload at " + std::to_string(p));
  }
  sent_.resize(tail + 1);  // what was not recovered must never come back
  acknowledged_ = tail;    // and what has been served stays
}

void WalScript::recover_after(const std::string& failure) {
  last_error_ = failure;
  for (int attempt = 0; attempt < 3; ++attempt)
    if (reopen()) return;
  fail("does not open: " + last_error_);
}

void WalScript::append_one() {
  uint64_t position = log_->tail() + 1;
  sent_.resize(position + 1);
  sent_[position] = payload(position);
  log_->append(position, sent_[position],
               position % 3 == 0 ? AppendMode::overlapped : AppendMode::blocking);
  std::optional<AppendDone> done;
  for (int turn = 0; turn < 5 && !done; ++turn) {
    done = log_->poll();
    disk_.complete_all();
    if (!done) clock_.advance(Duration::milliseconds(200));
  }
  if (!done) return fail("an append without an answer");
  if (done->outcome == AppendOutcome::conflict) return fail("a conflict without a rival");
  if (done->outcome == AppendOutcome::unknown) return recover_after(done->error);
  acknowledged_ = position;
  if (position % 5 == 0) {
    clock_.advance(Duration::milliseconds(20));
    log_->idle();
  }
  if (position % 40 == 0 && position > 60) {
    trimmed_before_ = position - 60;
    if (Status status = log_->trim(trimmed_before_); !status.ok())
      recover_after(status.error().message);
  }
}

void WalScript::run(uint64_t positions) {
  if (!log_) recover_after("");
  uint64_t owned_life = 0;
  for (int step = 0; step < 2000 && verdict_.empty() && log_->tail() < positions; ++step) {
    if (owned_life != life_) {
      auto epoch = log_->take_over();
      if (!epoch.ok()) {
        recover_after(epoch.error().message);
        continue;
      }
      if (*epoch <= epoch_) fail("an epoch that does not ascend");
      epoch_ = *epoch;
      owned_life = life_;
    }
    append_one();
    if (log_ && log_->tail() % 61 == 60 && owned_life == life_) {
      finish(Ending::clean);
      recover_after("");
    }
  }
  if (verdict_.empty() && log_->tail() < positions) fail("the script does not end");
}

void WalScript::finish(Ending ending) {
  if (ending == Ending::clean && log_) {
    Status status = log_->close();
    if (!status.ok()) last_error_ = status.error().message;
  }
  log_.reset();
}

}  // namespace pawl
