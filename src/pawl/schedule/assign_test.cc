#include "pawl/schedule/assign.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "pawl/base/random.h"

namespace pawl {
namespace {

struct NoFacts final : TaskFacts {
  bool neighbours(const TaskRange&, Apart, const WorkerLoad&) const override { return false; }
  uint64_t key(const TaskRange&) const override { return 42; }
};

// Workers with some slots and eight times as much credit, and one lane.
class Floor {
 public:
  explicit Floor(LaneKey key) {
    key.queue = "default";
    lane_ = ready_.lane(key, queues_);
    QueueSpec spec;
    spec.name = "default";
    queues_.configure(spec, now_);
  }
  void configure(const QueueSpec& spec) { queues_.configure(spec, now_); }
  size_t add(uint32_t slots) {
    WorkerSpec& spec = specs_.emplace_back();
    spec.name = "w" + std::to_string(specs_.size());
    spec.slots = slots;
    spec.credit = slots * 8;
    WorkerLoad& load = workers_.emplace_back();
    load.session = SessionId{workers_.size()};
    load.spec = &spec;
    load.identity = mix64(workers_.size());
    return workers_.size() - 1;
  }
  WorkerSpec& spec(size_t worker) { return specs_[worker]; }
  uint32_t held(size_t worker) const { return workers_[worker].outstanding; }
  void end_all(size_t worker) { workers_[worker].outstanding = 0; }

  // Grants what may be of `items` more.
  void grant(ItemIndex items) {
    ready_.push(lane_, 5, {{ExecutionId{1}, 0, next_, next_ + items}, 1, now_});
    next_ += items;
    go_on();
  }
  void go_on() {
    Scene scene{ready_, queues_, workers_, facts_, now_};
    while (auto pick = pick_next(scene)) {
      ReadyEntry some = ready_.take(pick->lane, pick->priority, pick->items_max);
      workers_[pick->worker].outstanding += some.range.size();
      by_place_[static_cast<size_t>(pick->key_place)] += some.range.size();
    }
  }
  uint64_t granted(KeyPlace place) const { return by_place_[static_cast<size_t>(place)]; }
  uint64_t waiting() const { return ready_.depth(); }
  WaitKind why() const {
    Scene scene{ready_, queues_, workers_, facts_, now_};
    return explain(scene, lane_, 5, {ExecutionId{1}, 0, next_ - 1}).kind;
  }

 private:
  Instant now_{1};
  ReadyQueue ready_;
  QueueTable queues_;
  std::deque<WorkerSpec> specs_;
  std::vector<WorkerLoad> workers_;
  NoFacts facts_;
  LaneId lane_ = 0;
  ItemIndex next_ = 0;
  uint64_t by_place_[3] = {};
};

LaneKey preferring_ssd() {
  LaneKey key;
  key.placement.rules = {{"disk", "ssd", RuleKind::prefer}};
  return key;
}

TEST(Assign, APreferenceLeavesNoSlotEmpty) {
  Floor floor(preferring_ssd());
  floor.spec(floor.add(1)).labels = {{"disk", "ssd"}};
  floor.add(1);
  floor.grant(2);
  EXPECT_EQ(floor.held(0), 1u);
  EXPECT_EQ(floor.held(1), 1u);
  floor.grant(4);
  EXPECT_EQ(floor.held(0), 5u) << "who waits, waits where it would rather be";
  EXPECT_EQ(floor.held(1), 1u);
}

TEST(Assign, PackingFillsSlotsBeforeItQueues) {
  Floor floor({});
  QueueSpec spec;
  spec.name = "default";
  spec.strategy = Strategy::pack;
  floor.configure(spec);
  floor.add(4);
  floor.add(4);
  floor.grant(3);
  EXPECT_EQ(floor.held(0) + floor.held(1), 3u);
  EXPECT_EQ(floor.held(0) * floor.held(1), 0u) << "one of them is left empty";
  floor.grant(5);
  EXPECT_EQ(floor.held(0), 4u);
  EXPECT_EQ(floor.held(1), 4u);
}

TEST(Assign, ARangeWithAKeyKeepsToTheBound) {
  LaneKey lane;
  lane.placement.key = make_expression(".input.customer");
  Floor floor(lane);
  for (int i = 0; i < 4; ++i) floor.add(100);
  floor.grant(400);
  uint32_t workers = 0;
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_LE(floor.held(i), 127u);
    workers += floor.held(i) > 0;
  }
  EXPECT_EQ(floor.waiting(), 0u);
  EXPECT_GE(workers, 4u);
}

TEST(Assign, WhatAKeyDoesNotGiveItsFavouriteIsCounted) {
  LaneKey lane;
  lane.placement.key = make_expression(".input.customer");
  Floor floor(lane);
  for (int i = 0; i < 3; ++i) floor.add(1);
  floor.grant(1);
  EXPECT_EQ(floor.granted(KeyPlace::favourite), 1u);
  EXPECT_EQ(floor.granted(KeyPlace::other), 0u);
  size_t favourite = 0;
  while (floor.held(favourite) == 0) ++favourite;
  floor.grant(20);  // of 24: more than its share
  EXPECT_EQ(floor.granted(KeyPlace::favourite), floor.held(favourite));
  EXPECT_EQ(floor.granted(KeyPlace::favourite) + floor.granted(KeyPlace::other), 21u);
  EXPECT_GT(floor.granted(KeyPlace::other), 0u);
  floor.spec(favourite).queues = {
      "elsewhere"};  // it serves them no more: another is their favourite now
  for (size_t i = 0; i < 3; ++i) floor.end_all(i);
  const uint64_t before = floor.granted(KeyPlace::favourite);
  floor.grant(1);
  EXPECT_EQ(floor.granted(KeyPlace::favourite), before + 1);
  EXPECT_EQ(floor.granted(KeyPlace::no_key), 0u);
}

TEST(Assign, WhatMustStartAtOnceGetsFreeSlotsOnly) {
  LaneKey lane;
  lane.at_once = true;
  Floor floor(lane);
  floor.add(2);
  floor.grant(5);
  EXPECT_EQ(floor.held(0), 2u);
  EXPECT_EQ(floor.waiting(), 3u);
  EXPECT_EQ(floor.why(), WaitKind::behind) << "two of them come first";
  floor.end_all(0);
  floor.go_on();
  EXPECT_EQ(floor.held(0), 2u);
  EXPECT_EQ(floor.waiting(), 1u);
}

}  // namespace
}  // namespace pawl
