#include "pawl/schedule/ready_queue.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "pawl/base/check.h"

namespace pawl {

Urgency urgency(int priority, Instant since, uint64_t sequence, Duration aging) {
  return {since.ns - priority * aging.ns, sequence};
}

bool ReadyQueue::Order::operator()(const LaneKey& one, const LaneKey& other) const {
  auto names = [](const LaneKey& key) { return std::tie(key.queue, key.type, key.function); };
  if (names(one) != names(other)) return names(one) < names(other);
  const Placement& a = one.placement;
  const Placement& b = other.placement;
  auto amount = [](const Amount& x, const Amount& y) {
    return std::tie(x.name, x.amount) < std::tie(y.name, y.amount);
  };
  auto rule = [](const PlacementRule& x, const PlacementRule& y) {
    return std::tie(x.label, x.value, x.kind) < std::tie(y.label, y.value, y.kind);
  };
  if (a.apart != b.apart) return a.apart < b.apart;
  if (a.resources != b.resources)
    return std::lexicographical_compare(a.resources.begin(), a.resources.end(), b.resources.begin(),
                                        b.resources.end(), amount);
  if (a.rules != b.rules)
    return std::lexicographical_compare(a.rules.begin(), a.rules.end(), b.rules.begin(),
                                        b.rules.end(), rule);
  return std::tie(a.key.text, one.at_once) < std::tie(b.key.text, other.at_once);
}

LaneId ReadyQueue::lane(const LaneKey& key, QueueTable& queues) {
  auto known = ids_.find(key);
  if (known != ids_.end()) {
    ++lanes_[known->second].held;
    return known->second;
  }
  LaneId id = static_cast<LaneId>(lanes_.size());
  if (unused_.empty()) {
    lanes_.emplace_back();
  } else {
    id = unused_.back();
    unused_.pop_back();
  }
  ids_.emplace(key, id);
  lanes_[id].key = key;
  lanes_[id].queue = queues.hold(key.queue);
  lanes_[id].held = 1;
  return id;
}

void ReadyQueue::let_go(LaneId id, QueueTable& queues) {
  Lane& lane = lanes_[id];
  PAWL_CHECK(lane.held > 0, "a lane is let go as often as it was asked for");
  if (--lane.held > 0) return;
  ids_.erase(lane.key);
  items_ -= lane.items;
  queues.let_go(lane.queue);
  lane = Lane();
  unused_.push_back(id);
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
