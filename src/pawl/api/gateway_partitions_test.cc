// A gateway before three partitions: clients see one server.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pawl/api/test_house.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

constexpr uint32_t three = 3;

struct PartitionsTest : testing::Test {
  PartitionsTest() { client->set_patience(Duration::seconds(20)); }

  std::vector<ExecutionId> submitted(size_t count, SubmitMany request) {
    for (size_t i = 0; i < count; ++i)
      request.inputs_json.push_back("{\"i\":" + std::to_string(i) + "}");
    std::vector<ExecutionId> ids;
    SubmittedMany many = client->submit_many(request).value();
    for (const SubmittedMany::One& one : many.executions) {
      EXPECT_FALSE(one.error.has_value()) << one.error->message;
      ids.push_back(one.execution);
    }
    return ids;
  }
  std::set<uint32_t> slots(const std::vector<ExecutionId>& ids) {
    std::set<uint32_t> found;
    for (ExecutionId id : ids) found.insert(slot_of(id, three));
    return found;
  }
  // Once nothing of it moves any more.
  std::string outcome(ExecutionId id) {
    Result<Settlement> settled = client->await(id);
    return settled.ok() ? name(settled->status) : to_text(id) + ": " + settled.error().message;
  }
  void restart_gateway() {
    client.reset();
    house.open_gateway({});
    client.emplace(*house.gateway, house.loop);
    client->set_patience(Duration::seconds(20));
  }

  House house{{.directory = "/state"}, three};
  std::optional<LocalClient> client{std::in_place, *house.gateway, house.loop};
};

TEST_F(PartitionsTest, WorkIsSharedOutAndShownTogether) {
  std::vector<ExecutionId> ids = submitted(9, {one_node, "f"});
  EXPECT_EQ(slots(ids).size(), three);
  EXPECT_EQ(std::set<ExecutionId>(ids.begin(), ids.end()).size(), 9u);
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(outcome(ids[i]), "succeeded");
    ExecutionDetail detail = client->execution(ids[i]).value();
    EXPECT_EQ(detail.summary.id, ids[i]);
    EXPECT_EQ(detail.input.text(), "{\"i\":" + std::to_string(i) + "}");
    EXPECT_EQ(client->task({ids[i], "work", 0}).value().task.execution, ids[i]);
    EXPECT_FALSE(client->history(ids[i]).value().entries.empty());
  }
  Overview overview = client->overview().value();
  EXPECT_EQ(overview.counts.succeeded, 9u);
  EXPECT_EQ(overview.workers, 1u);
  EXPECT_EQ(client->execution(ExecutionId{99}).error().code, Code::not_found);
}

TEST_F(PartitionsTest, ListsGoThroughAllPartitionsPageByPage) {
  std::vector<ExecutionId> ids = submitted(20, {one_node, "f"});
  std::vector<ExecutionId> seen;
  for (ExecutionId before;;) {
    ExecutionList page = client->executions({before, 7, {}}).value();
    for (const ExecutionSummary& one : page.executions) seen.push_back(one.id);
    if (page.executions.size() < 7) break;
    before = seen.back();
  }
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));
  EXPECT_EQ(std::set<ExecutionId>(seen.begin(), seen.end()),
            std::set<ExecutionId>(ids.begin(), ids.end()));
  EXPECT_EQ(seen.size(), 20u);
}

TEST_F(PartitionsTest, ARequestIdHasOneEffectAlsoBehindANewGateway) {
  std::vector<ExecutionId> first = submitted(12, {one_node, "f", {}, "batch"});
  EXPECT_EQ(slots(first).size(), three);
  EXPECT_EQ(submitted(12, {one_node, "f", {}, "batch"}), first);
  restart_gateway();
  EXPECT_EQ(submitted(12, {one_node, "f", {}, "batch"}), first);
  SubmitMany named;
  named.workflow = "one";
  named.request_id = "batch";
  restart_gateway();
  EXPECT_EQ(submitted(12, named), first);
  EXPECT_EQ(client->overview().value().counts.submitted, 12u);
}

// In each partition they have other numbers.
TEST_F(PartitionsTest, WorkflowsAreSubmittedByTheirNamesAfterARestart) {
  auto text = [](std::string name) { return "name: " + name + "\nnodes:\n  a: {run: ls}\n"; };
  auto id_of = [&](std::string name) {
    return client->ask_as<WorkflowDetail>(GetWorkflow{std::move(name)}).value().id;
  };
  // One that only the first partition knows, as if the process had ended while it was registered.
  Workflow stray;
  stray.name = "stray";
  stray.nodes.resize(1);
  stray.nodes[0].id = "a";
  ASSERT_TRUE(finish(stray).ok());
  house.engines[0]->engine->put({0, Command{RegisterWorkflow{encode(stray)}}});
  for (const char* name : {"first", "second"})
    ASSERT_TRUE(client->ask_as<Registered>(RegisterDefinition{text(name), "f"}).ok());
  EXPECT_EQ(id_of("second").value, 3u);
  restart_gateway();
  for (const char* name : {"second", "stray", "first"}) {
    SubmitMany named;
    named.workflow = name;
    for (ExecutionId id : submitted(6, named)) {
      EXPECT_EQ(client->execution(id).value().summary.workflow, name);
      History history = client->history(id).value();
      EXPECT_EQ(std::get<ExecutionSubmitted>(history.entries.at(0).event).workflow, id_of(name));
    }
  }
  EXPECT_EQ(client->ask_as<WorkflowList>(ListWorkflows{}).value().workflows.size(), 3u);
}

TEST_F(PartitionsTest, ARunIsAnsweredWithItsResult) {
  for (int i = 0; i < 4; ++i) {
    ExecutionDetail detail = client->ask_as<ExecutionDetail>(RunRequest{{one_node, "f"}}).value();
    EXPECT_EQ(detail.summary.status, ExecutionStatus::succeeded);
  }
  house.executor.holding = true;
  struct Taken final : Sink<CallAnswer> {
    void put(CallAnswer answer) override { answers.push_back(std::move(answer)); }
    std::vector<CallAnswer> answers;
  } taken;
  for (size_t i = 0; i < three; ++i) {
    uint64_t call = house.gateway->call({i, RunRequest{{one_node, "f"}}}, taken);
    while (client->overview().value().counts.submitted < 5 + i) continue;
    EXPECT_EQ(taken.answers.size(), i);
    house.gateway->stop_waiting(call);
    while (taken.answers.size() == i) client->pump(Duration::milliseconds(100));
    const auto& shown = std::get<ExecutionDetail>(taken.answers[i].result);
    EXPECT_EQ(shown.summary.status, ExecutionStatus::running);
    EXPECT_EQ(house.gateway->open_calls(), 0u);
  }
}

TEST_F(PartitionsTest, LargeInputsBelongToTheirExecutions) {
  std::string large = R"({"x":")" + std::string(100'000, 'x') + "\"}";
  std::set<ExecutionId> owners;
  for (int i = 0; i < 4; ++i) {
    ExecutionId id = client->submit({one_node, "f", large}).value();
    EXPECT_EQ(client->execution(id).value().input.ref().owner, id);
    EXPECT_EQ(client->text(client->execution(id).value().input).value(), large);
    owners.insert(id);
  }
  std::vector<ExecutionId> kept = house.blob.owners().value();
  EXPECT_EQ(std::set<ExecutionId>(kept.begin(), kept.end()), owners);
}

TEST_F(PartitionsTest, DeadLettersOfAllAreListedAndRedriven) {
  house.executor.failures = 1;
  std::vector<ExecutionId> ids = submitted(6, {one_node, "f"});
  for (ExecutionId id : ids) EXPECT_EQ(outcome(id), "parked");
  EXPECT_EQ(client->dead_letters().value().letters.size(), 6u);
  EXPECT_EQ(client->dead_letters({{}, 4}).value().letters.size(), 4u);
  EXPECT_EQ(client->overview().value().parked, 6u);
  for (ExecutionId id : ids) {
    EXPECT_EQ(client->dead_letters({id}).value().letters.size(), 1u);
    EXPECT_EQ(client->redrive({id, "work", {}}).value(), 1u);
    EXPECT_EQ(outcome(id), "succeeded");
    EXPECT_EQ(client->forget_execution(id).value(), 1u);
  }
  EXPECT_EQ(client->executions().value().executions.size(), 0u);
}

TEST_F(PartitionsTest, QueuesWorkersAndFiguresAreThoseOfTheServer) {
  house.executor.holding = true;
  ConfigureQueue configure;
  configure.name = "default";
  configure.rate_permille = 1'000'000;
  configure.burst = 100;
  EXPECT_EQ(client->ask_as<Changed>(configure).value().count, 1u);
  submitted(3, {one_node, "f"});
  QueueList queues;
  do queues = client->ask_as<QueueList>(ListQueues{}).value();
  while (queues.queues.empty() || queues.queues[0].granted < 3);
  ASSERT_EQ(queues.queues.size(), 1u);
  EXPECT_EQ(queues.queues[0].spec.rate_permille, 1'000'000u);
  EXPECT_EQ(queues.queues[0].spec.burst, 100u);
  EXPECT_EQ(queues.queues[0].granted, 3u);
  EXPECT_EQ(queues.queues[0].workers, 1u);
  WorkerList workers = client->ask_as<WorkerList>(ListWorkers{}).value();
  ASSERT_EQ(workers.workers.size(), 1u);
  EXPECT_EQ(workers.workers[0].outstanding, 3u);
  std::string page = client->ask_as<MetricsPage>(GetMetrics{}).value().text;
  EXPECT_NE(page.find("\npawl_tasks_granted_total{reason=\"only\"} 3\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("\npawl_executions_submitted_total 3\n"), std::string::npos) << page;
  configure.burst = 0;
  EXPECT_EQ(client->ask_as<Changed>(configure).error().code, Code::invalid_argument);
}

TEST_F(PartitionsTest, OneThatHasStoppedIsSaidAndTheOthersGoOn) {
  submitted(6, {one_node, "f"});
  EXPECT_EQ(client->server().value().unready, "");
  SimDisk& disk = house.engines[1]->disk;
  disk.plan(disk.calls() + 1, SimFault::io_error);
  size_t lost = 0;
  for (int i = 0; i < 3; ++i) {
    Result<ExecutionId> id = client->submit({one_node, "f"});
    if (id.ok()) {
      EXPECT_EQ(outcome(*id), "succeeded");
    } else {
      EXPECT_EQ(id.error().code, Code::unknown);
      ++lost;
    }
  }
  EXPECT_EQ(lost, 1u);
  EXPECT_EQ(client->overview().error().code, Code::unknown);
  EXPECT_NE(client->server().value().unready.find("has stopped"), std::string::npos);
  EXPECT_TRUE(client->ask_as<MetricsPage>(GetMetrics{}).ok());
  EXPECT_TRUE(client->execution(ExecutionId{1}).ok());
  EXPECT_EQ(client->execution(ExecutionId{2}).error().code, Code::unknown);
}

}  // namespace
}  // namespace pawl
