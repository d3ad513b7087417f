#include "pawl/schedule/rebalance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "pawl/base/random.h"

namespace pawl {
namespace {

// Workers that hold what they are given, by lane.
class House {
 public:
  size_t add(uint32_t slots, uint32_t credit) {
    WorkerSpec& spec = specs_.emplace_back();
    spec.slots = slots;
    spec.credit = credit;
    WorkerLoad& load = loads.emplace_back();
    load.session = SessionId{loads.size()};
    load.spec = &spec;
    held_.emplace_back();
    askable.push_back(true);
    return loads.size() - 1;
  }
  LaneId lane(LaneKey key = {}) {
    key.queue = "default";
    return ready.lane(key, queues);
  }
  void give(size_t worker, LaneId lane, uint32_t items) {
    loads[worker].outstanding += items;
    held_[worker].push_back({lane, items});
  }
  WorkerSpec& spec(size_t worker) { return specs_[worker]; }
  uint32_t own(size_t worker) const {
    uint32_t sum = 0;
    for (const LaneItems& one : held_[worker]) sum += one.items;
    return sum;
  }

  std::vector<Relief> even_out() {
    if (!uneven(loads)) return {};
    std::vector<Burden> burdens;
    for (size_t i = 0; i < loads.size(); ++i) burdens.push_back({own(i), &held_[i], askable[i]});
    std::vector<WorkerLoad> seen = loads;
    return pawl::even_out(ready, queues, seen, burdens);
  }
  // As if every worker gave back what it is asked for.
  void move(const Relief& relief) {
    uint32_t left = relief.items;
    for (LaneItems& held : held_[relief.from]) {
      if (std::find(relief.lanes.begin(), relief.lanes.end(), held.lane) == relief.lanes.end())
        continue;
      uint32_t some = std::min(left, held.items);
      held.items -= some;
      left -= some;
      if (some > 0) give(relief.to, held.lane, some);
    }
    EXPECT_EQ(left, 0u) << "more is asked for than there is";
    loads[relief.from].outstanding -= relief.items;
  }

  ReadyQueue ready;
  QueueTable queues;
  std::vector<WorkerLoad> loads;
  std::vector<bool> askable;

 private:
  std::deque<WorkerSpec> specs_;
  std::vector<std::vector<LaneItems>> held_;
};

// The partition refuses such a worker; a log of before may have one.
TEST(Rebalance, SlotsBeyondReasonAreOnlyNumbers) {
  House house;
  size_t busy = house.add(1, 16);
  house.add(UINT32_MAX, 16);
  house.give(busy, house.lane(), 16);
  ASSERT_EQ(house.even_out().size(), 1u);
}

TEST(Rebalance, HalfOfWhatWaitsGoesToTheOneThatJoins) {
  House house;
  size_t busy = house.add(1, 16);
  size_t fresh = house.add(1, 16);
  house.give(busy, house.lane(), 10);
  std::vector<Relief> reliefs = house.even_out();
  ASSERT_EQ(reliefs.size(), 1u);
  EXPECT_EQ(reliefs[0].from, busy);
  EXPECT_EQ(reliefs[0].to, fresh);
  EXPECT_EQ(reliefs[0].items, 5u);
  house.move(reliefs[0]);
  EXPECT_TRUE(house.even_out().empty());
}

TEST(Rebalance, LargeWorkersBearMore) {
  House house;
  size_t busy = house.add(2, 100);
  house.add(8, 100);
  house.give(busy, house.lane(), 50);
  ASSERT_EQ(house.even_out().size(), 1u);
  EXPECT_EQ(house.even_out()[0].items, 40u) << "5 per slot here and there";
}

TEST(Rebalance, NobodyIsAskedBelowItsSlots) {
  House house;
  size_t busy = house.add(4, 16);
  house.add(8, 16);
  house.give(busy, house.lane(), 4);
  EXPECT_TRUE(house.even_out().empty()) << "it can run all of it";
  house.give(busy, house.lane(), 2);
  ASSERT_EQ(house.even_out().size(), 1u);
  EXPECT_EQ(house.even_out()[0].items, 2u);
}

TEST(Rebalance, OnlyWhoHasAFreeSlotIsHelpedAndByTheMostBurdened) {
  House house;
  size_t some = house.add(1, 16);
  size_t most = house.add(1, 16);
  size_t full = house.add(1, 16);
  LaneId lane = house.lane();
  house.give(some, lane, 4);
  house.give(most, lane, 9);
  house.give(full, lane, 1);
  EXPECT_TRUE(house.even_out().empty());
  size_t free = house.add(1, 3);
  ASSERT_EQ(house.even_out().size(), 1u);
  EXPECT_EQ(house.even_out()[0].from, most);
  EXPECT_EQ(house.even_out()[0].to, free);
  EXPECT_EQ(house.even_out()[0].items, 3u) << "its credit";
  house.askable[most] = false;
  EXPECT_EQ(house.even_out()[0].from, some) << "whoever has not answered is left in peace";
  house.loads[some].suspect = true;
  EXPECT_TRUE(house.even_out().empty());
}

TEST(Rebalance, WhoeverIsSuspectIsNotHelped) {
  House house;
  size_t busy = house.add(1, 16);
  house.loads[house.add(1, 16)].suspect = true;
  house.give(busy, house.lane(), 9);
  EXPECT_TRUE(house.even_out().empty());
}

TEST(Rebalance, SeveralAreHelpedAtOnceEachByAnother) {
  House house;
  size_t one = house.add(1, 16);
  size_t two = house.add(1, 16);
  size_t first = house.add(1, 16);
  size_t second = house.add(1, 16);
  house.give(one, house.lane(), 8);
  house.give(two, house.lane(), 6);
  std::vector<Relief> reliefs = house.even_out();
  ASSERT_EQ(reliefs.size(), 2u);
  EXPECT_EQ(reliefs[0].from, one);
  EXPECT_EQ(reliefs[0].to, first);
  EXPECT_EQ(reliefs[1].from, two);
  EXPECT_EQ(reliefs[1].to, second);
}

TEST(Rebalance, OnlyWhatTheOtherServesIsAskedFor) {
  House house;
  LaneKey gpu;
  gpu.placement.resources = {{"gpu", 1}};
  LaneId plain = house.lane();
  LaneId on_gpu = house.lane(gpu);
  size_t busy = house.add(1, 16);
  size_t fresh = house.add(4, 16);
  house.give(busy, on_gpu, 6);
  EXPECT_TRUE(house.even_out().empty()) << "it has no gpu";
  house.give(busy, plain, 2);
  ASSERT_EQ(house.even_out().size(), 1u);
  EXPECT_EQ(house.even_out()[0].lanes, std::vector<LaneId>{plain});
  EXPECT_EQ(house.even_out()[0].items, 2u);
  house.spec(fresh).capacity = {{"gpu", 3}};
  EXPECT_EQ(house.even_out()[0].items, 3u) << "so many fit";
}

TEST(Rebalance, WhatBelongsWhereItIsStaysThere) {
  LaneKey keyed, apart, preferring;
  keyed.placement.key = make_expression(".input.x");
  apart.placement.apart = Apart::worker;
  preferring.placement.rules = {{"zone", "a", RuleKind::prefer}};
  for (const LaneKey& key : {keyed, apart, preferring}) {
    House house;
    size_t busy = house.add(1, 16);
    size_t fresh = house.add(1, 16);
    house.spec(busy).zone = "a";
    house.give(busy, house.lane(key), 9);
    EXPECT_TRUE(house.even_out().empty());
    if (key == preferring) {
      house.spec(fresh).zone = "a";
      EXPECT_EQ(house.even_out().size(), 1u) << "it is as good there";
    }
  }
}

TEST(Rebalance, QueuesThatPauseOrPackOrCountGrantsKeepTheirTasks) {
  QueueSpec paused, packs, rated;
  paused.paused = true;
  packs.strategy = Strategy::pack;
  rated.rate_permille = 1000;
  for (const QueueSpec& queue : {paused, packs, rated}) {
    House house;
    size_t busy = house.add(1, 16);
    house.add(1, 16);
    house.give(busy, house.lane(), 9);
    house.queues.configure(queue, {});
    EXPECT_TRUE(house.even_out().empty());
  }
}

TEST(Rebalance, SeveralPartitionsAskForTheirPart) {
  House house;
  size_t busy = house.add(1, 100);
  size_t fresh = house.add(1, 100);
  house.give(busy, house.lane(), 10);
  house.loads[busy].outstanding += 30;  // of other partitions
  ASSERT_EQ(house.even_out().size(), 1u);
  EXPECT_EQ(house.even_out()[0].items, 5u) << "a quarter of the 20 that would even it out";
  house.loads[fresh].bar_ns = 7;
  EXPECT_TRUE(house.even_out().empty()) << "more urgent work of another partition waits for it";
}

// Whatever the workers hold: nobody is asked for more than waits there or the other has room for, and once all have
// answered there is nothing left to be moved; the most that anybody bears per slot never grows on the way.
TEST(Rebalance, AnyLoadComesToRest) {
  uint64_t moved = 0;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Random dice(seed);
    House house;
    LaneKey special;
    special.function = "special";
    special.type = NodeType::function;
    const LaneId lanes[] = {house.lane(), house.lane(special)};
    for (uint64_t n = dice.between(2, 12); n > 0; --n) {
      auto slots = static_cast<uint32_t>(dice.between(1, 8));
      size_t worker = house.add(slots, slots * static_cast<uint32_t>(dice.between(1, 8)));
      if (dice.chance(500)) house.spec(worker).functions = {"special"};
      bool both = !house.spec(worker).functions.empty();
      uint32_t most = house.spec(worker).credit;
      auto items = static_cast<uint32_t>(dice.chance(400) ? 0 : dice.below(most + 1));
      auto first = both ? static_cast<uint32_t>(dice.below(items + 1)) : items;
      if (first > 0) house.give(worker, lanes[0], first);
      if (items > first) house.give(worker, lanes[1], items - first);
    }
    auto most_per_slot = [&] {
      uint64_t most = 0;
      for (const WorkerLoad& load : house.loads)
        most = std::max<uint64_t>(most, load.outstanding * 1000 / load.spec->slots);
      return most;
    };
    uint64_t before = most_per_slot();
    for (size_t round = 0; round <= 4 * house.loads.size(); ++round) {
      std::vector<Relief> reliefs = house.even_out();
      if (reliefs.empty()) break;
      ASSERT_LT(round, 4 * house.loads.size()) << "seed " << seed << " comes to no rest";
      for (const Relief& relief : reliefs) {
        const WorkerLoad& from = house.loads[relief.from];
        ASSERT_GE(from.outstanding - relief.items, from.spec->slots) << "seed " << seed;
        ASSERT_GT(house.loads[relief.to].idle(), 0u) << "seed " << seed;
        house.move(relief);
        ASSERT_LE(house.loads[relief.to].outstanding, house.loads[relief.to].spec->credit);
        moved += relief.items;
      }
      uint64_t after = most_per_slot();
      ASSERT_LE(after, before) << "seed " << seed;
      before = after;
    }
  }
  EXPECT_GT(moved, 2000u);
}

TEST(ReadyQueue, WhatIsPutBackStandsByItsAge) {
  QueueTable queues;
  ReadyQueue ready;
  LaneId lane = ready.lane({}, queues);
  for (uint32_t i = 1; i <= 4; ++i)
    ready.push(lane, 5, {{ExecutionId{i}, 0, 0, 2}, 1, Instant{int64_t{i} * 100}});
  ready.put_back(lane, 5, {{ExecutionId{9}, 0, 0, 2}, 2, Instant{250}});
  ready.put_back(lane, 5, {{ExecutionId{8}, 0, 0, 2}, 2, Instant{300}});
  EXPECT_EQ(ready.depth(), 12u);
  std::vector<uint64_t> order;
  while (ready.depth() > 0) order.push_back(ready.take(lane, 5, 9).range.execution.value);
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 2, 9, 8, 3, 4})) << "before those of the same time";
}

}  // namespace
}  // namespace pawl
