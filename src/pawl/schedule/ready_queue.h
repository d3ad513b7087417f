// What is ready to run, in the order in which it should.
//
// Tasks wait in *lanes*: one per (queue, node type, function), because that is what a worker can or
// cannot serve. A lane has ten priorities; within one, first in, first out, over all lanes. A range
// of tasks is one entry, so a mapped node of a million items costs 32 bytes here.
//
//   ReadyQueue queue;
//   LaneId lane = queue.lane({"default", NodeType::process, ""});
//   queue.push(lane, 5, {{execution, 0, 0, 1'000'000}, 1});
//   ReadyEntry some = queue.take(lane, 5, 64);      // items 0..63; the rest stays in front
//
// Cost: push and take O(1). Derived state: rebuilt after recovery, never logged. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/model/workflow.h"

namespace pawl {

constexpr int priority_levels = 10;  // 0..9, higher first

struct LaneKey {
  std::string queue;
  NodeType type = NodeType::process;
  std::string function;  // type function only

  friend bool operator==(const LaneKey&, const LaneKey&) = default;
};
using LaneId = uint32_t;

// A range of tasks of which attempt `attempt` may be granted.
struct ReadyEntry {
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t sequence = 0;  // order of arrival, set by push
};

struct QueuePlace {
  uint64_t sequence = 0;
  uint64_t items_before = 0;  // of the same entry
};

class ReadyQueue {
 public:
  LaneId lane(const LaneKey& key);  // the same key gives the same lane again
  const LaneKey& key(LaneId lane) const { return lanes_[lane].key; }
  uint32_t lanes() const { return static_cast<uint32_t>(lanes_.size()); }

  void push(LaneId lane, uint8_t priority, ReadyEntry entry);

  // The entry in front, or null. Highest non-empty priority first.
  const ReadyEntry* front(LaneId lane) const;
  int front_priority(LaneId lane) const;  // -1 if empty
  // Removes up to `items_max` tasks from the front entry of that priority.
  ReadyEntry take(LaneId lane, int priority, uint32_t items_max);

  uint64_t depth(LaneId lane) const { return lanes_[lane].items; }
  uint64_t depth() const { return items_; }
  // Tasks in the lane with at least this priority.
  uint64_t depth_from(LaneId lane, int priority) const;
  // Where the task stands in the lane; nothing if it does not wait there. O(entries of the level).
  std::optional<QueuePlace> place_of(LaneId lane, int priority, const TaskKey& task) const;
  // Tasks of the lane that come before one of this priority and sequence.
  uint64_t depth_before(LaneId lane, int priority, uint64_t sequence) const;
  void clear();  // keeps the lanes

 private:
  struct Lane {
    LaneKey key;
    std::vector<std::deque<ReadyEntry>> levels{priority_levels};
    std::vector<uint64_t> level_items = std::vector<uint64_t>(priority_levels);
    uint32_t occupied = 0;  // bit per priority
    uint64_t items = 0;
  };

  std::vector<Lane> lanes_;
  uint64_t items_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace pawl
