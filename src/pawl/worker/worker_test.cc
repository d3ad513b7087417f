#include "pawl/worker/worker.h"

#include <gtest/gtest.h>

#include "pawl/worker/test_world.h"

namespace pawl {
namespace {

TEST(Worker, SaysHelloWithItsSpecAndIsWelcomed) {
  World world;
  auto hellos = world.engine.take<Hello>();
  ASSERT_EQ(hellos.size(), 1u);
  EXPECT_EQ(hellos[0].worker.name, "w1");
  EXPECT_TRUE(world.worker->connected());
  EXPECT_EQ(world.worker->session(), SessionId{1});
}

TEST(Worker, RunsAtMostSlotsLaunchesByPriority) {
  World world(2);
  world.give({world.grant(0, 3), world.grant(7, 8, NodeType::process, 9)});
  ASSERT_EQ(world.processes.started.size(), 2u);
  EXPECT_EQ(world.processes.started[0].grant.range.begin, 7u);
  EXPECT_EQ(world.processes.started[1].grant.range, (TaskRange{ExecutionId{1}, 0, 0, 1}));
  EXPECT_EQ(world.worker->queued_items(), 2u);
  world.processes.finish(world.processes.started[0]);
  world.settle();
  EXPECT_EQ(world.processes.started.size(), 3u);
  ASSERT_EQ(world.reports().size(), 1u);
}

TEST(Worker, AGrantOfNoOpItemsCostsOneLaunchPerSlotAndOneReport) {
  World world(2);
  world.functions.at_once = true;
  world.give({world.grant(0, 1024, NodeType::function)});
  EXPECT_EQ(world.functions.started.size(), 2u);
  auto batches = world.engine.take<Reports>();
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].reports.size(), 1u);
  EXPECT_EQ(batches[0].reports[0].range, (TaskRange{ExecutionId{1}, 0, 0, 1024}));
}

TEST(Worker, MeasuresHowLongAttemptsWaitedHereAndRan) {
  World world(1);
  world.give({world.grant(0, 2)});
  world.clock.now = world.clock.now + Duration::seconds(3);
  world.processes.finish(world.processes.started[0]);
  world.settle();
  world.clock.now = world.clock.now + Duration::seconds(4);
  world.processes.finish(world.processes.started[1]);
  world.settle();
  auto reports = world.reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].times, (AttemptTimes{{}, Duration::seconds(3)}));
  EXPECT_EQ(reports[1].times, (AttemptTimes{Duration::seconds(3), Duration::seconds(4)}));
}

// Of a launch each item begins when the one before it has ended.
TEST(Worker, MeasuresARangeByWhatItsItemsTookTogether) {
  World world(1);
  world.give({world.grant(0, 6, NodeType::function)});
  ASSERT_EQ(world.functions.started.size(), 1u);
  world.clock.now = world.clock.now + Duration::milliseconds(4);
  world.functions.report(world.functions.started[0], 0, 4);
  world.settle();
  world.clock.now = world.clock.now + Duration::milliseconds(10);
  world.functions.report(world.functions.started[0], 4, 6);
  world.settle();
  auto reports = world.reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].times,
            (AttemptTimes{Duration::milliseconds(0 + 1 + 2 + 3), Duration::milliseconds(4)}));
  EXPECT_EQ(reports[1].times,
            (AttemptTimes{Duration::milliseconds(4 + 9), Duration::milliseconds(10)}));
}

TEST(Worker, WhatIsReportedTogetherIsMeasuredTogether) {
  World world(2, 8);
  world.give({world.grant(0, 8)});
  for (size_t i : {0, 1}) {
    world.clock.now = world.clock.now + Duration::milliseconds(1);
    world.processes.finish(world.processes.started[i]);
    world.settle();
  }
  auto reports = world.reports();
  ASSERT_EQ(reports.size(), 1u) << "the first was held back";
  EXPECT_EQ(reports[0].times, (AttemptTimes{{}, Duration::milliseconds(1 + 2)}));
}

// As often as it looks, and not before something has run that long.
TEST(Worker, TellsHowLongWhatRunsHasRunAndWhatItUses) {
  World world(2);
  world.processes.used = LaunchUsage{Duration::milliseconds(700), 5 << 20};
  world.give({world.grant(0, 1), world.grant(1, 9, NodeType::function)});
  world.pass(Duration::milliseconds(900));
  EXPECT_TRUE(world.told().empty());
  world.pass(Duration::milliseconds(300));
  auto told = world.told();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].usage,
            (AttemptUsage{Duration::seconds(1), Duration::milliseconds(700), 5 << 20}));
  EXPECT_EQ(told[1].usage, (AttemptUsage{Duration::seconds(1), {}, 0})) << "no process of its own";
  world.processes.progress(world.processes.started[0], 0, 250);
  world.settle();
  world.pass(Duration::milliseconds(100));
  told = world.told();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].permille, 250u);
  EXPECT_EQ(told[0].usage.memory_bytes, 5u << 20) << "as it was last looked at";
  world.pass(Duration::seconds(1));
  told = world.told();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].permille, 250u) << "what it has said stays said";
  EXPECT_EQ(told[0].usage.running, Duration::seconds(2));
}

TEST(Worker, ReportsAllThatFinishedSinceTheLastTurnTogether) {
  World world(4);
  world.give({world.grant(0, 4)});
  for (const Launch& launch : world.processes.started)
    world.processes.finish(launch, launch.grant.range.begin != 2);
  world.settle();
  auto batches = world.engine.take<Reports>();
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].reports.size(), 3u);
  EXPECT_EQ(batches[0].reports[0].range.size(), 2u);
  EXPECT_FALSE(batches[0].reports[1].succeeded);
  EXPECT_EQ(batches[0].reports[2].range.begin, 3u);
}

TEST(Worker, HoldsReportsBackWhileMoreThanHalfOfItsCreditIsQueued) {
  World world(2, 8);
  world.give({world.grant(0, 8)});
  world.processes.finish(world.processes.started[0]);
  world.settle();
  ASSERT_EQ(world.worker->queued_items(), 5u);
  EXPECT_TRUE(world.reports().empty());
  EXPECT_EQ(world.worker->deadline(), world.clock.now + Duration::milliseconds(2));
  world.processes.finish(world.processes.started[1]);
  world.settle();
  ASSERT_EQ(world.worker->queued_items(), 4u);
  auto batches = world.engine.take<Reports>();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].reports[0].range.size(), 2u);
}

TEST(Worker, HoldsReportsBackForABoundedTime) {
  World world(1, 8);
  world.give({world.grant(0, 8)});
  world.processes.finish(world.processes.started[0]);
  world.settle();
  EXPECT_TRUE(world.reports().empty());
  world.pass(Duration::milliseconds(2));
  world.settle();
  EXPECT_EQ(world.reports().size(), 1u);
}

TEST(Worker, ADrainingWorkerHoldsNothingBack) {
  World world(2, 8);
  world.give({world.grant(0, 8)});
  world.processes.finish(world.processes.started[0]);
  world.settle();
  world.worker->drain();
  world.settle();
  EXPECT_EQ(world.reports().size(), 1u);
}

TEST(Worker, DeclinesBeyondItsCreditAndWithoutAnExecutor) {
  World world(1, 5);
  world.give({world.grant(0, 3), world.grant(3, 8), world.grant(0, 1, NodeType::transform)});
  auto reports = world.reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].kind, FailureKind::declined);
  EXPECT_EQ(reports[0].range, (TaskRange{ExecutionId{1}, 0, 5, 8}));
  EXPECT_NE(reports[0].error.find("credit of 5"), std::string::npos);
  EXPECT_NE(reports[1].error.find("transform"), std::string::npos);
  world.processes.finish(world.processes.started[0]);
  world.settle();
  world.pass(Duration::milliseconds(2));
  world.give({world.grant(8, 9)});
  EXPECT_EQ(world.reports().size(), 1u) << "the reported item's credit is free again";
  EXPECT_EQ(world.worker->queued_items(), 4u);
}

HeldAttempts named(const Grant& grant, ItemIndex begin, ItemIndex end) {
  return {{grant.range.execution, grant.range.node, begin, end}, grant.attempt, grant.nonce};
}

TEST(Worker, ARecallBringsBackWhatIsQueuedAndNothingThatHasBegun) {
  World world(2, 8);
  Grant grant = world.grant(0, 5);
  world.give({grant});
  ASSERT_EQ(world.processes.started.size(), 2u);
  Grant other = grant;
  other.nonce = 77;  // not held
  world.engine.send(Recall{{named(grant, 1, 3), named(other, 0, 5), named(grant, 4, 9)}});
  world.settle();
  auto answers = world.engine.take<Returned>();
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].attempts.size(), 2u);
  EXPECT_EQ(answers[0].attempts[0].range, (TaskRange{ExecutionId{1}, 0, 2, 3}));
  EXPECT_EQ(answers[0].attempts[1].range, (TaskRange{ExecutionId{1}, 0, 4, 5}));
  EXPECT_EQ(answers[0].attempts[0].nonce, grant.nonce);
  EXPECT_EQ(world.worker->queued_items(), 1u);
  EXPECT_TRUE(world.processes.stops.empty());
  world.engine.send(Recall{{named(grant, 0, 2)}});
  world.settle();
  answers = world.engine.take<Returned>();
  ASSERT_EQ(answers.size(), 1u) << "each is answered, if only with nothing";
  EXPECT_TRUE(answers[0].attempts.empty());
  world.give({world.grant(10, 16)});
  ASSERT_EQ(world.reports().size(), 1u) << "what came back is credit again: one of six is too many";
  EXPECT_EQ(world.worker->queued_items(), 6u);
}

TEST(Worker, WhatItGaveBackIsNotAmongWhatItHoldsInTheNextLifeOfItsEngine) {
  World world(1, 8);
  Grant grant = world.grant(0, 4);
  world.give({grant});
  world.engine.keeps = false;  // the old engine dies before the answer is durable
  world.engine.send(Recall{{named(grant, 2, 4)}});
  world.settle();
  world.engine.take<Hello>();
  world.engine.restart();
  world.pass(Duration::seconds(1));
  auto hellos = world.engine.take<Hello>();
  ASSERT_EQ(hellos.size(), 1u);
  ItemIndex held = 0;
  for (const HeldAttempts& one : hellos[0].held) {
    EXPECT_LE(one.range.end, 2u);
    held += one.range.size();
  }
  EXPECT_EQ(held, 2u);
}

TEST(Worker, WhatEndsAtOnceIsReportedTogether) {
  World world(2);
  world.processes.at_once = true;
  std::vector<Grant> grants;
  for (ItemIndex item = 0; item < 20; ++item) grants.push_back(world.grant(2 * item, 2 * item + 1));
  world.engine.send(Grants{std::move(grants)});
  world.settle();
  EXPECT_EQ(world.processes.started.size(), 20u);
  std::vector<Reports> told = world.engine.take<Reports>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].reports.size(), 20u);
}

// The worker knows that an item of these takes `each`, and nothing else is there.
void learn(World& world, Duration each) {
  world.functions.worked = Worked{{}, Instant{} + each};
  world.give({world.grant(0, 1, NodeType::function)});
  world.functions.finish(world.functions.started.at(0));
  world.settle();
  world.functions.started.clear();
  world.reports();
}

std::vector<Grant> single_grants(World& world, ItemIndex begin, ItemIndex end) {
  std::vector<Grant> grants;
  for (ItemIndex item = begin; item < end; ++item)
    grants.push_back(world.grant(item, item + 1, NodeType::function));
  return grants;
}

TEST(Worker, HandsShortWorkAheadToAnExecutorThatTakesIt) {
  World world(2);
  world.functions.takes_ahead = 3;
  world.give(single_grants(world, 100, 120));
  EXPECT_EQ(world.functions.started.size(), 2u) << "nothing is known of it";
  world.functions.worked = Worked{{}, Instant{} + Duration::microseconds(1)};
  world.functions.finish(world.functions.started[0]);
  world.settle();
  EXPECT_EQ(world.functions.started.size(), 1u + 2 * (1 + 3))
      << "for each slot one, and three more";
  EXPECT_EQ(world.worker->running_launches(), 2u);
  EXPECT_EQ(world.worker->running().size(), 2u);
  for (size_t i = 1; i < 20; ++i) {
    world.functions.finish(world.functions.started.at(i));
    world.settle();
  }
  world.pass(Duration::milliseconds(2));
  EXPECT_EQ(world.functions.started.size(), 20u);
  EXPECT_EQ(world.worker->held_items(), 0u);
  size_t reported = 0;
  for (const AttemptReport& report : world.reports()) reported += report.range.size();
  EXPECT_EQ(reported, 20u);
}

TEST(Worker, LongWorkWaitsInTheQueue) {
  World world(2);
  world.functions.takes_ahead = 3;
  learn(world, Duration::seconds(10));
  world.give(single_grants(world, 100, 110));
  EXPECT_EQ(world.functions.started.size(), 2u);
  EXPECT_EQ(world.worker->queued_items(), 8u);
  world.functions.finish(world.functions.started[1]);
  world.settle();
  EXPECT_EQ(world.functions.started.size(), 3u);
}

TEST(Worker, ALaunchHasAsManyItemsAsAreWorkedOffSoon) {
  World world(1);
  world.functions.takes_ahead = 3;
  learn(world, Duration::microseconds(500));
  world.give({world.grant(0, 1000, NodeType::function)});
  ASSERT_EQ(world.functions.started.size(), 2u) << "4 ms of work";
  EXPECT_EQ(world.functions.started[0].grant.range.size(), 4u);
  EXPECT_EQ(world.functions.started[1].grant.range.size(), 4u);
  EXPECT_EQ(world.worker->queued_items(), 992u);
}

TEST(Worker, ARecallBringsBackWhatWaitsInAnExecutor) {
  World world(1);
  world.functions.takes_ahead = 3;
  learn(world, Duration::microseconds(1));
  std::vector<Grant> grants = single_grants(world, 100, 104);
  world.give(grants);
  ASSERT_EQ(world.functions.started.size(), 4u);
  world.functions.waiting = {world.functions.started[2].id, world.functions.started[3].id};
  Recall recall;
  for (const Grant& grant : grants)
    recall.attempts.push_back({grant.range, grant.attempt, grant.nonce});
  world.engine.send(recall);
  world.settle();
  std::vector<Returned> returned = world.engine.take<Returned>();
  ASSERT_EQ(returned.size(), 1u);
  ASSERT_EQ(returned[0].attempts.size(), 2u);
  EXPECT_EQ(returned[0].attempts[0].range, grants[2].range);
  EXPECT_EQ(returned[0].attempts[1].range, grants[3].range);
  EXPECT_EQ(world.worker->held_items(), 2u);
  for (size_t i = 0; i < 2; ++i) world.functions.finish(world.functions.started[i]);
  world.settle();
  EXPECT_EQ(world.worker->held_items(), 0u);
}

// By the figures and the log: what has been taken back has never been there.
TEST(Worker, ALaunchHandedAheadCountsOnceItsExecutorSaysThatItHasBegun) {
  World world(1);
  world.functions.takes_ahead = 3;
  learn(world, Duration::microseconds(1));
  const uint64_t before = world.worker->figures().launches;
  std::vector<Grant> grants = single_grants(world, 100, 103);
  world.give(grants);
  const std::vector<Launch>& started = world.functions.started;
  ASSERT_EQ(started.size(), 3u);
  EXPECT_EQ(world.worker->figures().launches, before);
  const Worked worked{world.clock.now, world.clock.now};
  world.news.put(Reported{started[0].id, {}, worked});
  world.settle();
  EXPECT_EQ(world.worker->figures().launches, before + 1) << "it takes long";
  world.functions.waiting = {started[2].id};
  world.engine.send(Recall{{{grants[2].range, grants[2].attempt, grants[2].nonce}}});
  world.settle();
  EXPECT_EQ(world.worker->figures().launches, before + 1);
  world.functions.worked = worked;
  for (size_t i = 0; i < 2; ++i) world.functions.finish(started[i]);
  world.settle();
  EXPECT_EQ(world.worker->figures().launches, before + 2);
  world.give({world.grant(0, 1)});
  EXPECT_EQ(world.worker->figures().launches, before + 3) << "a process begins when it is started";
}

TEST(Worker, DrainTakesBackWhatWaitsInAnExecutor) {
  World world(1);
  world.functions.takes_ahead = 3;
  learn(world, Duration::microseconds(1));
  world.give(single_grants(world, 100, 102));
  ASSERT_EQ(world.functions.started.size(), 2u);
  world.functions.waiting = {world.functions.started[1].id};
  world.worker->drain();
  world.settle();
  EXPECT_EQ(world.worker->queued_items(), 0u);
  world.functions.finish(world.functions.started[0]);
  world.pass(Duration::seconds(1));
  EXPECT_EQ(world.reports().size(), 1u);
  EXPECT_EQ(world.engine.take<Goodbye>().size(), 1u);
  EXPECT_TRUE(world.worker->gone());
}

// What runs may run for hours; nobody need wait for that.
TEST(Worker, WhoeverDrainsSaysSoAndThenGivesBackWhatHasNotBegun) {
  World world(1);
  world.functions.takes_ahead = 3;
  learn(world, Duration::microseconds(1));
  std::vector<Grant> grants = single_grants(world, 100, 103);
  world.give(grants);
  world.functions.waiting = {world.functions.started.at(1).id, world.functions.started.at(2).id};
  world.engine.got.clear();
  world.worker->drain();
  world.settle();
  ASSERT_EQ(world.engine.got.size(), 2u);
  EXPECT_TRUE(std::get<Heartbeat>(world.engine.got[0]).usage.leaving) << "else it would get them";
  EXPECT_EQ(std::get<Returned>(world.engine.got[1]).attempts.size(), 2u);
  world.give({world.grant(7, 9)});
  EXPECT_EQ(world.engine.take<Returned>().back().attempts.size(), 1u) << "a grant that crossed it";
  EXPECT_EQ(world.worker->held_items(), 1u);
  world.functions.finish(world.functions.started[0]);
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(world.worker->gone());
}

// Time that it waited behind others in the executor is no running time.
TEST(Worker, WhatWaitedInAnExecutorBeginsWhenItsTurnComes) {
  World world(1);
  world.functions.takes_ahead = 1;
  learn(world, Duration::microseconds(1));
  world.give(single_grants(world, 100, 102));
  ASSERT_EQ(world.functions.started.size(), 2u);
  world.clock.now = world.clock.now + Duration::seconds(60);
  world.functions.finish(world.functions.started[0]);
  world.settle();
  ASSERT_EQ(world.worker->running().size(), 1u);
  EXPECT_EQ(world.worker->running()[0].since, world.clock.now);
  EXPECT_EQ(world.worker->running()[0].range.begin, 101u);
}

TEST(Worker, StopsDropTheQueuedAndTerminateThenKillTheRunning) {
  World world(1);
  Grant grant = world.grant(0, 3);
  world.give({grant});
  world.engine.send(Stops{{stop_of(grant)}});
  world.settle();
  EXPECT_EQ(world.worker->queued_items(), 0u);
  uint64_t launch = world.processes.started[0].id;
  using Stop = std::pair<uint64_t, StopMode>;
  EXPECT_EQ(world.processes.stops, (std::vector<Stop>{{launch, StopMode::terminate}}));
  world.pass(Duration::seconds(6));
  EXPECT_EQ(world.processes.stops,
            (std::vector<Stop>{{launch, StopMode::terminate}, {launch, StopMode::kill}}));
  world.processes.finish(world.processes.started[0], false);
  world.settle();
  EXPECT_TRUE(world.reports().empty());
  EXPECT_TRUE(world.worker->running().empty());
}

TEST(Worker, AStopOfSomeItemsLeavesTheLaunchRunning) {
  World world(1);
  Grant grant = world.grant(0, 8, NodeType::function);
  world.give({grant});
  StopAttempts some = stop_of(grant);
  some.range.begin = 2;
  some.range.end = 4;
  world.engine.send(Stops{{some}});
  world.settle();
  EXPECT_TRUE(world.functions.stops.empty());
  StopAttempts wrong = stop_of(grant);
  wrong.nonce += 1;
  StopAttempts front = stop_of(grant);
  front.range.end = 3;
  StopAttempts back = stop_of(grant);
  back.range.begin = 4;
  world.engine.send(Stops{{wrong, front}});
  world.settle();
  EXPECT_TRUE(world.functions.stops.empty());
  world.engine.send(Stops{{back}});
  world.settle();
  EXPECT_EQ(world.functions.stops.size(), 1u);
}

TEST(Worker, WhatIsReportedAheadFreesItsCreditAndTheLaunchGoesOn) {
  World world(1, 8);
  world.give({world.grant(0, 8, NodeType::function)});
  const Launch launch = world.functions.started.at(0);
  world.functions.progress(launch, 1, 500);
  world.functions.progress(launch, 6, 600);
  world.functions.report(launch, 0, 5);
  world.settle();
  auto ahead = world.reports();
  ASSERT_EQ(ahead.size(), 1u);
  EXPECT_EQ(ahead[0].range, (TaskRange{ExecutionId{1}, 0, 0, 5}));
  ASSERT_EQ(world.worker->running().size(), 1u);
  ASSERT_EQ(world.worker->running()[0].progress.size(), 1u);
  EXPECT_EQ(world.worker->running()[0].progress[0].task.item, 6u);
  world.give({world.grant(8, 14, NodeType::function)});
  EXPECT_EQ(world.worker->queued_items(), 5u) << "three of its eight run, and one is too many";
  auto declined = world.reports();
  ASSERT_EQ(declined.size(), 1u);
  EXPECT_EQ(declined[0].range.begin, 13u);
  world.functions.report(launch, 5, 8);
  world.settle();
  world.pass(Duration::milliseconds(2));
  auto rest = world.reports();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].range, (TaskRange{ExecutionId{1}, 0, 5, 8}));
}

TEST(Worker, AStopOfAllThatIsNotReportedEndsTheLaunch) {
  World world(1);
  Grant grant = world.grant(0, 8, NodeType::function);
  world.give({grant});
  world.functions.report(world.functions.started.at(0), 0, 5);
  world.settle();
  EXPECT_EQ(world.reports().size(), 1u);
  StopAttempts back = stop_of(grant);
  back.range.begin = 5;
  world.engine.send(Stops{{back}});
  world.settle();
  EXPECT_EQ(world.functions.stops.size(), 1u);
  world.functions.report(world.functions.started.at(0), 5, 8);
  world.settle();
  EXPECT_TRUE(world.reports().empty());
  EXPECT_TRUE(world.worker->running().empty());
}

TEST(Worker, HeartbeatsKeepTheSessionWhileTheEngineAnswers) {
  World world;
  world.give({world.grant(0, 1)});
  world.pass(Duration::seconds(60));
  size_t beats = world.engine.take<Heartbeat>().size();
  EXPECT_GE(beats, 17u);
  EXPECT_LE(beats, 19u);
  EXPECT_TRUE(world.processes.stops.empty());
  EXPECT_EQ(world.engine.sessions, 1u);
}

TEST(Worker, CutOffLongerThanTheLeaseItStopsItsAttemptsAndReturns) {
  World world;
  world.give({world.grant(0, 2)});
  world.engine.cut = true;
  world.pass(Duration::seconds(6));
  EXPECT_TRUE(world.processes.stops.empty());
  world.pass(Duration::seconds(5));
  ASSERT_EQ(world.processes.stops.size(), 2u);
  EXPECT_EQ(world.processes.stops[0].second, StopMode::kill);
  world.engine.cut = false;
  world.pass(Duration::seconds(20));
  EXPECT_EQ(world.engine.sessions, 1u) << "no Hello before all have ended";
  for (const Launch& launch : world.processes.started) world.processes.finish(launch, false);
  world.pass(Duration::seconds(20));
  EXPECT_EQ(world.engine.sessions, 2u);
  EXPECT_TRUE(world.worker->connected());
  EXPECT_TRUE(world.reports().empty());
}

TEST(Worker, ClosedKillsAllAndSaysHelloAgainWhenTheyHaveEnded) {
  World world(1);
  Grant grant = world.grant(0, 2);
  world.give({grant});
  world.engine.send(Closed{"lease over"});
  world.settle();
  ASSERT_EQ(world.processes.stops.size(), 1u);
  EXPECT_EQ(world.engine.sessions, 1u);
  world.processes.finish(world.processes.started[0]);
  world.settle();
  EXPECT_EQ(world.engine.sessions, 2u);
  world.give({grant});  // of the old session
  EXPECT_EQ(world.processes.started.size(), 1u);
  EXPECT_TRUE(world.reports().empty());
}

// The second life of the engine welcomes the session that it is asked for.
TEST(Worker, GoesOnWithItsSessionWhenTheEngineHasComeBack) {
  World world(2, 8);
  world.give({world.grant(0, 4)});
  ASSERT_EQ(world.processes.started.size(), 2u);
  world.engine.keeps = false;
  world.processes.finish(world.processes.started[0]);
  world.settle();
  ASSERT_EQ(world.reports().size(), 1u);
  (void)world.engine.take<Hello>();

  world.engine.restart();
  world.engine.welcomes = false;
  world.engine.send(Heartbeat{});
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(world.processes.stops.empty()) << "what runs goes on";
  auto hellos = world.engine.take<Hello>();
  ASSERT_EQ(hellos.size(), 1u);
  EXPECT_EQ(hellos[0].session, SessionId{1});
  uint64_t held = 0;
  for (const HeldAttempts& one : hellos[0].held) held += one.range.size();
  EXPECT_EQ(held, 4u) << "two run, one waits, one is reported and may not have been kept";
  EXPECT_FALSE(world.worker->connected());
  EXPECT_TRUE(world.reports().empty());

  world.engine.send(Welcome{SessionId{1}});
  world.settle();
  world.pass(Duration::milliseconds(10));
  EXPECT_TRUE(world.worker->connected());
  EXPECT_EQ(world.reports().size(), 1u) << "told again";
  world.processes.finish(world.processes.started[1]);
  world.settle();
  world.pass(Duration::milliseconds(10));
  EXPECT_EQ(world.reports().size(), 1u);
}

TEST(Worker, ASessionThatCannotBeResumedIsOver) {
  World world(1);
  world.give({world.grant(0, 2)});
  world.engine.restart();
  world.engine.welcomes = false;
  world.engine.send(Heartbeat{});
  world.pass(Duration::milliseconds(500));
  world.engine.send(Closed{"the session is over"});
  world.engine.welcomes = true;
  world.settle();
  ASSERT_EQ(world.processes.stops.size(), 1u);
  world.processes.finish(world.processes.started[0]);
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(world.worker->connected());
  EXPECT_EQ(world.worker->session(), SessionId{2});
  EXPECT_TRUE(world.reports().empty());
}

TEST(Worker, AnEngineThatComesBackTooLateFindsNothingRunning) {
  World world(1);
  world.give({world.grant(0, 2)});
  world.engine.restart();
  world.engine.welcomes = false;
  world.engine.send(Heartbeat{});
  world.pass(WorkerSpec{}.lease + Duration::seconds(1));
  EXPECT_EQ(world.processes.stops.size(), 1u);
}

TEST(Worker, DrainFinishesWhatRunsAndSaysGoodbye) {
  World world(1);
  world.give({world.grant(0, 3)});
  world.worker->drain();
  world.settle();
  EXPECT_FALSE(world.worker->gone());
  world.processes.finish(world.processes.started[0]);
  world.settle();
  world.pass(Duration::seconds(1));
  EXPECT_EQ(world.reports().size(), 1u);
  EXPECT_EQ(world.engine.take<Goodbye>().size(), 1u);
  EXPECT_EQ(world.processes.started.size(), 1u);
  EXPECT_TRUE(world.worker->gone());
  EXPECT_EQ(world.worker->deadline(), Instant::never());
}

TEST(Worker, AbandonKillsWithoutReporting) {
  World world(1);
  world.give({world.grant(0, 3)});
  world.worker->abandon();
  world.settle();
  ASSERT_EQ(world.processes.stops.size(), 1u);
  EXPECT_EQ(world.processes.stops[0].second, StopMode::terminate);
  world.pass(Duration::seconds(6));  // it was asked, and does not want to
  ASSERT_EQ(world.processes.stops.size(), 2u);
  EXPECT_EQ(world.processes.stops[1].second, StopMode::kill);
  world.processes.finish(world.processes.started[0], false);
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(world.reports().empty());
  EXPECT_TRUE(world.worker->gone());
}

// Both Hellos of an impatient worker reach the engine; the answer to the second finds it already
// serving under the first, whose session the engine has closed.
TEST(Worker, ASecondWelcomeReplacesTheSession) {
  World w;
  w.give({w.grant(0, 1)});
  ASSERT_EQ(w.processes.started.size(), 1u);
  w.engine.send(Welcome{SessionId{++w.engine.sessions}});
  w.settle();
  EXPECT_EQ(w.processes.stops.size(), 1u);
  w.processes.finish(w.processes.started[0]);
  w.settle();
  EXPECT_TRUE(w.reports().empty());
  w.engine.send(Welcome{SessionId{++w.engine.sessions}});
  w.settle();
  EXPECT_EQ(w.worker->session(), SessionId{w.engine.sessions});
  w.give({w.grant(0, 1)});
  EXPECT_EQ(w.processes.started.size(), 2u);
}

// The engine took the Hello and died before its Welcome was durable.
TEST(Worker, AHelloThatWasHeardButNotAnsweredIsSaidAgain) {
  World w;
  w.engine.send(Closed{"for the sake of the test"});
  w.engine.welcomes = false;
  w.settle();
  w.engine.take<Hello>();
  w.pass(Duration::seconds(25));
  EXPECT_GE(w.engine.take<Hello>().size(), 2u);
  w.engine.welcomes = true;
  w.pass(Duration::seconds(15));
  EXPECT_TRUE(w.worker->connected());
}

TEST(Worker, ARefusedHelloIsSaidAgainLater) {
  World world;
  world.engine.welcomes = false;
  world.engine.send(Closed{"shutting down"});
  world.settle();
  world.engine.take<Hello>();
  world.engine.send(Closed{"too many sessions"});
  world.settle();
  EXPECT_TRUE(world.engine.take<Hello>().empty());
  world.engine.welcomes = true;
  world.pass(Duration::seconds(2));
  EXPECT_EQ(world.engine.take<Hello>().size(), 1u);
  EXPECT_TRUE(world.worker->connected());
}

// A coordinator of two partitions, which have welcomed the worker.
struct TwoPartitions : World {
  TwoPartitions() : World(2, 4096, 2) {}
  Grant of_second(ItemIndex begin, ItemIndex end, uint8_t priority = 5) {
    Grant g = grant(begin, end, NodeType::process, priority);
    g.session = SessionId{second.sessions};
    g.range.execution = ExecutionId{2};
    return g;
  }
};

TEST(Worker, GreetsEveryPartitionOfItsCoordinator) {
  TwoPartitions world;
  ASSERT_EQ(world.second.take<Hello>().size(), 1u);
  EXPECT_TRUE(world.worker->connected());
}

TEST(Worker, SharesItsSlotsBetweenPartitionsInTurnAndByPriority) {
  TwoPartitions world;
  world.engine.send(Grants{{world.grant(0, 2), world.grant(2, 3)}});
  world.second.send(Grants{{world.of_second(0, 2), world.of_second(2, 3, 9)}});
  world.settle();
  ASSERT_EQ(world.processes.started.size(), 2u);
  for (size_t i = 0; i < 6; ++i) {
    ASSERT_GT(world.processes.started.size(), i) << "a free slot is used";
    world.processes.finish(world.processes.started[i]);
    world.settle();
  }
  std::vector<uint64_t> order;
  for (const Launch& launch : world.processes.started)
    order.push_back(launch.grant.range.execution.value);
  EXPECT_EQ(std::count(order.begin(), order.end(), 2u), 3);
  auto urgent = std::find_if(
      world.processes.started.begin(), world.processes.started.end(),
      [](const Launch& launch) { return launch.grant.context->definition().priority == 9; });
  EXPECT_LT(urgent - world.processes.started.begin(), 3) << "it overtakes what waits elsewhere";
  EXPECT_EQ(world.second.take<Reports>().size(), 3u) << "everyone hears of its own";
}

TEST(Worker, ASessionThatEndsTakesNothingFromTheOthers) {
  TwoPartitions world;
  world.engine.send(Grants{{world.grant(0, 1)}});
  world.second.send(Grants{{world.of_second(0, 1)}});
  world.settle();
  ASSERT_EQ(world.processes.started.size(), 2u);
  world.second.send(Closed{"a test"});
  world.settle();
  ASSERT_EQ(world.processes.stops.size(), 1u);
  for (const Launch& launch : world.processes.started) world.processes.finish(launch);
  world.settle();
  EXPECT_EQ(world.reports().size(), 1u);
  EXPECT_TRUE(world.second.take<Reports>().empty());
  EXPECT_TRUE(world.worker->connected()) << "and it is greeted again";
}

TEST(Worker, SaysGoodbyeToEveryPartition) {
  TwoPartitions world;
  world.worker->drain();
  world.pass(Duration::milliseconds(100));
  EXPECT_EQ(world.engine.take<Goodbye>().size(), 1u);
  EXPECT_EQ(world.second.take<Goodbye>().size(), 1u);
  EXPECT_TRUE(world.worker->gone());
}

}  // namespace
}  // namespace pawl
