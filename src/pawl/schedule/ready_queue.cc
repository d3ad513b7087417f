#include "pawl/schedule/ready_queue.h"

#include <algorithm>
#include <bit>

#include "pawl/base/check.h"

namespace pawl {

Urgency urgency(int priority, Instant since, uint64_t sequence, Duration aging) {
  return {since.ns - priority * aging.ns, sequence};
}

LaneId ReadyQueue::lane(const LaneKey& key, QueueTable& queues) {
  for (LaneId id = 0; id < lanes_.size(); ++id) {
    if (lanes_[id].key == key) return id;
  }
  Lane& lane = lanes_.emplace_back();
  lane.key = key;
  lane.queue = queues.id(key.queue);
  return static_cast<LaneId>(lanes_.size() - 1);
}

std::deque<ReadyEntry>& ReadyQueue::level_for(LaneId id, uint8_t priority,
                                              const ReadyEntry& entry) {
  PAWL_CHECK(priority < priority_levels, "priorities are checked where definitions are");
  PAWL_CHECK(entry.range.begin < entry.range.end, "an empty range is never ready");
  Lane& lane = lanes_[id];
  lane.occupied |= 1u << priority;
  lane.items += entry.range.size();
  items_ += entry.range.size();
  return lane.levels[priority];
}

void ReadyQueue::push(LaneId id, uint8_t priority, ReadyEntry entry) {
  entry.sequence = ++sequence_;
  level_for(id, priority, entry).push_back(entry);
}

void ReadyQueue::put_back(LaneId id, uint8_t priority, ReadyEntry entry) {
  entry.sequence = 0;
  std::deque<ReadyEntry>& level = level_for(id, priority, entry);
  auto place =
      std::lower_bound(level.begin(), level.end(), entry.since,
                       [](const ReadyEntry& one, Instant since) { return one.since < since; });
  level.insert(place, entry);
}

Front ReadyQueue::front(LaneId id, Duration aging) const {
  const Lane& lane = lanes_[id];
  Front best;
  for (uint32_t left = lane.occupied; left != 0; left &= left - 1) {
    int priority = std::countr_zero(left);
    const ReadyEntry& entry = lane.levels[static_cast<size_t>(priority)].front();
    Urgency now = urgency(priority, entry.since, entry.sequence, aging);
    if (best.entry == nullptr || now < best.urgency) best = {&entry, priority, now};
  }
  return best;
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
  lane.items -= taken.range.size();
  items_ -= taken.range.size();
  return taken;
}

std::optional<QueuePlace> ReadyQueue::place_of(LaneId id, int priority, const TaskKey& task) const {
  for (const ReadyEntry& entry : lanes_[id].levels[static_cast<size_t>(priority)]) {
    const TaskRange& range = entry.range;
    if (range.execution == task.execution && range.node == task.node && range.begin <= task.item &&
        task.item < range.end)
      return QueuePlace{entry.since, entry.sequence, task.item - range.begin};
  }
  return std::nullopt;
}

uint64_t ReadyQueue::depth_before(LaneId id, const Urgency& than, Duration aging) const {
  uint64_t items = 0;
  for (int priority = 0; priority < priority_levels; ++priority) {
    for (const ReadyEntry& entry : lanes_[id].levels[static_cast<size_t>(priority)]) {
      if (urgency(priority, entry.since, entry.sequence, aging) >= than) break;
      items += entry.range.size();
    }
  }
  return items;
}

void ReadyQueue::clear() {
  for (Lane& lane : lanes_) {
    lane.levels = std::vector<std::deque<ReadyEntry>>(priority_levels);
    lane.occupied = 0;
    lane.items = 0;
  }
  items_ = 0;
}

}  // namespace pawl
