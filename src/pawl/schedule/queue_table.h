// The named queues: how each is handed out, and what it may still grant now.
//
//   QueueTable queues;
//   QueueId bulk = queues.hold("bulk");             // made as QueueSpec is, if it is new
//   queues.configure({.name = "bulk", .concurrency_max = 40}, now);
//   queues.at(bulk).may_grant(now)  ->  40
//
// A queue exists while somebody holds it, and for ever once it is configured; "default" always does. The id of
// one that is gone is given to another. What is granted is counted by whoever applies the grants. Not thread-safe.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pawl/schedule/drain_rate.h"
#include "pawl/schedule/placement.h"
#include "pawl/schedule/rate_limit.h"

namespace pawl {

using QueueId = uint32_t;

constexpr int priority_levels = 10;  // 0..9, higher first
constexpr uint8_t priority_max = priority_levels - 1;

struct Queue {
  QueueSpec spec;
  bool configured = false;  // by a command: it stays so over a restart
  uint64_t held = 0;        // how often
  uint64_t granted = 0;     // tasks, now
  // Derived, as the ready queue: kept once the state is live.
  std::array<uint64_t, priority_levels> ready_at{};  // tasks that may be granted, by priority
  uint64_t backing_off = 0;
  uint64_t evaluating = 0;  // nodes whose `when` or `for_each` is: one task each, until it is known
  uint64_t parked = 0;      // tasks, and nodes that could not be evaluated
  // Soft: not logged, and as new after a recovery.
  RateLimit rate{};
  std::unique_ptr<PlacementStrategy> strategy = make_strategy(Strategy::least_loaded);
  // For tasks with a key of their own, whatever the strategy.
  std::unique_ptr<PlacementStrategy> by_key = make_strategy(Strategy::consistent_hash);
  uint64_t redelivered = 0;        // grants of second and later attempts
  uint64_t granted_elsewhere = 0;  // by other partitions
  DrainRate drain{};               // by grants

  // Tasks that may be granted now; 0: paused, full, or too early.
  uint64_t may_grant(Instant now) const;
  uint64_t ready() const;  // at all priorities
  uint64_t waiting() const { return ready() + backing_off + evaluating; }
  bool full() const {
    return spec.concurrency_max > 0 && granted + granted_elsewhere >= spec.concurrency_max;
  }
};

class QueueTable {
 public:
  QueueTable() { (void)hold(QueueSpec{}.name); }

  QueueId hold(const std::string& name);
  void let_go(QueueId id);  // as often as it was held
  void configure(const QueueSpec& spec, Instant now);
  // Derived counts begin at zero.
  void forget_derived();
  // What is soft begins anew; rates begin empty.
  void forget_soft(Instant now);

  Queue& at(QueueId id) { return queues_[id]; }
  const Queue& at(QueueId id) const { return queues_[id]; }
  Queue* find(const std::string& name);  // null: there is none
  const Queue* find(const std::string& name) const;
  const std::map<std::string, QueueId>& by_name() const { return ids_; }
  size_t ids() const { return queues_.size(); }  // each is below

 private:
  QueueId id(const std::string& name);

  std::map<std::string, QueueId> ids_;
  std::deque<Queue> queues_;
  std::vector<QueueId> unused_;
};

}  // namespace pawl
