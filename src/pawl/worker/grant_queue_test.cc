#include "pawl/worker/grant_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace pawl {
namespace {

RunContextRef context(uint8_t priority) {
  auto workflow = std::make_shared<Workflow>();
  workflow->nodes.emplace_back();
  workflow->nodes[0].priority = priority;
  auto made = std::make_shared<RunContext>();
  made->workflow = workflow;
  return made;
}

Grant grant(ItemIndex begin, ItemIndex end, uint8_t priority = 5) {
  Grant g;
  g.range = {ExecutionId{1}, 0, begin, end};
  g.nonce = 9;
  g.context = context(priority);
  return g;
}

StopAttempts stop(ItemIndex begin, ItemIndex end) {
  return {{ExecutionId{1}, 0, begin, end}, 1, 9};
}

TEST(GrantQueue, TakesByPriorityThenArrival) {
  GrantQueue queue;
  queue.push(grant(0, 1, 5));
  queue.push(grant(1, 2, 9));
  queue.push(grant(2, 3, 5));
  queue.push(grant(3, 4, 0));
  std::vector<ItemIndex> order;
  while (!queue.empty()) order.push_back(queue.take(10).range.begin);
  EXPECT_EQ(order, (std::vector<ItemIndex>{1, 0, 2, 3}));
}

// However many more urgent ones keep coming.
TEST(GrantQueue, WhatIsPassedOverHasItsTurn) {
  GrantQueue queue;
  queue.push(grant(1'000, 1'002, 1));
  queue.push(grant(2'000, 2'001, 3));
  std::vector<uint32_t> turns;  // of the others
  for (uint32_t turn = 0; turn < 60; ++turn) {
    queue.push(grant(turn, turn + 1, 9));
    const ItemIndex front = queue.front().range.begin;
    Grant part = queue.take(1);
    ASSERT_EQ(part.range.begin, front);
    if (part.range.begin >= 1'000) turns.push_back(turn);
  }
  EXPECT_EQ(turns,
            (std::vector<uint32_t>{GrantQueue::passed_over_max, GrantQueue::passed_over_max + 1,
                                   2 * GrantQueue::passed_over_max + 2}));
}

TEST(GrantQueue, SplitsARangeFromItsFront) {
  GrantQueue queue;
  queue.push(grant(0, 1'000'000));
  EXPECT_EQ(queue.take(10).range, (TaskRange{ExecutionId{1}, 0, 0, 10}));
  EXPECT_EQ(queue.items(), 999'990u);
  EXPECT_EQ(queue.take(2'000'000).range, (TaskRange{ExecutionId{1}, 0, 10, 1'000'000}));
  EXPECT_TRUE(queue.empty());
}

TEST(GrantQueue, DropsExactlyWhatAStopNames) {
  for (ItemIndex begin = 0; begin <= 6; ++begin) {
    for (ItemIndex end = begin; end <= 6; ++end) {
      GrantQueue queue;
      queue.push(grant(1, 5));
      Grant other = grant(1, 5);
      other.nonce = 10;
      queue.push(other);
      uint64_t dropped = 0;
      for (const TaskRange& range : queue.drop(stop(begin, end))) {
        EXPECT_EQ(range, (TaskRange{ExecutionId{1}, 0, std::max(begin, 1u), std::min(end, 5u)}));
        dropped += range.size();
      }
      uint64_t expected = 0;
      for (ItemIndex i = 1; i < 5; ++i) expected += i >= begin && i < end;
      EXPECT_EQ(dropped, expected);
      EXPECT_EQ(queue.items(), 8 - expected);
      uint64_t seen = 0;
      ItemIndex next = 0;
      while (!queue.empty()) {
        Grant part = queue.take(1);
        if (part.nonce != 9) continue;
        ++seen;
        EXPECT_GE(part.range.begin, next) << "order kept";
        next = part.range.end;
        EXPECT_FALSE(part.range.begin >= begin && part.range.begin < end);
      }
      EXPECT_EQ(seen, 4 - expected);
    }
  }
}

}  // namespace
}  // namespace pawl
