// What a worker says of how far its tasks are.
#include <gtest/gtest.h>

#include "pawl/worker/test_world.h"
#include "pawl/worker/worker.h"

namespace pawl {
namespace {

TEST(WorkerProgress, EveryWordIsSaidInItsOrder) {
  World world(2);
  world.give({world.grant(0, 2)});
  const auto& started = world.processes.started;
  for (uint32_t i = 1; i <= 100; ++i) {
    world.processes.progress(started[0], 0, i);
    world.processes.progress(started[1], 1, i * 2);
    world.pass(Duration::milliseconds(5));
  }
  world.pass(Duration::milliseconds(100));
  auto batches = world.engine.take<Progress>();
  EXPECT_GE(batches.size(), 4u);
  EXPECT_LE(batches.size(), 7u) << "many travel together";
  uint64_t said[2] = {0, 0};
  for (const Progress& batch : batches) {
    for (const AttemptProgress& word : batch.items) {
      EXPECT_EQ(word.permille, ++said[word.task.item] * (word.task.item + 1));
    }
  }
  EXPECT_EQ(said[0], 100u);
  EXPECT_EQ(said[1], 100u);
  auto running = world.worker->running();
  ASSERT_EQ(running.size(), 2u);
  EXPECT_EQ(running[0].progress.at(0).permille, 100u);
}

TEST(WorkerProgress, WhatATaskSaidLastComesBeforeItsReport) {
  World world;
  world.give({world.grant(0, 1)});
  world.pass(Duration::milliseconds(100));
  world.engine.take<Progress>();
  Launch launch = world.processes.started.at(0);
  for (uint32_t i = 1; i <= 5; ++i) world.processes.progress(launch, 0, i * 200);
  world.processes.finish(launch);
  world.settle();
  ASSERT_EQ(world.reports().size(), 1u);
  std::vector<AttemptProgress> told = world.told();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told.back().permille, 1000u);
}

TEST(WorkerProgress, OfWordsThatCannotBeSaidTheOldestAreLeftOut) {
  World world;
  world.give({world.grant(0, 1)});
  world.pass(Duration::milliseconds(100));
  world.engine.take<Progress>();
  Launch launch = world.processes.started.at(0);
  for (uint32_t i = 1; i <= words_waiting_max + 10; ++i) world.processes.progress(launch, 0, i);
  world.pass(Duration::seconds(2));
  std::vector<AttemptProgress> told = world.told();
  ASSERT_GE(told.size(), words_waiting_max);
  EXPECT_EQ(told.front().permille, 11u);
  EXPECT_EQ(told.back().permille, words_waiting_max + 10);
  for (size_t i = 1; i < told.size(); ++i) EXPECT_LE(told[i - 1].permille, told[i].permille);
}

TEST(WorkerProgress, SaysHowManyAttemptsRunAndNotWhatIsQueued) {
  World world(2);
  world.give({world.grant(0, 6)});
  auto said = world.engine.take<Progress>();
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back().running, (std::vector{RunningAttempts{ExecutionId{1}, 0, 2}}));
  for (size_t done = 0; done < world.processes.started.size(); ++done) {
    world.processes.finish(Launch(world.processes.started[done]));
    world.settle();
  }
  EXPECT_EQ(world.processes.started.size(), 6u);
  world.pass(Duration::milliseconds(100));
  said = world.engine.take<Progress>();
  ASSERT_EQ(said.size(), 1u) << "slots that are filled again are nothing new";
  EXPECT_TRUE(said.back().running.empty());
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(world.engine.take<Progress>().empty());
}

}  // namespace
}  // namespace pawl
