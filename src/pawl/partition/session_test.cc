#include <gtest/gtest.h>

#include "pawl/testing/scenario/partition_rig.h"

namespace pawl {
namespace {

TEST(Session, WhatAClosedOneLosesStandsInTheHistoryOfItsExecution) {
  PartitionRig rig;
  Workflow workflow;
  workflow.name = "w";
  Node node;
  node.id = "n";
  node.type = NodeType::function;
  node.function = "work";
  node.for_each = make_expression("6");
  workflow.nodes = {node};
  SessionId worker = rig.worker(4, {"work"});
  ExecutionId id = rig.submit(rig.add(std::move(workflow)));
  rig.succeed({id, 0, 1, 2});
  rig.command(CloseSession{worker, "the worker said goodbye"});
  std::vector<TaskRange> lost;
  for (const Event& event : rig.groups().back().events) {
    const auto* failed = std::get_if<AttemptFailed>(&event);
    if (failed == nullptr) continue;
    EXPECT_EQ(failed->kind, FailureKind::lost);
    EXPECT_EQ(failed->error, "the worker said goodbye");
    EXPECT_EQ(execution_of(event), id);
    lost.push_back(failed->range);
  }
  EXPECT_EQ(lost, (std::vector<TaskRange>{{id, 0, 0, 1}, {id, 0, 2, 4}, {id, 0, 4, 5}}));
  EXPECT_TRUE(rig.state().sessions.empty());
  auto task = std::get<TaskDetail>(rig.ask(GetTask{id, "n", 3}));
  EXPECT_EQ(task.failures, 0u) << "a lost worker says nothing about the task";
  EXPECT_EQ(task.status, TaskStatus::ready);
  EXPECT_EQ(rig.problem(), "");
}

// Of what it was granted it holds a part; of what it holds a part is its own no more.
TEST(Session, AResumedOneKeepsWhatItHoldsAndLosesTheRest) {
  PartitionRig rig;
  Workflow workflow;
  workflow.name = "w";
  Node node;
  node.id = "n";
  node.type = NodeType::function;
  node.function = "work";
  node.for_each = make_expression("6");
  workflow.nodes = {node};
  SessionId worker = rig.worker(6, {"work"});
  ExecutionId id = rig.submit(rig.add(std::move(workflow)));
  const OpenRange open = rig.state().executions.find(id)->nodes[0].work->open[0];
  ASSERT_EQ(open.span.end, 6u);
  rig.succeed({id, 0, 0, 1});
  rig.restart();
  Reply reply = rig.command(
      ResumeSession{worker, {{{id, 0, 0, 3}, 1, open.nonce}, {{id, 0, 4, 6}, 2, open.nonce}}});
  EXPECT_EQ(reply.code, Code::ok);
  EXPECT_EQ(reply.number, worker.value);
  std::vector<TaskRange> lost;
  for (const Event& event : rig.groups().back().events) {
    if (const auto* failed = std::get_if<AttemptFailed>(&event)) lost.push_back(failed->range);
  }
  EXPECT_EQ(lost, (std::vector<TaskRange>{{id, 0, 3, 6}})) << "another attempt is not this one";
  std::vector<TaskRange> stopped;
  bool welcomed = false;
  for (const Effect& effect : rig.take_effects()) {
    const auto* answer = std::get_if<Answer>(&effect);
    welcomed |= answer != nullptr && answer->reply.number == worker.value;
    const auto* stop = std::get_if<Stop>(&effect);
    if (stop == nullptr) continue;
    EXPECT_TRUE(welcomed) << "nobody knows yet where to send this";
    stopped.push_back(stop->attempts.range);
  }
  EXPECT_EQ(stopped, (std::vector<TaskRange>{{id, 0, 0, 1}, {id, 0, 4, 6}}));
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.command(ResumeSession{SessionId{99}, {}}).code, Code::not_found);
}

// Ids are numbered and can be guessed.
TEST(Session, OneIsResumedWithTheCertificateItWasOpenedWith) {
  for (bool checkpointed : {false, true}) {
    PartitionRig rig;
    WorkerSpec spec;
    spec.certificate = "pawl:worker/default/mine";
    SessionId worker{rig.command(OpenSession{spec}).number};
    if (checkpointed) rig.checkpoint();
    rig.restart();
    EXPECT_EQ(rig.command(ResumeSession{worker, {}, "pawl:worker/default/other"}).code,
              Code::permission_denied);
    EXPECT_EQ(rig.command(ResumeSession{worker, {}}).code, Code::permission_denied);
    EXPECT_EQ(rig.command(ResumeSession{worker, {}, spec.certificate}).code, Code::ok);
  }
}

// Whatever kills its worker each time must not be granted for ever.
TEST(Session, ATaskIsLostSoOftenAndNoMore) {
  PartitionRig rig;
  Workflow workflow;
  workflow.name = "w";
  Node node;
  node.id = "n";
  node.type = NodeType::function;
  node.function = "work";
  workflow.nodes = {node};
  ExecutionId id = rig.submit(rig.add(std::move(workflow)));
  auto status = [&] { return rig.state().executions.find(id)->status; };
  uint32_t lost = 0;
  for (; status() == ExecutionStatus::running && lost <= attempts_max; ++lost)
    rig.command(CloseSession{rig.worker(1, {"work"}), "it crashed"});
  EXPECT_EQ(lost, attempts_max);
  EXPECT_EQ(status(), ExecutionStatus::parked);
  auto task = std::get<TaskDetail>(rig.ask(GetTask{id, "n", 0}));
  EXPECT_EQ(task.status, TaskStatus::parked);
  ASSERT_TRUE(task.cause.has_value());
  EXPECT_EQ(task.cause->kind, FailureKind::lost);
  EXPECT_EQ(task.cause->error, "it crashed (attempts_max reached)");
  EXPECT_EQ(rig.problem(), "");
}

}  // namespace
}  // namespace pawl
