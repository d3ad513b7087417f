#include "pawl/engine/engine.h"

#include <gtest/gtest.h>

#include "pawl/engine/test_process.h"
#include "pawl/partition/snapshot.h"

namespace pawl {
namespace {

Node node_of(std::string id, std::vector<NodeIndex> needs, std::string for_each = "") {
  Node node;
  node.id = std::move(id);
  node.needs = std::move(needs);
  node.process.argv.push_back({{{"true", {}}}});
  if (!for_each.empty()) node.for_each = make_expression(std::move(for_each));
  return node;
}

Workflow two_steps() {
  Workflow workflow;
  workflow.name = "two";
  workflow.nodes = {node_of("list", {}), node_of("each", {0}, "[range(300)]")};
  return workflow;
}

TEST(Engine, RunsAWorkflowFromSubmitToOutput) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  ExecutionId id = p.submit(two_steps());
  EXPECT_EQ(p.execution(id).status, ExecutionStatus::succeeded);
  EXPECT_EQ(p.executor.calls, 301u);
  std::string output = p.execution(id).output.text();
  EXPECT_EQ(output.substr(0, 16), R"({"each":[0,1,2,3)");
  EXPECT_TRUE(p.engine->idle());
}

// Small or large, in the log or in the blob store: a node that was skipped is null.
TEST(Engine, ALargeResultHasTheShapeOfASmallOne) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  Workflow workflow;
  workflow.name = "large";
  workflow.nodes = {node_of("a", {}), node_of("skipped", {}), node_of("b", {})};
  workflow.nodes[1].when = make_expression(".input.no");
  p.executor.output = "\"" + std::string(payload_inline_max * 2 / 3, 'x') + "\"";
  ExecutionId id = p.submit(workflow);
  ASSERT_TRUE(p.execution(id).output.is_blob());
  auto output = m.blob.get(p.execution(id).output.ref());
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(*output,
            "{\"a\":" + p.executor.output + ",\"skipped\":null,\"b\":" + p.executor.output + "}");
}

TEST(Engine, AnswersOnlyWhatIsDurableAndFindsItAgain) {
  Machine m;
  ExecutionId id;
  Hash128 before;
  {
    Process p(m.disk, m.view, m.blob, m.clock);
    id = p.submit(two_steps(), "once");
    before = p.execution(id).payload_hash;
    m.disk.crash();
  }
  m.disk.restart();
  m.view.crash(MapView::InFlight::lost);
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  EXPECT_EQ(p.execution(id).status, ExecutionStatus::succeeded);
  EXPECT_EQ(p.submit(two_steps(), "once"), id);
  EXPECT_EQ(p.executor.calls, 0u);
}

TEST(Engine, CheckpointsTrimTheLogAndHistoryStaysWhole) {
  Machine m;
  ExecutionId id;
  size_t events = 0;
  {
    Process p(m.disk, m.view, m.blob, m.clock, 2000);
    for (int i = 0; i < 20; ++i) {
      id = p.submit(two_steps());
      m.view.complete_one();
      p.loop.run_until_idle();
    }
    EXPECT_GT(m.view.position(), 0u);
    p.clients.values.clear();
    p.engine->put({7, ReadHistory{id}});
    p.loop.run_until_idle();
    events = std::get<History>(p.clients.values.at(0).what).entries.size();
    EXPECT_GT(events, 4u);
    m.disk.crash();
  }
  m.disk.restart();
  m.view.crash(MapView::InFlight::lost);
  Process p(m.disk, m.view, m.blob, m.clock);
  p.engine->put({7, ReadHistory{id}});
  p.loop.run_until_idle();
  EXPECT_EQ(std::get<History>(p.clients.values.at(0).what).entries.size(), events);
  EXPECT_EQ(inconsistency(p.engine->partition().state()), "");
}

// Events of the view and of the memory, page by page: each once, in order.
TEST(Engine, AHistoryIsReadFromAnyPlaceOn) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock, 2000);
  ExecutionId id = p.submit(two_steps());
  for (int i = 0; i < 20; ++i) {
    p.submit(two_steps());
    m.view.complete_one();
    p.loop.run_until_idle();
  }
  ASSERT_GT(m.view.position(), 0u);
  auto read = [&](ReadHistory query) {
    p.clients.values.clear();
    p.engine->put({7, query});
    p.loop.run_until_idle();
    return std::move(std::get<History>(p.clients.values.at(0).what).entries);
  };
  for (ExecutionId one : {id, ExecutionId{id.value + 20}}) {
    std::vector<HistoryEntry> all = read({one});
    ASSERT_GT(all.size(), 4u);
    ReadHistory query{one, 1};
    for (const HistoryEntry& entry : all) {
      std::vector<HistoryEntry> page = read(query);
      ASSERT_EQ(page.size(), 1u);
      EXPECT_EQ(page[0].place(), entry.place());
      EXPECT_GT(page[0].place(), query.after);
      query.after = page[0].place();
    }
    EXPECT_TRUE(read(query).empty());
    query.wait = true;  // it has ended: there is nothing to wait for
    EXPECT_TRUE(read(query).empty());
  }
}

TEST(Engine, WhoeverWaitsForAHistoryIsAnsweredOnceItGoesOn) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  p.executor.holds = true;
  ExecutionId id = p.submit(two_steps());
  p.clients.values.clear();
  p.engine->put({7, ReadHistory{id}});
  while (p.clients.values.empty()) p.loop.run_until_idle();
  HistoryPlace last = std::get<History>(p.clients.values.at(0).what).entries.back().place();
  p.clients.values.clear();
  p.engine->put({8, ReadHistory{id, 100, last, true}});
  p.engine->put({9, ReadHistory{id, 100, last, true}});
  p.loop.run_until_idle();
  EXPECT_TRUE(p.clients.values.empty());
  p.engine->put({0, StopWaiting{9}});
  while (p.clients.values.empty()) p.loop.run_until_idle();
  ASSERT_EQ(p.clients.values.size(), 1u);
  EXPECT_EQ(p.clients.values[0].ticket, 9u);
  EXPECT_TRUE(std::get<History>(p.clients.values[0].what).entries.empty());
  p.clients.values.clear();
  p.engine->put({1, CancelExecution{id, "enough"}});
  while (p.clients.values.size() < 2) p.loop.run_until_idle();
  std::vector<HistoryEntry> rest;
  for (Response& response : p.clients.values) {
    if (response.ticket == 8) rest = std::get<History>(response.what).entries;
  }
  ASSERT_FALSE(rest.empty());
  EXPECT_GT(rest.front().place(), last);
}

TEST(Engine, ARunThatNobodyWaitsForAnyMoreIsNamed) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  ExecutionId first = p.submit(two_steps());
  p.executor.holds = true;
  SubmitExecution submit;
  submit.workflow = p.execution(first).plan->id;
  submit.input = Payload::inline_json("{}");
  p.clients.values.clear();
  p.engine->put({5, RunExecution{submit}});
  p.loop.run_until_idle();
  EXPECT_TRUE(p.clients.values.empty());
  p.engine->put({0, StopWaiting{5}});
  p.engine->put({0, StopWaiting{5}});  // and again: there is nobody left
  p.engine->put({6, RunExecution{submit}});
  p.engine->put({0, StopWaiting{6}});  // before it is durable
  while (p.clients.values.size() < 2) p.loop.run_until_idle();
  ASSERT_EQ(p.clients.values.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const auto& reply = std::get<Reply>(p.clients.values[i].what);
    EXPECT_EQ(reply.code, Code::ok);
    EXPECT_EQ(reply.number, first.value + 1 + i);
  }
}

TEST(Engine, AGroupTakesNoMoreRequestsOnceItIsLarge) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  Workflow workflow;
  workflow.name = "one";
  workflow.nodes = {node_of("only", {})};
  ExecutionId first = p.submit(workflow);
  SubmitExecution submit;
  submit.workflow = p.execution(first).plan->id;
  submit.input = Payload::inline_json("{\"text\":\"" + std::string(60'000, 'x') + "\"}");
  uint64_t count = Limits{}.group_bytes_max / submit.input.size() + 10;
  for (uint64_t i = 0; i < count; ++i) p.engine->put({i + 2, submit});
  p.loop.run_until_idle();
  auto submitted_at = [&](uint64_t execution) {
    p.clients.values.clear();
    p.engine->put({1, ReadHistory{ExecutionId{execution}}});
    p.loop.run_until_idle();
    return std::get<History>(p.clients.values.at(0).what).entries.at(0).position;
  };
  EXPECT_EQ(submitted_at(first.value + 1), submitted_at(first.value + count - 10));
  EXPECT_EQ(submitted_at(first.value + 1) + 1, submitted_at(first.value + count));
}

// What workers report fills a group as requests do: a group beyond the log's limit would be the end of the process,
// and the workers would report the same to the next one.
TEST(Engine, AGroupTakesNoMoreReportsOnceItIsLarge) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  struct Other {
    Other(Process& p, Address address) : news(p.loop), executor(news) {
      WorkerOptions options;
      options.address = address;
      options.spec.slots = 2;
      options.spec.credit = 128;
      options.spec.lease = Duration::forever();
      worker = std::make_unique<Worker>(options, Executors{{NodeType::process, &executor}}, p.clock,
                                        p.loop, p.transport, news, p.telemetry);
    }
    Mailbox<ExecutorNews> news;
    CountingExecutor executor;
    std::unique_ptr<Worker> worker;
  };
  std::vector<std::unique_ptr<Other>> others;
  for (Address address = 3; address < 6; ++address)
    others.push_back(std::make_unique<Other>(p, address));
  const std::string output = '"' + std::string(64'000, 'x') + '"';
  p.executor.output = output;
  for (auto& other : others) other->executor.output = output;
  p.loop.run_until_idle();
  Workflow workflow;
  workflow.name = "large";
  workflow.nodes = {node_of("each", {}, "[range(512)]")};
  ExecutionId id = p.submit(workflow);
  for (int i = 0; i < 100 && p.execution(id).status != ExecutionStatus::succeeded; ++i)
    p.settle(m.disk);
  EXPECT_EQ(p.execution(id).status, ExecutionStatus::succeeded);
  auto reader = p.log->read(1);
  ASSERT_TRUE(reader.ok());
  size_t largest = 0;
  for (auto group = (*reader)->next(); group.ok() && *group; group = (*reader)->next())
    largest = std::max(largest, (*group)->payload.size());
  EXPECT_GT(largest, body_bytes_full / 2) << "not much came together";
  EXPECT_LT(largest, Limits{}.group_bytes_max + body_bytes_full + payload_inline_max);
}

TEST(Engine, EndedExecutionsLeaveMemoryAndStillAnswer) {
  Machine m;
  ExecutionId first;
  {
    Process p(m.disk, m.view, m.blob, m.clock, 2000, 1);
    for (int i = 0; i < 10; ++i) {
      ExecutionId id = p.submit(two_steps(), "request " + std::to_string(i));
      if (i == 0) first = id;
      m.view.complete_one();
      p.loop.run_until_idle();
    }
    EXPECT_LE(p.engine->partition().state().executions.size(), 4u);
    EXPECT_EQ(p.submit(two_steps(), "request 0"), first);
    EXPECT_EQ(p.ask(CancelExecution{first, "late"}).code, Code::failed_precondition);
    m.disk.crash();
  }
  m.disk.restart();
  m.view.crash(MapView::InFlight::lost);
  Process p(m.disk, m.view, m.blob, m.clock, 2000, 1);
  p.loop.run_until_idle();
  EXPECT_EQ(p.submit(two_steps(), "request 0"), first);
  p.clients.values.clear();
  p.engine->put({7, AwaitExecution{first}});
  p.engine->put({8, Query{GetExecution{first}}});
  p.engine->put({9, Query{ListExecutions{}}});
  p.loop.run_until_idle();
  EXPECT_EQ(p.execution_count(), 10u);
  ASSERT_EQ(p.clients.values.size(), 3u);
  for (Response& response : p.clients.values) {
    if (response.ticket == 7) {
      EXPECT_EQ(std::get<Reply>(response.what).message, "succeeded");
    }
    if (response.ticket == 7) continue;
    auto& result = std::get<QueryResult>(response.what);
    if (response.ticket == 8) {
      EXPECT_EQ(std::get<ExecutionDetail>(result).nodes.size(), 2u);
    }
    if (response.ticket == 9) {
      EXPECT_EQ(std::get<ExecutionList>(result).executions.size(), 10u);
    }
  }
}

TEST(Engine, FailedWriteStopsItAndLeavesNobodyWaiting) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  m.disk.plan(m.disk.calls() + 1, SimFault::io_error);
  Workflow w = two_steps();
  ASSERT_TRUE(finish(w).ok());
  EXPECT_EQ(p.ask(RegisterWorkflow{encode(w)}).code, Code::unknown);
  EXPECT_TRUE(p.engine->failure().has_value());
  EXPECT_EQ(p.ask(RegisterWorkflow{encode(w)}).code, Code::unknown);
}

// A checkpoint of another time or place must not be taken for the beginning of this log.
TEST(Engine, ACheckpointThatTheLogDoesNotReachIsRefused) {
  Machine m;
  Machine other;
  {
    constexpr uint64_t often = 2000;
    Process p(m.disk, m.view, m.blob, m.clock, often);
    for (int i = 0; i < 20; ++i) {
      p.submit(two_steps());
      m.view.complete_one();
      p.loop.run_until_idle();
    }
  }
  m.view.crash(MapView::InFlight::lost);
  ASSERT_GT(m.view.position(), 10u);
  { Process p(other.disk, other.view, other.blob, other.clock); }
  Process p(other.disk, m.view, other.blob, other.clock, 0, 1000, Code::data_loss);
  EXPECT_NE(p.refusal.message.find("do not belong together"), std::string::npos)
      << p.refusal.message;
}

// New work is refused, but what was accepted before the disk filled up gets the answer that it had.
TEST(Engine, AFullDiskStillAnswersARepeatedRequest) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock, 0, 1000, Code::ok, 1 << 20);
  ExecutionId id = p.submit(two_steps(), "once");
  constexpr uint64_t large = 1 << 30;
  m.disk.set_capacity(large);
  m.disk.set_capacity(large - m.disk.free_bytes().value() + (1 << 19));
  m.clock.now = m.clock.now + Duration::seconds(10);
  Workflow known = two_steps();
  ASSERT_TRUE(finish(known).ok());
  Reply registered = p.ask(RegisterWorkflow{encode(known)});
  ASSERT_EQ(registered.code, Code::ok) << registered.message;
  Workflow other = two_steps();
  other.name = "other";
  ASSERT_TRUE(finish(other).ok());
  EXPECT_EQ(p.ask(RegisterWorkflow{encode(other)}).code, Code::resource_exhausted);
  SubmitExecution submit;
  submit.workflow = WorkflowId{registered.number};
  submit.input = Payload::inline_json("{}");
  EXPECT_EQ(p.ask(submit).code, Code::resource_exhausted);
  submit.request_id = "once";
  Reply again = p.ask(submit);
  EXPECT_EQ(again.code, Code::ok) << again.message;
  EXPECT_EQ(again.number, id.value);
  // As long again as it has lasted, and up to a quarter more; a tenth of a second at first, at most a minute.
  auto refused = [&](Duration at_least, Duration at_most) {
    submit.request_id = "";
    Reply reply = p.ask(submit);
    EXPECT_EQ(reply.code, Code::resource_exhausted);
    EXPECT_GE(reply.retry_after, at_least);
    EXPECT_LE(reply.retry_after, at_most);
    EXPECT_NE(reply.message.find("; try again in "), std::string::npos) << reply.message;
  };
  refused(Duration::milliseconds(100), Duration::milliseconds(125));
  m.clock.now = m.clock.now + Duration::seconds(4);
  refused(Duration::seconds(4), Duration::seconds(5));
  m.clock.now = m.clock.now + Duration::minutes(10);
  refused(Duration::minutes(1), Duration::minutes(1));
  auto told = [&](const std::string& words) {
    return std::count_if(
        p.telemetry.lines.begin(), p.telemetry.lines.end(),
        [&](const std::string& line) { return line.find(words) != std::string::npos; });
  };
  EXPECT_EQ(told("almost full"), 1);
  EXPECT_EQ(told("has room again"), 0);
  m.disk.set_capacity(large);
  m.clock.now = m.clock.now + Duration::seconds(10);
  submit.request_id = "";
  EXPECT_EQ(p.ask(submit).code, Code::ok);
  EXPECT_EQ(told("almost full"), 1);
  EXPECT_EQ(told("has room again"), 1);
  m.disk.set_capacity(large - m.disk.free_bytes().value() + (1 << 19));
  m.clock.now = m.clock.now + Duration::seconds(10);
  refused(Duration::milliseconds(100), Duration::milliseconds(125));
}

// Whoever waits is not told of a parking that is over before it could be told of.
TEST(Engine, ParkedAndRedrivenInOneGroupIsNotSettled) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  p.executor.failures = 1;
  Workflow w;
  w.name = "one";
  w.nodes = {node_of("a", {})};
  ASSERT_TRUE(finish(w).ok());
  Reply registered = p.ask(RegisterWorkflow{encode(w)});
  SubmitExecution submit;
  submit.workflow = WorkflowId{registered.number};
  submit.input = Payload::inline_json("{}");
  p.clients.values.clear();
  constexpr ExecutionId id{1};
  p.engine->put({1, submit});
  p.engine->put({2, AwaitExecution{id}});
  // A redrive in every turn: one of them meets the report of the failure.
  for (int turn = 0; turn < 20; ++turn) {
    p.engine->put({3, RedriveDeadLetters{{id, true, 0, true, 0}}});
    p.engine->turn();
    p.worker->turn();
  }
  p.loop.run_until_idle();
  uint32_t redriven = 0;
  std::vector<std::string> settled;
  for (const Response& response : p.clients.values) {
    const auto* reply = std::get_if<Reply>(&response.what);
    if (reply == nullptr) continue;
    if (response.ticket == 2) settled.push_back(reply->message);
    if (response.ticket == 3 && reply->code == Code::ok && reply->number > 0) ++redriven;
  }
  EXPECT_EQ(redriven, 1u);
  EXPECT_EQ(settled, std::vector<std::string>{"succeeded"});
}

// A timer that comes due while an append is under way belongs to the group after the one that gathers:
// until then there is nothing to do, and nobody is to be woken for it.
TEST(Engine, ATimerWaitsForTheGroupThatCanFireIt) {
  Machine m(Completion::on_demand);
  Process p(m.disk, m.view, m.blob, m.clock);
  auto settle = [&] {
    do p.loop.run_until_idle();
    while (m.disk.complete_one());
  };
  settle();
  p.executor.failures = 1;
  Workflow workflow;
  workflow.name = "again";
  workflow.nodes = {node_of("once", {})};
  workflow.nodes[0].retry.max_attempts = 2;
  ASSERT_TRUE(finish(workflow).ok());
  p.engine->put({1, Command{RegisterWorkflow{encode(workflow)}}});
  settle();
  SubmitExecution submit;
  submit.workflow = WorkflowId{std::get<Reply>(p.clients.values.at(0).what).number};
  p.engine->put({2, Command{submit}});
  settle();
  ASSERT_EQ(p.executor.calls, 1u);

  p.executor.holds = true;
  p.engine->put({3, Command{submit}});
  settle();
  p.engine->put({4, Command{submit}});  // its append stays under way,
  p.loop.run_until_idle();
  ASSERT_EQ(m.disk.in_flight(), 1u);
  p.engine->put({5, Command{submit}});  // and another group gathers
  p.loop.run_until_idle();
  m.clock.now = m.clock.now + Duration::seconds(5);
  p.loop.run_until_idle();
  EXPECT_GT(p.engine->deadline(), m.clock.now);
  p.executor.holds = false;
  settle();
  EXPECT_EQ(p.executor.calls, 4u) << "both new ones, and the retry";
}

// More than a group holds waits in every turn of an overload that lasts: timers do not wait behind it.
TEST(Engine, TimersComeBeforeWhatWaitsToBeLetIn) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  p.executor.failures = 1;
  Workflow workflow;
  workflow.name = "again";
  workflow.nodes = {node_of("once", {})};
  workflow.nodes[0].retry.max_attempts = 2;
  ExecutionId id = p.submit(workflow);
  auto status = [&] { return task_status(p.execution(id).nodes[0], 0); };
  ASSERT_EQ(status(), TaskStatus::backing_off);
  SubmitExecution large;
  large.workflow = WorkflowId{1};
  large.input = Payload::inline_json("\"" + std::string(60'000, 'x') + "\"");
  for (Ticket ticket = 100; ticket < 400; ++ticket) p.engine->put({ticket, Command{large}});
  p.engine->turn();
  ASSERT_EQ(status(), TaskStatus::backing_off);
  for (Ticket ticket = 400; ticket < 700; ++ticket) p.engine->put({ticket, Command{large}});
  m.clock.now = m.clock.now + Duration::seconds(5);
  p.engine->turn();
  EXPECT_NE(status(), TaskStatus::backing_off);
}

// The state runs ahead of the log: the end that it shows may not be durable yet.
TEST(Engine, WhoeverWaitsHearsOfNoEndThatStillGathers) {
  Machine m(Completion::on_demand);
  Process p(m.disk, m.view, m.blob, m.clock);
  auto settle = [&] { p.settle(m.disk); };
  auto answers_to = [&](Ticket ticket) { return p.answers_to(ticket); };
  settle();
  p.executor.holds = true;
  Workflow workflow;
  workflow.name = "one";
  workflow.nodes = {node_of("a", {})};
  ASSERT_TRUE(finish(workflow).ok());
  p.engine->put({1, Command{RegisterWorkflow{encode(workflow)}}});
  settle();
  SubmitExecution submit;
  submit.workflow = WorkflowId{std::get<Reply>(p.clients.values.at(0).what).number};
  p.engine->put({2, Command{submit}});
  settle();

  constexpr ExecutionId id{1};
  p.engine->put({3, Command{submit}});  // this group is under way,
  p.engine->put({4, AwaitExecution{id}});
  p.loop.run_until_idle();
  ASSERT_EQ(m.disk.in_flight(), 1u);
  p.engine->put({5, CancelExecution{id, "enough"}});  // and the end gathers behind it
  p.loop.run_until_idle();
  ASSERT_TRUE(m.disk.complete_one());
  p.loop.run_until_idle();
  ASSERT_EQ(answers_to(3).size(), 1u) << "the first group is durable";
  EXPECT_TRUE(answers_to(4).empty());
  settle();
  EXPECT_EQ(answers_to(4), std::vector<std::string>{"cancelled"});
}

// A disk without room for payloads.
class FullBlob final : public Blob {
 public:
  explicit FullBlob(Blob& blob) : real(blob) {}
  Status put(const BlobRef& ref, ByteView bytes) override {
    if (full) return Error{Code::resource_exhausted, "no space left on device"};
    return real.put(ref, bytes);
  }
  Result<Bytes> get(const BlobRef& ref) override { return real.get(ref); }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    return real.part(ref, offset, size);
  }
  Status adopt(const BlobRef& from, const BlobRef& to) override { return real.adopt(from, to); }
  Status drop(const BlobRef& ref) override { return real.drop(ref); }
  Result<std::vector<ExecutionId>> owners() override { return real.owners(); }
  Status drop_owner(ExecutionId owner) override { return real.drop_owner(owner); }

  Blob& real;
  bool full = true;
};

TEST(Engine, AResultThatTheDiskHasNoRoomForWaitsForRoom) {
  Machine m;
  FullBlob blob(m.blob);
  Process p(m.disk, m.view, blob, m.clock);
  p.executor.output = '"' + std::string(40'000, 'x') + '"';
  Workflow workflow;
  workflow.name = "two";
  workflow.nodes = {node_of("a", {}), node_of("b", {})};
  ExecutionId id = p.submit(workflow);  // its output: both results, above payload_inline_max
  auto pass = [&](Duration time) {
    m.clock.now = m.clock.now + time;
    p.loop.run_until_idle();
  };
  for (int second = 0; second < 3; ++second) {
    EXPECT_EQ(p.execution(id).status, ExecutionStatus::running);
    ASSERT_LE(p.engine->deadline(), m.clock.now + Evaluations::store_retry_pause);
    pass(Evaluations::store_retry_pause);
  }
  blob.full = false;
  pass(Evaluations::store_retry_pause);
  EXPECT_EQ(p.execution(id).status, ExecutionStatus::succeeded);
  EXPECT_TRUE(p.execution(id).output.is_blob());
  EXPECT_EQ(m.blob.count(), 1u);
}

TEST(Engine, WhoeverWaitsHearsOfNoForgettingThatStillGathers) {
  Machine m(Completion::on_demand);
  Process p(m.disk, m.view, m.blob, m.clock);
  auto settle = [&] { p.settle(m.disk); };
  auto answers_to = [&](Ticket ticket) { return p.answers_to(ticket); };
  settle();
  Workflow workflow;
  workflow.name = "one";
  workflow.nodes = {node_of("a", {})};
  ASSERT_TRUE(finish(workflow).ok());
  p.engine->put({1, Command{RegisterWorkflow{encode(workflow)}}});
  settle();
  SubmitExecution submit;
  submit.workflow = WorkflowId{std::get<Reply>(p.clients.values.at(0).what).number};
  p.engine->put({2, Command{submit}});
  settle();

  constexpr ExecutionId id{1};
  ASSERT_EQ(p.execution(id).status, ExecutionStatus::succeeded);
  p.executor.holds = true;  // somebody works from now on: appends overlap with what comes
  p.engine->put({6, Command{submit}});
  settle();
  p.engine->put({3, Command{submit}});  // this group is under way,
  p.engine->put({4, AwaitExecution{id}});
  p.loop.run_until_idle();
  ASSERT_EQ(m.disk.in_flight(), 1u);
  p.engine->put({5, Command{ForgetExecution{id}}});  // and the forgetting gathers behind it
  p.loop.run_until_idle();
  ASSERT_TRUE(m.disk.complete_one());
  p.loop.run_until_idle();
  ASSERT_EQ(answers_to(3).size(), 1u) << "the first group is durable";
  EXPECT_TRUE(answers_to(4).empty()) << answers_to(4).front();
  settle();
  EXPECT_EQ(answers_to(5).size(), 1u);
  EXPECT_EQ(answers_to(4).size(), 1u);
}

// The mark of an idle log fails; the engine learns of it from its next append. What came in the same
// turn as that news must not be appended on top of a group that is not there.
TEST(Engine, AppendsNothingAfterTheLogHasFailed) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  m.clock.now = m.clock.now + Duration::seconds(1);
  m.disk.plan(m.disk.calls() + 1, SimFault::io_error);
  p.loop.run_until_idle();
  Workflow w = two_steps();
  ASSERT_TRUE(finish(w).ok());
  p.engine->put({1, RegisterWorkflow{encode(w)}});
  p.engine->turn();
  p.engine->put({2, RegisterWorkflow{encode(w)}});
  p.loop.run_until_idle();
  EXPECT_TRUE(p.engine->failure().has_value());
  uint64_t asked = 0;
  for (const Response& response : p.clients.values)
    asked += std::get<Reply>(response.what).code == Code::unknown;
  EXPECT_EQ(asked, 2u);
}

uint64_t rows_of(View& view, char kind) {
  uint64_t count = 0;
  for (auto cursor = view.scan(row_key(kind), row_key(static_cast<char>(kind + 1)));
       cursor->valid(); cursor->next())
    ++count;
  return count;
}

// Row for row, byte for byte: nothing of it is left but its request id.
TEST(Engine, WhatIsForgottenLeavesViewAndBlobs) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock, 1, 0);
  ExecutionId id = p.submit(two_steps(), "once");
  p.checkpoint(m.view);
  ASSERT_GT(rows_of(m.view, 'h'), 0u);
  ASSERT_GT(rows_of(m.view, 'o'), 0u);
  const BlobRef output{id, output_blob_sequence({id, 0, 0}, 1), 3, hash128("abc")};
  ASSERT_TRUE(m.blob.put(output, "abc").ok());
  EXPECT_EQ(p.ask(ForgetExecution{id}).number, 1u);
  EXPECT_EQ(m.blob.count(), 0u);
  p.checkpoint(m.view);
  for (char kind : {'e', 'z', 'o', 'h', 'r'}) EXPECT_EQ(rows_of(m.view, kind), 0u) << kind;
  EXPECT_EQ(rows_of(m.view, 'f'), 1u);
  EXPECT_EQ(p.submit(two_steps(), "once"), id);
}

TEST(Engine, AForgettingThatIsNotDurableRemovesNothing) {
  Machine m;
  ExecutionId id;
  BlobRef output;
  {
    Process p(m.disk, m.view, m.blob, m.clock);
    id = p.submit(two_steps());
    output = {id, output_blob_sequence({id, 0, 0}, 1), 3, hash128("abc")};
    ASSERT_TRUE(m.blob.put(output, "abc").ok());
    m.disk.plan(m.disk.calls() + 1, SimFault::io_error);
    EXPECT_EQ(p.ask(ForgetExecution{id}).code, Code::unknown);
    EXPECT_TRUE(m.blob.get(output).ok());
  }
  m.disk.crash();
  m.disk.restart();
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  // The group may have arrived after all: then both are gone.
  bool there = p.engine->partition().state().executions.find(id) != nullptr;
  EXPECT_EQ(m.blob.get(output).ok(), there);
}

TEST(Engine, AStartSweepsWhatBelongsToNobody) {
  Machine m;
  ExecutionId id;
  {
    Process p(m.disk, m.view, m.blob, m.clock);
    id = p.submit(two_steps());
  }
  auto put = [&](uint64_t owner) {
    ASSERT_TRUE(m.blob.put({ExecutionId{owner}, 1, 3, hash128("abc")}, "abc").ok());
  };
  put(0);
  put(id.value);
  for (uint64_t owner = id.value + 1; owner < 200; ++owner) put(owner);
  m.disk.crash();
  m.disk.restart();
  m.view.crash(MapView::InFlight::lost);
  Process p(m.disk, m.view, m.blob, m.clock);
  p.loop.run_until_idle();
  EXPECT_TRUE(p.engine->swept());
  EXPECT_EQ(m.blob.owners().value(), std::vector<ExecutionId>{id});
}

}  // namespace
}  // namespace pawl
