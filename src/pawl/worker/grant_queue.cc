#include "pawl/worker/grant_queue.h"

#include <algorithm>
#include <utility>

#include "pawl/base/check.h"

namespace pawl {

bool concerns(const StopAttempts& stop, const Grant& grant) {
  return stop.range.execution == grant.range.execution && stop.range.node == grant.range.node &&
         stop.attempt == grant.attempt && stop.nonce == grant.nonce;
}

std::vector<TaskRange> without(const TaskRange& range, const TaskRange& hole) {
  std::vector<TaskRange> rest;
  TaskRange before = range;
  before.end = std::min(range.end, hole.begin);
  TaskRange after = range;
  after.begin = std::max(range.begin, hole.end);
  if (before.begin < before.end) rest.push_back(before);
  if (after.begin < after.end && after.begin >= before.end) rest.push_back(after);
  return rest;
}

void GrantQueue::push(Grant grant) {
  items_ += grant.range.size();
  size_t level = std::min<size_t>(grant.context->definition().priority, priorities - 1);
  levels_[level].push_back(std::move(grant));
}

// The most urgent of those that have been passed over often enough; else, of all.
size_t GrantQueue::first_level() const {
  PAWL_CHECK(!empty(), "the front of an empty queue");
  for (size_t level = priorities; level-- > 0;)
    if (passed_over_[level] >= passed_over_max) return level;
  size_t level = priorities - 1;
  while (levels_[level].empty()) --level;
  return level;
}

std::vector<HeldAttempts> GrantQueue::held() const {
  std::vector<HeldAttempts> held;
  for (const std::deque<Grant>& level : levels_) {
    for (const Grant& grant : level) held.push_back({grant.range, grant.attempt, grant.nonce});
  }
  return held;
}

const Grant& GrantQueue::front() const {
  return levels_[first_level()].front();
}

Grant GrantQueue::take(uint32_t items_max) {
  const size_t first = first_level();
  for (size_t other = 0; other < priorities; ++other)
    passed_over_[other] = other == first || levels_[other].empty() ? 0 : passed_over_[other] + 1;
  auto& level = levels_[first];
  Grant part = level.front();
  part.range.end = part.range.begin + std::min(part.range.size(), std::max(items_max, 1u));
  level.front().range.begin = part.range.end;
  if (level.front().range.size() == 0) level.pop_front();
  items_ -= part.range.size();
  return part;
}

std::vector<TaskRange> GrantQueue::drop(const StopAttempts& stop) {
  std::vector<TaskRange> dropped;
  for (auto& level : levels_) {
    for (size_t i = 0; i < level.size();) {
      if (!concerns(stop, level[i])) {
        ++i;
        continue;
      }
      std::vector<TaskRange> rest = without(level[i].range, stop.range);
      TaskRange gone = level[i].range;
      gone.begin = std::max(gone.begin, stop.range.begin);
      gone.end = std::min(gone.end, stop.range.end);
      if (gone.begin < gone.end) dropped.push_back(gone);
      items_ -= level[i].range.size();
      Grant grant = std::move(level[i]);
      auto place = level.erase(level.begin() + static_cast<std::ptrdiff_t>(i));
      for (const TaskRange& range : rest) {
        grant.range = range;
        items_ += range.size();
        place = level.insert(place, grant) + 1;
      }
      i += rest.size();
    }
    if (level.empty()) passed_over_[static_cast<size_t>(&level - levels_.data())] = 0;
  }
  return dropped;
}

void GrantQueue::clear() {
  for (auto& level : levels_) level.clear();
  passed_over_ = {};
  items_ = 0;
}

}  // namespace pawl
