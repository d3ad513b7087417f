#include "pawl/schedule/broker.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

WorkerSpec worker_of(uint32_t credit, Amounts capacity = {}) {
  WorkerSpec spec;
  spec.credit = credit;
  spec.capacity = std::move(capacity);
  return spec;
}

WaitingLane waits(int64_t due_ns, const std::string& queue = "default", Amounts needs = {}) {
  LaneKey lane{queue};
  lane.placement.resources = std::move(needs);
  return {lane, due_ns};
}

using Called = std::vector<PartitionNumber>;

struct BrokerTest : testing::Test {
  Broker broker;
  WorkerSpec one = worker_of(4);
  WorkerSpec two = worker_of(2);
};

TEST_F(BrokerTest, WhatOthersHoldCannotBeTaken) {
  broker.tell(0, {{{7, &one, 3}}, {}, {}});
  broker.tell(1, {{{7, &one, 1}}, {}, {}});
  EXPECT_EQ(broker.elsewhere(0, 7).items, 1u);
  EXPECT_EQ(broker.elsewhere(1, 7).items, 3u);
  EXPECT_EQ(broker.elsewhere(2, 7).items, 4u);
  EXPECT_EQ(broker.elsewhere(0, 8).items, 0u) << "nobody knows it";
}

TEST_F(BrokerTest, ResourcesAreSummed) {
  WorkerSpec large = worker_of(9, {{"cpu", 4000}, {"memory", 100}});
  broker.tell(0, {{{7, &large, 1, {1000, 30}}}, {}, {}});
  broker.tell(1, {{{7, &large, 1, {500, 0}}}, {}, {}});
  EXPECT_EQ(broker.elsewhere(2, 7).taken, (std::vector<uint64_t>{1500, 30}));
  EXPECT_EQ(broker.elsewhere(0, 7).taken, (std::vector<uint64_t>{500, 0}));
}

TEST_F(BrokerTest, TheBarIsTheMostUrgentFrontElsewhereThatHasRoom) {
  broker.tell(0, {{{7, &one, 4}}, {}, {}});
  broker.tell(1, {{{7, &one, 0}}, {waits(50)}, {}});
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, Elsewhere::no_bar) << "it is full";
  broker.hold(0, {{7, &one, 3}});
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, 50) << "one of ours has ended: its turn has come";
  EXPECT_EQ(broker.elsewhere(1, 7).bar_ns, Elsewhere::no_bar) << "one's own front is no bar";
}

TEST_F(BrokerTest, WhatStillDoesNotFitBarsNobody) {
  WorkerSpec large = worker_of(4, {{"memory", 10}});
  broker.tell(0, {{{7, &large, 1, {5}}}, {}, {}});
  broker.tell(1, {{{7, &large, 0}}, {waits(50, "default", {{"memory", 8}})}, {}});
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, Elsewhere::no_bar);
  broker.tell(0, {{{7, &large, 1, {5}}}, {waits(60)}, {}});  // it could have, and did not
  EXPECT_EQ(broker.take_called(), Called{}) << "nobody is called for nothing";
}

TEST_F(BrokerTest, ABarIsOnlyForWorkersThatCouldServeIt) {
  WorkerSpec picky = worker_of(4);
  picky.queues = {"bulk"};
  WorkerSpec small = worker_of(4, {{"memory", 10}});
  broker.tell(0, {{{7, &picky, 1}, {8, &small, 1}, {9, &one, 4}}, {}, {}});
  broker.tell(1, {{{7, &picky, 0}, {8, &small, 0}}, {waits(50, "default", {{"memory", 20}})}, {}});
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, Elsewhere::no_bar) << "another queue";
  EXPECT_EQ(broker.elsewhere(0, 8).bar_ns, Elsewhere::no_bar) << "too large for it";
}

TEST_F(BrokerTest, CallsTheMostUrgentWhenSomethingBecomesFree) {
  broker.tell(0, {{{7, &two, 2}}, {}, {}});
  broker.tell(1, {{{7, &two, 0}}, {waits(90)}, {}});
  broker.tell(2, {{{7, &two, 0}}, {waits(60)}, {}});
  EXPECT_EQ(broker.take_called(), Called{}) << "it is full";
  broker.tell(0, {{{7, &two, 1}}, {}, {}});
  EXPECT_EQ(broker.take_called(), Called{2});
  EXPECT_EQ(broker.take_called(), Called{}) << "once";
  broker.tell(2, {{{7, &two, 1}}, {}, {}});
  EXPECT_EQ(broker.take_called(), Called{}) << "full again";
}

TEST_F(BrokerTest, WhoeverIsBarredIsCalledOnceTheMoreUrgentHasTaken) {
  broker.tell(1, {{{7, &two, 2}}, {waits(90)}, {}});
  broker.tell(2, {{{7, &two, 0}}, {waits(60)}, {}});
  broker.tell(1, {{{7, &two, 0}}, {waits(90)}, {}});  // it may not: 60 is first
  ASSERT_EQ(broker.take_called(), Called{2});
  broker.tell(2, {{{7, &two, 1}}, {}, {}});
  EXPECT_EQ(broker.take_called(), Called{1}) << "one is left";
}

TEST_F(BrokerTest, WhatWasPassedIsNoBarUntilSomethingBecomesFree) {
  broker.tell(1, {{{7, &two, 0}}, {waits(60)}, {}});  // it could have, and did not
  EXPECT_EQ(broker.take_called(), Called{});
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, Elsewhere::no_bar);
  broker.tell(0, {{{7, &two, 1}}, {}, {}});
  broker.take_called();  // the worker is new to 0
  broker.tell(1, {{{7, &two, 0}}, {waits(60)}, {}});
  broker.tell(0, {{{7, &two, 0}}, {}, {}});
  EXPECT_EQ(broker.take_called(), Called{1}) << "there is more room now: it may look again";
}

TEST_F(BrokerTest, WhoIsSilentIsNoBarAndKeepsWhatItHolds) {
  broker.tell(0, {{{7, &two, 0}}, {}, {}});
  broker.tell(1, {{{7, &two, 2}}, {waits(10)}, {}});
  broker.tell(0, {{{7, &two, 0}}, {waits(90)}, {}});
  broker.silence(1);
  EXPECT_EQ(broker.elsewhere(0, 7).bar_ns, Elsewhere::no_bar);
  EXPECT_EQ(broker.elsewhere(0, 7).items, 2u);
}

TEST_F(BrokerTest, AWorkerThatLeavesTakesItsCapacityAlong) {
  broker.tell(0, {{{7, &two, 2}}, {}, {}});
  broker.tell(1, {{{7, &two, 0}}, {waits(10)}, {}});
  broker.tell(0, {{}, {}, {}});
  EXPECT_EQ(broker.take_called(), Called{1}) << "1 still has a session with it";
  broker.tell(1, {{}, {waits(10)}, {}});
  EXPECT_EQ(broker.take_called(), Called{});
  EXPECT_EQ(broker.elsewhere(0, 7).items, 0u);
}

TEST_F(BrokerTest, AQueuesLimitIsSharedAndItsEndIsTold) {
  broker.tell(0, {{{7, &one, 2}}, {}, {{"bulk", 2}}});
  broker.tell(1, {{{7, &one, 0}}, {waits(10, "bulk")}, {{"bulk", 0}}});  // full: passed
  EXPECT_EQ(broker.granted_elsewhere(1, "bulk"), 2u);
  EXPECT_EQ(broker.granted_elsewhere(0, "bulk"), 0u);
  broker.take_called();
  broker.tell(0, {{{7, &one, 1}}, {}, {{"bulk", 1}}});
  EXPECT_EQ(broker.take_called(), Called{1});
}

}  // namespace
}  // namespace pawl
