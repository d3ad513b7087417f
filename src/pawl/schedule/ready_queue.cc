#include "pawl/schedule/ready_queue.h"

#include <bit>

#include "pawl/base/check.h"

namespace pawl {

LaneId ReadyQueue::lane(const LaneKey& key) {
  for (LaneId id = 0; id < lanes_.size(); ++id) {
    if (lanes_[id].key == key) return id;
  }
  lanes_.emplace_back().key = key;
  return static_cast<LaneId>(lanes_.size() - 1);
}

void ReadyQueue::push(LaneId id, uint8_t priority, ReadyEntry entry) {
  PAWL_CHECK(priority < priority_levels, "priorities are checked where definitions are");
  PAWL_CHECK(entry.range.begin < entry.range.end, "an empty range is never ready");
  Lane& lane = lanes_[id];
  entry.sequence = ++sequence_;
  lane.levels[priority].push_back(entry);
  lane.level_items[priority] += entry.range.size();
  lane.occupied |= 1u << priority;
  lane.items += entry.range.size();
  items_ += entry.range.size();
}

int ReadyQueue::front_priority(LaneId id) const {
  uint32_t occupied = lanes_[id].occupied;
  return occupied == 0 ? -1 : 31 - std::countl_zero(occupied);
}

const ReadyEntry* ReadyQueue::front(LaneId id) const {
  int priority = front_priority(id);
  if (priority < 0) return nullptr;
  return &lanes_[id].levels[static_cast<size_t>(priority)].front();
}

ReadyEntry ReadyQueue::take(LaneId id, int priority, uint32_t items_max) {
  Lane& lane = lanes_[id];
  auto level = static_cast<size_t>(priority);
  PAWL_CHECK(!lane.levels[level].empty() && items_max > 0, "take from an empty level");
  ReadyEntry& front = lane.levels[level].front();
  ReadyEntry taken = front;
  if (taken.range.size() > items_max) {
    taken.range.end = taken.range.begin + items_max;
    front.range.begin = taken.range.end;
  } else {
    lane.levels[level].pop_front();
    if (lane.levels[level].empty()) lane.occupied &= ~(1u << priority);
  }
  lane.level_items[level] -= taken.range.size();
  lane.items -= taken.range.size();
  items_ -= taken.range.size();
  return taken;
}

uint64_t ReadyQueue::depth_from(LaneId id, int priority) const {
  uint64_t items = 0;
  for (int level = priority; level < priority_levels; ++level) {
    items += lanes_[id].level_items[static_cast<size_t>(level)];
  }
  return items;
}

std::optional<QueuePlace> ReadyQueue::place_of(LaneId id, int priority, const TaskKey& task) const {
  for (const ReadyEntry& entry : lanes_[id].levels[static_cast<size_t>(priority)]) {
    const TaskRange& range = entry.range;
    if (range.execution == task.execution && range.node == task.node && range.begin <= task.item &&
        task.item < range.end)
      return QueuePlace{entry.sequence, task.item - range.begin};
  }
  return std::nullopt;
}

uint64_t ReadyQueue::depth_before(LaneId id, int priority, uint64_t sequence) const {
  uint64_t items = depth_from(id, priority + 1);
  for (const ReadyEntry& entry : lanes_[id].levels[static_cast<size_t>(priority)]) {
    if (entry.sequence >= sequence) break;
    items += entry.range.size();
  }
  return items;
}

void ReadyQueue::clear() {
  for (Lane& lane : lanes_) {
    LaneKey key = std::move(lane.key);
    lane = Lane{};
    lane.key = std::move(key);
  }
  items_ = 0;
}

}  // namespace pawl
