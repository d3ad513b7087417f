// What is ready to run, in the order in which it should.
//
// Tasks wait in *lanes*: one per (queue, node type, function, placement), because that is what a worker
// can or cannot serve. A lane has ten priorities; within one, first in, first out, over all lanes. A range
// of tasks is one entry, so a mapped node of a million items costs 56 bytes here.
//
// Priorities age: a task is as urgent as one of the priority above that came `aging` later. So what is
// most urgent never changes while two tasks wait, and none waits for ever.
//
//   ReadyQueue queue;
//   LaneId lane = queue.lane({"default", NodeType::process}, queues);
//   queue.push(lane, 5, {{execution, 0, 0, 1'000'000}, 1, now});
//   Front front = queue.front(lane, Duration::minutes(1));
//   ReadyEntry some = queue.take(lane, front.priority, 64);   // items 0..63; the rest stays in front
//   queue.let_go(lane, queues);               // as often as it was asked for
//
// Cost: push and take O(1), a lane by its key O(log lanes). Derived state: rebuilt after recovery, never logged. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/schedule/queue_table.h"

namespace pawl {

using LaneId = uint32_t;

// A range of tasks of which attempt `attempt` may be granted.
struct ReadyEntry {
  TaskRange range;
  AttemptNumber attempt = 1;
  Instant since;          // when it became ready
  uint64_t sequence = 0;  // order of arrival, set by push
  SessionId meant_for{};  // it was given back for this worker; 0: for whoever is chosen
};

// How urgent: the least first.
struct Urgency {
  int64_t due_ns = 0;  // since - priority x aging
  uint64_t sequence = 0;

  friend constexpr auto operator<=>(const Urgency&, const Urgency&) = default;
};
Urgency urgency(int priority, Instant since, uint64_t sequence, Duration aging);

// What is taken next from a lane.
struct Front {
  const ReadyEntry* entry = nullptr;  // null: nothing waits
  int priority = 0;
  Urgency urgency;
};

struct QueuePlace {
  Instant since;
  uint64_t sequence = 0;
  uint64_t items_before = 0;  // of the same entry
};

class ReadyQueue {
 public:
  // The same key gives the same lane again, while somebody holds it; a lane holds its queue. One that all have
  // let go is empty, whatever was in it, and its id is given to another.
  LaneId lane(const LaneKey& key, QueueTable& queues);
  void let_go(LaneId lane, QueueTable& queues);
  const LaneKey& key(LaneId lane) const { return lanes_[lane].key; }
  QueueId queue(LaneId lane) const { return lanes_[lane].queue; }
  uint32_t lanes() const { return static_cast<uint32_t>(lanes_.size()); }

  void push(LaneId lane, uint8_t priority, ReadyEntry entry);
  // What was taken before: it stands by its age, before all that became ready at the same time. O(log n + those
  // before it, or behind it).
  void put_back(LaneId lane, uint8_t priority, ReadyEntry entry);

  Front front(LaneId lane, Duration aging) const;  // O(priorities in use)
  // Removes up to `items_max` tasks from the front entry of that priority.
  ReadyEntry take(LaneId lane, int priority, uint32_t items_max);

  // What waits there, first in, first out.
  const std::deque<ReadyEntry>& entries(LaneId lane, int priority) const {
    return lanes_[lane].levels[static_cast<size_t>(priority)];
  }
  uint64_t depth(LaneId lane) const { return lanes_[lane].items; }
  uint64_t depth() const { return items_; }
  // Where the task stands in the lane; nothing if it does not wait there. O(entries of the level).
  std::optional<QueuePlace> place_of(LaneId lane, int priority, const TaskKey& task) const;
  // Tasks of the lane that are more urgent. O(entries before).
  uint64_t depth_before(LaneId lane, const Urgency& than, Duration aging) const;
  void clear();  // keeps the lanes

 private:
  struct Lane {
    LaneKey key;
    QueueId queue = 0;
    uint64_t held = 0;
    std::vector<std::deque<ReadyEntry>> levels{priority_levels};
    uint32_t occupied = 0;  // bit per priority
    uint64_t items = 0;
  };

  // Counts the entry, which the caller puts into this level.
  std::deque<ReadyEntry>& level_for(LaneId lane, uint8_t priority, const ReadyEntry& entry);

  struct Order {  // total
    bool operator()(const LaneKey& one, const LaneKey& other) const;
  };

  std::vector<Lane> lanes_;
  std::map<LaneKey, LaneId, Order> ids_;
  std::vector<LaneId> unused_;
  uint64_t items_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace pawl
