#include "pawl/schedule/queue_table.h"

#include <algorithm>
#include <numeric>

#include "pawl/base/check.h"

namespace pawl {

uint64_t Queue::may_grant(Instant now) const {
  if (spec.paused || full()) return 0;
  uint64_t most =
      spec.concurrency_max > 0 ? spec.concurrency_max - granted - granted_elsewhere : UINT64_MAX;
  return std::min(most, rate.available(now));
}

uint64_t Queue::ready() const {
  return std::accumulate(ready_at.begin(), ready_at.end(), uint64_t{0});
}

QueueId QueueTable::id(const std::string& name) {
  auto [known, first] = ids_.try_emplace(name, static_cast<QueueId>(queues_.size()));
  if (!first) return known->second;
  if (unused_.empty()) {
    queues_.emplace_back();
  } else {
    known->second = unused_.back();
    unused_.pop_back();
  }
  queues_[known->second].spec.name = name;
  return known->second;
}

QueueId QueueTable::hold(const std::string& name) {
  QueueId held = id(name);
  ++queues_[held].held;
  return held;
}

void QueueTable::let_go(QueueId id) {
  Queue& queue = queues_[id];
  PAWL_CHECK(queue.held > 0, "a queue is let go as often as it was held");
  if (--queue.held > 0 || queue.configured) return;
  PAWL_CHECK(queue.granted == 0 && queue.waiting() == 0 && queue.parked == 0,
             "nobody holds a queue in which there is something");
  ids_.erase(queue.spec.name);
  queue = Queue();
  unused_.push_back(id);
}

void QueueTable::configure(const QueueSpec& spec, Instant now) {
  Queue& queue = queues_[id(spec.name)];
  if (!queue.configured || queue.spec.strategy != spec.strategy)
    queue.strategy = make_strategy(spec.strategy);
  if (!queue.configured || queue.spec.rate_permille != spec.rate_permille ||
      queue.spec.burst != spec.burst)
    queue.rate.configure(spec.rate_permille, spec.burst, now);
  if (queue.spec.waiting_max == 0) queue.drain.begin(now);
  queue.spec = spec;
  queue.configured = true;
}

void QueueTable::forget_derived() {
  for (Queue& queue : queues_) {
    queue.ready_at = {};
    queue.backing_off = 0;
    queue.evaluating = 0;
    queue.parked = 0;
  }
}

void QueueTable::forget_soft(Instant now) {
  for (Queue& queue : queues_) {
    queue.strategy = make_strategy(queue.spec.strategy);
    queue.rate.configure(queue.spec.rate_permille, queue.spec.burst, now);
    queue.rate.empty(now);
    queue.redelivered = 0;
    queue.granted_elsewhere = 0;
    queue.drain.begin(now);
  }
}

Queue* QueueTable::find(const std::string& name) {
  auto known = ids_.find(name);
  return known == ids_.end() ? nullptr : &queues_[known->second];
}

const Queue* QueueTable::find(const std::string& name) const {
  auto known = ids_.find(name);
  return known == ids_.end() ? nullptr : &queues_[known->second];
}

}  // namespace pawl
