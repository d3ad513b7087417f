#include "pawl/partition/stored.h"

#include <gtest/gtest.h>

#include "pawl/partition/snapshot.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

Limits keeping(uint64_t ended) {
  Limits limits;
  limits.ended_executions_kept_max = ended;
  return limits;
}

Workflow one_and_some() {
  Workflow workflow;
  workflow.name = "w";
  workflow.version = "1";
  for (std::string id : {"one", "some"}) {
    Node node;
    node.id = id;
    node.type = NodeType::function;
    node.function = "work";
    workflow.nodes.push_back(std::move(node));
  }
  workflow.nodes[1].needs = {0};
  workflow.nodes[1].for_each = make_expression(".input.list");
  return workflow;
}

// A rig in which everything that ended has left memory, but the newest `kept`.
struct Stored : testing::Test {
  explicit Stored(uint64_t kept = 0) : rig(keeping(kept)) {
    rig.worker(100, {"work"});
    workflow = rig.add(one_and_some());
  }
  ExecutionId run(std::string request = "", std::string name_space = default_namespace) {
    SubmitExecution submit;
    Bytes same = encode(*rig.state().workflows.at(workflow)->workflow);
    submit.workflow = WorkflowId{rig.command(RegisterWorkflow{same, name_space}).number};
    submit.name_space = std::move(name_space);
    submit.request_id = std::move(request);
    submit.payload_hash = {1, 1};
    submit.input = Payload::inline_json(R"({"list":[1,2]})");
    ExecutionId id{rig.command(submit).number};
    rig.succeed({id, 0, 0, 1}, {Payload::inline_json("7")});
    rig.succeed({id, 1, 0, 2}, {Payload::inline_json("\"a\""), Payload::inline_json("\"b\"")});
    return id;
  }
  std::vector<uint64_t> list(const ListExecutions& query) {
    std::vector<uint64_t> ids;
    auto found = std::get<ExecutionList>(rig.ask(query));
    for (const ExecutionSummary& e : found.executions) ids.push_back(e.id.value);
    return ids;
  }

  PartitionRig rig;
  WorkflowId workflow;
};

TEST_F(Stored, AnswersAreThoseOfMemory) {
  ExecutionId id = run();
  auto before = std::get<ExecutionDetail>(rig.ask(GetExecution{id}));
  Hash128 hash = state_hash(rig.state());
  rig.checkpoint();
  ASSERT_EQ(rig.state().executions.find(id), nullptr);
  EXPECT_EQ(state_hash(rig.state()), hash);
  auto after = std::get<ExecutionDetail>(rig.ask(GetExecution{id}));
  EXPECT_EQ(after.summary.status, ExecutionStatus::succeeded);
  EXPECT_EQ(after.output.text(), before.output.text());
  EXPECT_EQ(after.summary.tasks.succeeded, 3u);
  auto task = std::get<TaskDetail>(rig.ask(GetTask{id, "some", 1}));
  EXPECT_EQ(task.output->text(), "\"b\"");
  auto why = std::get<WhyList>(rig.ask(Explain{id, "", {}}));
  EXPECT_EQ(why.reasons.at(0).code, WhyCode::ended);
  rig.command(Tick{});
  EXPECT_EQ(state_hash(rig.state()), hash);
  EXPECT_EQ(rig.problem(), "");
}

TEST_F(Stored, CommandsAreRefusedForTheSameReason) {
  ExecutionId id = run();
  rig.checkpoint();
  EXPECT_EQ(rig.command(CancelExecution{id, "no"}).code, Code::failed_precondition);
  rig.checkpoint();
  EXPECT_EQ(rig.command(CancelTask{{id, 0, 0}, "no"}).code, Code::failed_precondition);
  EXPECT_EQ(rig.command(CancelExecution{ExecutionId{99}, "no"}).code, Code::not_found);
}

TEST_F(Stored, ARequestIdHasOneEffectAcrossEvictionAndRestart) {
  ExecutionId id = run("once");
  rig.checkpoint();
  EXPECT_TRUE(rig.state().requests.empty());
  EXPECT_EQ(run("once"), id);
  rig.checkpoint();
  rig.restart();
  EXPECT_EQ(rig.state().executions.size(), 0u);
  EXPECT_EQ(run("once"), id);
  SubmitExecution other;
  other.workflow = workflow;
  other.request_id = "once";
  rig.checkpoint();
  EXPECT_EQ(rig.command(other).code, Code::already_exists);
}

TEST_F(Stored, WhatIsForgottenIsNowhereFromThatMoment) {
  ExecutionId kept = run();
  ExecutionId id = run("once");
  rig.checkpoint();
  EXPECT_EQ(rig.command(ForgetExecution{id}).number, 1u);
  for (int stage = 0; stage < 3; ++stage) {
    auto gone = std::get<Error>(rig.ask(GetExecution{id}));
    EXPECT_EQ(gone.message, "e2 has been forgotten");
    EXPECT_EQ(list({{}, 100, {}}), std::vector<uint64_t>{kept.value});
    EXPECT_EQ(rig.command(CancelExecution{id, "no"}).code, Code::not_found);
    EXPECT_EQ(rig.command(ForgetExecution{id}).number, 0u);
    EXPECT_EQ(run("once"), id);
    EXPECT_EQ(rig.state().counts.forgotten, 1u);
    EXPECT_EQ(rig.problem(), "") << stage;
    if (stage == 0) rig.restart();
    if (stage == 1) rig.checkpoint();
  }
  EXPECT_TRUE(rig.state().forgotten.empty());
  EXPECT_TRUE(rig.state().requests.empty());
  rig.restart();
  EXPECT_EQ(run("once"), id);
}

TEST_F(Stored, RemovalsAreAskedForAgainUntilACheckpointHasTheForgetting) {
  ExecutionId id = run();
  rig.command(ForgetExecution{id});
  auto drops = [this] {
    std::vector<uint64_t> ids;
    for (const Effect& effect : rig.take_effects())
      if (const auto* drop = std::get_if<DropBelongings>(&effect))
        ids.push_back(drop->execution.value);
    return ids;
  };
  EXPECT_EQ(drops(), std::vector<uint64_t>{id.value});
  rig.restart();
  EXPECT_EQ(drops(), std::vector<uint64_t>{id.value});
  rig.checkpoint();
  rig.restart();
  EXPECT_TRUE(drops().empty());
}

struct StoredButTwo : Stored {
  StoredButTwo() : Stored(2) {}
};

TEST_F(StoredButTwo, ListsPageThroughMemoryAndView) {
  ExecutionId open = rig.submit(workflow, R"({"list":[]})");
  for (int i = 0; i < 6; ++i) run();
  rig.command(CancelExecution{run(), "late"});
  ExecutionId cancelled = rig.submit(workflow, R"({"list":[]})");
  rig.command(CancelExecution{cancelled, "enough"});
  rig.checkpoint();
  run();
  EXPECT_EQ(rig.state().executions.size(), 4u) << "open, two kept, one newer than the checkpoint";
  std::vector<uint64_t> all = list({{}, 100, {}});
  EXPECT_EQ(all, (std::vector<uint64_t>{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(list({{}, 3, {}}), (std::vector<uint64_t>{10, 9, 8}));
  EXPECT_EQ(list({ExecutionId{8}, 3, {}}), (std::vector<uint64_t>{7, 6, 5}));
  EXPECT_EQ(list({{}, 9, ExecutionStatus::cancelled}), (std::vector<uint64_t>{cancelled.value}));
  EXPECT_EQ(list({{}, 9, ExecutionStatus::running}), (std::vector<uint64_t>{open.value}));
  EXPECT_EQ(list({ExecutionId{6}, 2, ExecutionStatus::succeeded}), (std::vector<uint64_t>{5, 4}));
  rig.restart();
  EXPECT_EQ(list({{}, 100, {}}), all);
}

TEST_F(StoredButTwo, ARestartLoadsWhatIsOpenAndTheNewestThatEnded) {
  ExecutionId open = rig.submit(workflow, R"({"list":[1,2,3]})");
  rig.succeed({open, 0, 0, 1});
  rig.succeed({open, 1, 0, 2}, {Payload::inline_json("1"), Payload::inline_json("2")});
  for (int i = 0; i < 6; ++i) run();
  rig.checkpoint();
  Hash128 hash = state_hash(rig.state());
  std::string problem = rig.problem();
  EXPECT_EQ(problem, "");
  rig.restart();
  EXPECT_NE(state_hash(rig.state()), hash) << "the epoch is another one";
  EXPECT_EQ(rig.state().executions.size(), 3u);
  EXPECT_NE(rig.state().executions.find(ExecutionId{7}), nullptr);
  const ItemOutputs& outputs = *rig.state().executions.find(open)->nodes[1].work->mapped->outputs;
  EXPECT_EQ(outputs.get(1).text(), "2");
  EXPECT_EQ(rig.problem(), "");
}

TEST_F(Stored, AListAndAnOverviewAreOfOneNamespace) {
  for (int i = 0; i < 4; ++i) run("r", i % 2 ? "team-a" : "team-b" + std::to_string(i));
  run("", "team-a");
  rig.checkpoint();
  ASSERT_EQ(rig.state().executions.size(), 0u);
  run("", "team-a");
  auto list_of = [&](const std::string& name_space) {
    MapView& view = rig.view();
    std::vector<uint64_t> ids;
    auto found = std::get<ExecutionList>(list_executions(rig.state(), view, {}, name_space));
    for (const ExecutionSummary& e : found.executions) {
      ids.push_back(e.id.value);
      EXPECT_EQ(name_space.empty() ? e.name_space : name_space, e.name_space);
    }
    return ids;
  };
  EXPECT_EQ(list_of("team-a"), (std::vector<uint64_t>{5, 4, 2}));
  EXPECT_EQ(list_of("team-b0"), (std::vector<uint64_t>{1}));
  EXPECT_EQ(list_of("team-x"), (std::vector<uint64_t>{}));
  EXPECT_EQ(list_of("").size(), 5u);
  rig.restart();
  auto counts = std::get<Overview>(answer(rig.state(), GetOverview{}, "team-a")).counts;
  EXPECT_EQ(counts.submitted, 3u);
  EXPECT_EQ(counts.succeeded, 3u);
  EXPECT_EQ(std::get<Overview>(answer(rig.state(), GetOverview{}, "no")).counts.submitted, 0u);
  EXPECT_EQ(rig.problem(), "");
}

}  // namespace
}  // namespace pawl
