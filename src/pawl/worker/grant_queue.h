// What a worker has been granted and not started yet: whole ranges, in priority order, then in the
// order of arrival. A range of a million items is one entry; every call costs O(entries touched).
// Whoever waits in front of a priority is passed over at most passed_over_max times: what more urgent
// grants keep coming ahead of has its turn all the same, as in the queues of the engine (aging).
//
//   GrantQueue queue;
//   queue.push(grant);                 // items [0, 1024)
//   Grant part = queue.take(100);      // items [0, 100) of it; [100, 1024) stay in front
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "pawl/model/message.h"

namespace pawl {

// Whether `stop` speaks of this grant's attempts (of whichever items).
bool concerns(const StopAttempts& stop, const Grant& grant);

// What is left of [begin, end) of `range` without `hole`: none, one or two ranges.
std::vector<TaskRange> without(const TaskRange& range, const TaskRange& hole);

class GrantQueue {
 public:
  static constexpr uint32_t passed_over_max = 16;

  void push(Grant grant);
  const Grant& front() const;                             // only when not empty
  Grant take(uint32_t items_max);                         // from the front; at least one item
  std::vector<TaskRange> drop(const StopAttempts& stop);  // what it has dropped
  void clear();

  std::vector<HeldAttempts> held() const;

  bool empty() const { return items_ == 0; }
  uint64_t items() const { return items_; }

 private:
  static constexpr size_t priorities = 10;

  size_t first_level() const;

  std::array<std::deque<Grant>, priorities> levels_;  // by priority
  std::array<uint32_t, priorities>
      passed_over_{};  // takes since one of this level, while any waited
  uint64_t items_ = 0;
};

}  // namespace pawl
