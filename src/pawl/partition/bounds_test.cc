// What one workflow, worker or report may cost: bounds that clients of good or bad faith run into.
#include <gtest/gtest.h>

#include <numeric>

#include "pawl/partition/held_bytes.h"
#include "pawl/testing/scenario/partition_rig.h"

namespace pawl {
namespace {

Node function_node(std::string id) {
  Node node;
  node.id = std::move(id);
  node.type = NodeType::function;
  node.function = "work";
  return node;
}

Workflow mapped(uint32_t items) {
  Workflow workflow;
  workflow.name = "mapped";
  workflow.nodes = {function_node("n")};
  workflow.nodes[0].for_each = make_expression(std::to_string(items));
  return workflow;
}

template <class Kind>
std::vector<TaskRange> ranges_of(const Group& group) {
  std::vector<TaskRange> found;
  for (const Event& event : group.events)
    if (const auto* one = std::get_if<Kind>(&event)) found.push_back(one->range);
  return found;
}

// A chain in which every node may look at all before it: spelled out, that would be the square of its nodes.
TEST(Bounds, APlanIsNoLargerThanItsWorkflow) {
  constexpr NodeIndex count = 3000;
  Workflow workflow;
  workflow.name = "chain";
  for (NodeIndex i = 0; i < count; ++i) {
    workflow.nodes.push_back(function_node("n" + std::to_string(i)));
    workflow.nodes[i].with = {{{"", make_expression(".nodes | length")}}};
    if (i > 0) workflow.nodes[i].needs = {i - 1};
  }
  PartitionRig rig;
  const Plan& plan = *rig.state().workflows.at(rig.add(std::move(workflow)));
  size_t named = std::accumulate(
      plan.reads.begin(), plan.reads.end(), size_t{0},
      [](size_t sum, const NodeReads& reads) { return sum + reads.nodes.capacity(); });
  EXPECT_EQ(named, 0u);
  std::vector<NodeIndex> all(count - 1);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(reads_of(plan, count - 1), all);
}

TEST(Bounds, SlotsThatNoWorkerHasAreRefused) {
  PartitionRig rig;
  WorkerSpec worker;
  worker.name = "w";
  worker.credit = 16;
  for (uint32_t slots : {0u, UINT32_MAX}) {
    worker.slots = slots;
    EXPECT_EQ(rig.command(OpenSession{worker}).code, Code::invalid_argument) << slots;
  }
  worker.slots = 1;
  EXPECT_EQ(rig.command(OpenSession{worker}).code, Code::ok);
}

// Where it is registered, offered and configured a queue's name is the same rule's.
TEST(Bounds, AQueueThatNoWorkflowCanNameIsNotConfigured) {
  PartitionRig rig;
  for (const char* name : {"", "q x", "a\"\nb"}) {
    ConfigureQueue change;
    change.name = name;
    change.concurrency_max = 1;
    EXPECT_EQ(rig.command(change).code, Code::invalid_argument) << name;
  }
  ConfigureQueue change;
  change.name = "gpu_1.eu-1";
  EXPECT_EQ(rig.command(change).code, Code::ok);
}

// One that is wrong costs itself; what is right around it stays together.
TEST(Bounds, ABadOutputInALongReportIsOneFailure) {
  constexpr ItemIndex items = 4096;
  PartitionRig rig;
  rig.worker(items, {"work"});
  ExecutionId id = rig.submit(rig.add(mapped(items)));
  std::vector<Payload> outputs(items, Payload::inline_json("1"));
  outputs[1234] = Payload::inline_json("not JSON");
  ASSERT_EQ(rig.open({id, 0, 0, items}).size(), 1u);
  EXPECT_EQ(rig.succeed({id, 0, 0, items}, outputs).code, Code::ok);
  EXPECT_EQ(ranges_of<AttemptFailed>(rig.groups().back()),
            (std::vector<TaskRange>{{id, 0, 1234, 1235}}));
  std::vector<TaskRange> good = ranges_of<AttemptsSucceeded>(rig.groups().back());
  EXPECT_LE(good.size(), 12u);  // a cut for each half
  uint64_t sum = 0;
  for (const TaskRange& range : good) sum += range.size();
  EXPECT_EQ(sum, items - 1);
  EXPECT_EQ(rig.problem(), "");
}

// All that a cut network takes, in one tick.
TEST(Bounds, ManyLeasesThatEndTogetherLoseEachItsOwn) {
  PartitionRig rig;
  for (int i = 0; i < 20; ++i) rig.worker(3, {"work"});
  ExecutionId id = rig.submit(rig.add(mapped(60)));
  ASSERT_EQ(rig.open({id, 0, 0, 60}).size(), 20u);
  rig.succeed({id, 0, 7, 8});
  rig.advance(Duration::hours(2000));
  EXPECT_TRUE(rig.state().sessions.empty());
  uint64_t lost = 0;
  for (const TaskRange& range : ranges_of<AttemptFailed>(rig.groups().back())) lost += range.size();
  EXPECT_EQ(lost, 59u);
  EXPECT_EQ(std::get<ExecutionDetail>(rig.ask(GetExecution{id})).nodes[0].tasks.ready, 59u);
  EXPECT_EQ(rig.problem(), "");
}

TEST(Bounds, TextsOfFailuresCountAsMemory) {
  PartitionRig rig;
  rig.worker(100, {"work"});
  Workflow workflow = mapped(100);
  ExecutionId id = rig.submit(rig.add(std::move(workflow)));
  const uint64_t before = rig.state().open_bytes;
  for (ItemIndex item = 0; item < 100; ++item)
    rig.fail({id, 0, item, item + 1}, FailureKind::function, 1, std::string(1000, 'e'));
  EXPECT_GE(rig.state().open_bytes, before + 100 * 1000);
  EXPECT_EQ(rig.problem(), "");
  rig.command(DiscardDeadLetters{id});
  EXPECT_EQ(rig.state().open_bytes, 0u);
}

// Outputs of what has ended stay for a while, but not without bound; they can be had from the view.
TEST(Bounds, EndedExecutionsKeepSoMuchAndNoMore) {
  Limits limits;
  limits.open_bytes_max = 4 << 20;
  PartitionRig rig(limits);
  rig.worker(100, {"work"});
  WorkflowId workflow = rig.add(mapped(10));
  const std::vector<Payload> outputs(10,
                                     Payload::inline_json("\"" + std::string(6'000, 'x') + "\""));
  std::vector<ExecutionId> ids;
  for (int i = 0; i < 40; ++i) {
    ids.push_back(rig.submit(workflow));
    rig.succeed({ids.back(), 0, 0, 10}, outputs);
    ASSERT_TRUE(rig.state().executions.find(ids.back())->ended_already());
    rig.checkpoint();
  }
  auto kept = [&] {
    uint64_t bytes = 0;
    for (ExecutionId id : ids)
      if (const Execution* one = rig.state().executions.find(id)) bytes += held_bytes(*one);
    return bytes;
  };
  EXPECT_LE(kept(), limits.open_bytes_max / 4);
  EXPECT_NE(rig.state().executions.find(ids.back()), nullptr);
  rig.restart();
  EXPECT_LE(kept(), limits.open_bytes_max / 4 + (200 << 10)) << "one more than fits, at most";
  EXPECT_NE(rig.state().executions.find(ids.back()), nullptr) << "the newest come first";
  for (ExecutionId id : {ids.front(), ids.back()}) {
    auto task = std::get<TaskDetail>(rig.ask(GetTask{id, "n", 9}));
    EXPECT_EQ(task.output, outputs[9]);
  }
  EXPECT_EQ(rig.problem(), "");
}

}  // namespace
}  // namespace pawl
