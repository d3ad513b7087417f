#include "pawl/partition/partition.h"

#include <gtest/gtest.h>

#include "pawl/partition/query.h"
#include "pawl/partition/snapshot.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

// Drives a partition as an engine would: every call is one group; a second partition replays all
// groups, and must agree.
class Driver {
 public:
  explicit Driver(Limits limits = {}) : limits_(limits), live_(limits) {
    StepOutput out;
    live_.resume(out);
    run([&](StepOutput& o) { live_.start_epoch(1, {7, 7}, o); });
  }

  Reply command(const Command& command) {
    StepOutput out = run([&](StepOutput& o) { live_.step(command, 1, dice_.next(), o); });
    for (const Effect& effect : out.effects) {
      if (const auto* answer = std::get_if<Answer>(&effect)) return answer->reply;
    }
    return {Code::internal, "no answer", 0};
  }

  void advance(Duration duration) {
    now_ = now_ + duration;
    command(Tick{});
  }

  SessionId worker(uint32_t credit, std::vector<std::string> functions = {}) {
    WorkerSpec spec;
    spec.credit = credit;
    spec.lease = Duration::hours(10);
    spec.functions = std::move(functions);
    return SessionId{command(OpenSession{spec}).number};
  }

  ExecutionId submit(Workflow workflow, std::string input = "{}") {
    Reply reply = try_submit(std::move(workflow), std::move(input));
    EXPECT_EQ(reply.code, Code::ok) << reply.message;
    return ExecutionId{reply.number};
  }
  Reply try_submit(Workflow workflow, std::string input = "{}") {
    EXPECT_TRUE(finish(workflow).ok());
    Reply registered = command(RegisterWorkflow{encode(workflow)});
    if (registered.code != Code::ok) return registered;
    SubmitExecution submit;
    submit.workflow = WorkflowId{registered.number};
    submit.input = Payload::inline_json(std::move(input));
    return command(submit);
  }

  Reply succeed(const Grant& grant, std::vector<Payload> outputs = {}) {
    AttemptReport report{grant.range, grant.attempt, grant.nonce, true, std::move(outputs), {}, 0,
                         {}};
    return command(ReportAttempts{grant.session, {report}});
  }
  Reply fail(const Grant& grant, FailureKind kind = FailureKind::exit_code) {
    AttemptReport report{grant.range, grant.attempt, grant.nonce, false, {}, kind, 1, "broken"};
    return command(ReportAttempts{grant.session, {report}});
  }

  std::vector<Grant> take_grants() { return std::move(grants_); }
  const Execution& execution(ExecutionId id) { return *live_.state().executions.find(id); }
  const State& state() const { return live_.state(); }
  void drop_stale() { live_.drop_stale(); }

  // Live, replayed from the first group, and restored from rows: one and the same state.
  void expect_replay_equals() {
    Partition replayed(limits_);
    for (const Group& group : groups_) replayed.replay(group);
    EXPECT_EQ(state_hash(replayed.state()), state_hash(live_.state()));
    StepOutput out;
    replayed.resume(out);
    EXPECT_EQ(inconsistency(replayed.state()), "");
    EXPECT_EQ(replayed.state().ready.depth(), ready_now());
  }

 private:
  uint64_t ready_now() {
    Partition again(limits_);
    for (const Group& group : groups_) again.replay(group);
    index(again.restoring());
    return again.state().ready.depth();
  }

  template <class Run>
  StepOutput run(Run what) {
    StepOutput out;
    live_.begin_group(now_, wall_);
    what(out);
    live_.schedule(dice_.next(), out);
    EXPECT_EQ(inconsistency(live_.state()), "");
    Group group{groups_.size() + 1, 1, now_, wall_, out.events};
    groups_.push_back(group);
    for (Effect& effect : out.effects) {
      if (auto* dispatch = std::get_if<Dispatch>(&effect)) grants_.push_back(dispatch->grant);
    }
    return out;
  }

  Limits limits_;
  Partition live_;
  Instant now_;
  WallTime wall_;
  Random dice_{1};
  std::vector<Group> groups_;
  std::vector<Grant> grants_;
};

Node plain(std::string id, std::vector<NodeIndex> needs = {}) {
  Node node;
  node.id = std::move(id);
  node.needs = std::move(needs);
  node.process.argv.push_back({{{"true", {}}}});
  return node;
}

Workflow workflow_of(std::vector<Node> nodes) {
  Workflow workflow;
  workflow.name = "w";
  workflow.nodes = std::move(nodes);
  return workflow;
}

TEST(Partition, ChainRunsToItsEndOneGrantPerStep) {
  Driver d;
  d.worker(4);
  ExecutionId id = d.submit(workflow_of({plain("a"), plain("b", {0})}));
  auto first = d.take_grants();
  ASSERT_EQ(first.size(), 1u);
  d.succeed(first[0], {Payload::inline_json("1")});
  auto second = d.take_grants();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].range.node, 1u);
  d.succeed(second[0], {Payload::inline_json("2")});
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::succeeded);
  EXPECT_EQ(d.execution(id).output.text(), R"({"b":2})");
  d.expect_replay_equals();
}

TEST(Partition, MappedNodeGrantsRangesAndKeepsItemsApart) {
  Driver d;
  d.worker(10);
  Node node = plain("m");
  node.for_each = make_expression("100");
  node.retry.max_attempts = 2;
  node.retry.jitter_permille = 0;
  ExecutionId id = d.submit(workflow_of({node}));
  uint32_t done = 0;
  bool failed_once = false;
  for (auto grants = d.take_grants(); !grants.empty(); grants = d.take_grants()) {
    for (const Grant& grant : grants) {
      for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item) {
        Grant one = grant;
        one.range.begin = item;
        one.range.end = item + 1;
        if (item == 42 && !failed_once) {
          failed_once = true;
          d.fail(one);
        } else {
          d.succeed(one, {Payload::inline_json(std::to_string(item))});
          ++done;
        }
      }
    }
    d.expect_replay_equals();
  }
  EXPECT_EQ(done, 99u);
  d.advance(Duration::seconds(1));
  auto retry = d.take_grants();
  ASSERT_EQ(retry.size(), 1u);
  EXPECT_EQ(retry[0].attempt, 2u);
  EXPECT_EQ(retry[0].range.begin, 42u);
  d.succeed(retry[0], {Payload::inline_json("42")});
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::succeeded);
  d.expect_replay_equals();
}

TEST(Partition, LateResultIsFenced) {
  Driver d;
  SessionId first = d.worker(1);
  d.submit(workflow_of({plain("a")}));
  Grant old = d.take_grants().at(0);
  d.worker(1);
  d.command(CloseSession{first, "gone"});
  Grant current = d.take_grants().at(0);
  EXPECT_EQ(current.attempt, 2u);
  EXPECT_EQ(d.succeed(old).code, Code::aborted);
  EXPECT_EQ(d.succeed(current).code, Code::ok);
  EXPECT_EQ(d.succeed(current).code, Code::aborted);
  d.expect_replay_equals();
}

TEST(Partition, ExhaustedTaskIsParkedRedrivenAndDiscarded) {
  Driver d;
  d.worker(1);
  ExecutionId id = d.submit(workflow_of({plain("a"), plain("b", {0})}));
  d.fail(d.take_grants().at(0));
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::parked);
  EXPECT_EQ(d.command(RedriveDeadLetters{{id}}).number, 1u);
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::running);
  d.fail(d.take_grants().at(0));
  EXPECT_EQ(d.command(DiscardDeadLetters{{id}}).number, 1u);
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::failed);
  EXPECT_EQ(d.execution(id).nodes[1].status, NodeStatus::skipped);
  d.expect_replay_equals();
}

TEST(Partition, TheFirstPartitionsNumberOfAWorkflowHoldsHereToo) {
  Driver d;
  auto bytes_of = [](const char* node) {
    Workflow w = workflow_of({plain(node)});
    EXPECT_TRUE(finish(w).ok());
    return encode(w);
  };
  auto register_as = [&](const char* node, uint64_t id) {
    return d.command(RegisterWorkflow{bytes_of(node), default_namespace, WorkflowId{id}});
  };
  EXPECT_EQ(register_as("a", 5).number, 5u);
  EXPECT_EQ(register_as("a", 5).number, 5u) << "again";
  EXPECT_EQ(register_as("b", 3).number, 3u) << "one that a crash held up";
  EXPECT_EQ(register_as("a", 6).code, Code::failed_precondition);
  EXPECT_EQ(register_as("c", 5).code, Code::failed_precondition);
  EXPECT_EQ(register_as("c", 0).number, 6u);
  d.expect_replay_equals();
}

TEST(Partition, SubmitIsIdempotentByRequestId) {
  Driver d;
  Workflow w = workflow_of({plain("a")});
  ASSERT_TRUE(finish(w).ok());
  Reply registered = d.command(RegisterWorkflow{encode(w)});
  SubmitExecution submit;
  submit.workflow = WorkflowId{registered.number};
  submit.request_id = "r1";
  submit.payload_hash = {1, 1};
  Reply first = d.command(submit);
  EXPECT_EQ(d.command(submit).number, first.number);
  submit.payload_hash = {2, 2};
  EXPECT_EQ(d.command(submit).code, Code::already_exists);
  d.expect_replay_equals();
}

// A worker reports a whole range as one although an item of it was cancelled meanwhile: the others
// count, or they would stay granted for ever.
TEST(Partition, AnEpochThatCannotFollowIsRefused) {
  Partition partition{Limits{}};
  Hash128 ours{9, 9};
  Group first{1, 3, Instant{7}, {}, {EpochStarted{3, ours}}};
  ASSERT_TRUE(partition.follows(first).ok());
  partition.replay(first);
  EXPECT_TRUE(partition.follows({2, 4, Instant{7}, {}, {EpochStarted{4, ours}}}).ok());
  EXPECT_TRUE(partition.follows({2, 3, Instant{8}, {}, {SessionClosed{SessionId{1}, ""}}}).ok());
  EXPECT_FALSE(partition.follows({2, 3, Instant{6}, {}, {SessionClosed{SessionId{1}, ""}}}).ok());
  for (EpochStarted wrong : {EpochStarted{3, ours}, EpochStarted{4, {1, 1}}}) {
    Status refused = partition.follows({2, 4, Instant{7}, {}, {wrong}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::data_loss);
    EXPECT_NE(refused.error().message.find("do not belong together"), std::string::npos);
  }
}

TEST(Partition, AReportCountsForWhatIsStillCurrentOfItsRange) {
  Driver d;
  d.worker(10);
  Node node = plain("m");
  node.for_each = make_expression("5");
  ExecutionId id = d.submit(workflow_of({node}));
  auto grants = d.take_grants();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(d.command(CancelTask{{id, 0, 2}, "not this one"}).code, Code::ok);
  std::vector<Payload> outputs;
  for (int i = 0; i < 5; ++i) outputs.push_back(Payload::inline_json(std::to_string(i)));
  EXPECT_EQ(d.succeed(grants[0], outputs).code, Code::aborted);
  EXPECT_EQ(d.execution(id).status, ExecutionStatus::succeeded);
  EXPECT_EQ(d.execution(id).output.text(), R"({"m":[0,1,null,3,4]})");
  d.expect_replay_equals();
}

// Wherever an output is kept, its bytes count, in whatever order the items come.
TEST(Partition, OutputsInTheBlobStoreCountForTheLimitOfTheirNode) {
  Limits limits;
  limits.mapped_output_bytes_max = 100'000;
  Driver p(limits);
  Workflow workflow;
  workflow.name = "large";
  workflow.nodes = {plain("a")};
  workflow.nodes[0].for_each = make_expression(".input.list");
  p.worker(2);
  ExecutionId id = p.submit(workflow, R"({"list":[1,2]})");
  Grant grant = p.take_grants().at(0);
  ASSERT_EQ(grant.range.size(), 2u);
  Payload large = Payload::blob({id, 1, 60'000, {1, 2}});
  p.succeed(grant, {large, large});
  EXPECT_EQ(p.execution(id).status, ExecutionStatus::parked);
  EXPECT_EQ(p.execution(id).nodes[0].work->mapped->outputs->get(0), large) << "the first one fits";
  EXPECT_TRUE(p.execution(id).nodes[0].work->mapped->outputs->get(1).is_absent());
  p.expect_replay_equals();
}

TEST(Partition, WhatWasCancelledIsNoLongerCountedAndPassedOnce) {
  Driver d;
  Workflow slow = workflow_of({plain("a")});
  ExecutionId first = d.submit(slow);
  ExecutionId second = d.submit(slow);
  d.advance(Duration::seconds(5));
  ExecutionId third = d.submit(slow);
  auto queue = [&] {
    return std::get<QueueList>(answer(d.state(), ListQueues{}, "")).queues.at(0);
  };
  EXPECT_EQ(queue().ready, 3u);
  EXPECT_EQ(queue().oldest, Duration::seconds(5));
  for (ExecutionId id : {first, second}) d.command(CancelExecution{id, ""});
  EXPECT_EQ(queue().ready, 1u);
  EXPECT_EQ(queue().oldest, Duration{}) << "the longest waiting is the third";
  EXPECT_EQ(d.state().ready.depth(), 3u);
  d.drop_stale();
  EXPECT_EQ(d.state().ready.depth(), 1u);
  EXPECT_EQ(queue().ready, 1u);
  d.worker(1);
  EXPECT_EQ(d.take_grants().at(0).range.execution, third);
  d.expect_replay_equals();
}

Workflow waits_in(std::vector<std::string> queues) {
  std::vector<Node> nodes;
  for (const std::string& queue : queues) {
    nodes.push_back(plain("n" + std::to_string(nodes.size())));
    nodes.back().queue = queue;
  }
  return workflow_of(std::move(nodes));
}

std::string queues_there(const State& state) {
  std::string names;
  const auto list = std::get<QueueList>(answer(state, ListQueues{}, ""));
  for (const QueueDetail& one : list.queues) names += one.spec.name + " ";
  return names;
}

Reply configure(Driver& d, const std::string& name) {
  ConfigureQueue change;
  change.name = name;
  return d.command(change);
}

void expect_too_many_queues(const Reply& reply) {
  EXPECT_EQ(reply.code, Code::resource_exhausted);
  EXPECT_NE(reply.message.find("queues_max"), std::string::npos) << reply.message;
}

TEST(Partition, ThereAreSoManyQueuesAndThoseThatNobodyNeedsMakeRoom) {
  Limits limits;
  limits.queues_max = 3;
  Driver d(limits);
  EXPECT_EQ(queues_there(d.state()), "default ");
  ExecutionId first = d.submit(waits_in({"a", "b", "a"}));
  ExecutionId again = d.submit(waits_in({"a", "b", "a"}));
  EXPECT_EQ(queues_there(d.state()), "a b default ");
  expect_too_many_queues(d.try_submit(waits_in({"a", "c"})));
  expect_too_many_queues(configure(d, "c"));
  d.expect_replay_equals();
  d.command(CancelExecution{first, ""});
  expect_too_many_queues(d.try_submit(waits_in({"a", "c"})));
  d.command(CancelExecution{again, ""});
  EXPECT_EQ(queues_there(d.state()), "default ");
  d.submit(waits_in({"a", "c"}));
  EXPECT_EQ(queues_there(d.state()), "a c default ");
  d.expect_replay_equals();
}

TEST(Partition, AConfiguredQueueStaysAndADefinitionNamesNoMoreThanThereMayBe) {
  Limits limits;
  limits.queues_max = 3;
  Driver d(limits);
  ExecutionId one = d.submit(waits_in({"a", "b"}));
  EXPECT_EQ(configure(d, "a").code, Code::ok);
  d.worker(4);
  for (const Grant& grant : d.take_grants()) d.succeed(grant, {Payload::inline_json("1")});
  EXPECT_EQ(d.execution(one).status, ExecutionStatus::succeeded);
  EXPECT_EQ(queues_there(d.state()), "a default ");
  EXPECT_EQ(configure(d, "c").code, Code::ok);
  expect_too_many_queues(d.try_submit(waits_in({"b"})));
  d.submit(waits_in({"c", "a"}));
  expect_too_many_queues(d.try_submit(waits_in({"a", "b", "c", "e"})));
  EXPECT_EQ(d.state().workflows.size(), 3u) << "it is not registered";
  d.expect_replay_equals();
}

}  // namespace
}  // namespace pawl
