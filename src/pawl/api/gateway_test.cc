#include "pawl/api/gateway.h"

#include <gtest/gtest.h>

#include "pawl/api/test_house.h"
#include "pawl/base/json.h"
#include "pawl/testing/hand_background.h"

namespace pawl {
namespace {

struct GatewayTest : testing::Test {
  GatewayTest() { client.set_patience(Duration::seconds(20)); }

  ExecutionId submitted(SubmitRequest request) {
    Result<ExecutionId> id = client.submit(std::move(request));
    EXPECT_TRUE(id.ok()) << id.error().message;
    return id.ok() ? *id : ExecutionId{};
  }
  std::string refused(SubmitRequest request) {
    Result<ExecutionId> id = client.submit(std::move(request));
    EXPECT_FALSE(id.ok());
    EXPECT_EQ(id.error().code, Code::invalid_argument);
    return id.error().message;
  }
  void pump_until_held() {
    while (!house.executor.has_held()) client.pump(Duration::milliseconds(100));
  }
  std::string input_of(ExecutionId id) {
    return client.text(client.execution(id).value().input).value();
  }

  House house{{.directory = "/state"}};
  LocalClient client{*house.gateway, house.loop};
};

TEST_F(GatewayTest, AnExecutionIsSubmittedAwaitedAndShown) {
  ExecutionId id = submitted({one_node, "one.yaml", R"({"n": 1})", "", R"({"team":"a"})"});
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::succeeded);
  ExecutionDetail detail = client.execution(id).value();
  EXPECT_EQ(detail.summary.workflow, "one");
  EXPECT_EQ(detail.summary.labels, R"({"team":"a"})");
  EXPECT_EQ(detail.input.text(), R"({"n":1})");
  EXPECT_EQ(detail.nodes[0].output.text(), "\"done\"");
  EXPECT_EQ(client.executions().value().executions.size(), 1u);
  EXPECT_EQ(client.task({id, "work", 0}).value().status, TaskStatus::succeeded);
  EXPECT_EQ(client.why({id, "", {}}).value().reasons[0].code, WhyCode::ended);
  EXPECT_EQ(client.overview().value().counts.succeeded, 1u);
  History history = client.history(id).value();
  ASSERT_FALSE(history.entries.empty());
  EXPECT_TRUE(std::holds_alternative<ExecutionSubmitted>(history.entries.front().event));
  EXPECT_TRUE(std::holds_alternative<ExecutionEnded>(history.entries.back().event));
  ServerInfo info = client.server().value();
  EXPECT_EQ(info.directory, "/state");
  EXPECT_GT(info.durable_position, 0u);
}

TEST_F(GatewayTest, TheDirectoryOfASubmissionIsAbsolute) {
  SubmitRequest request{one_node, "one.yaml"};
  request.directory = "here";
  EXPECT_EQ(refused(request), "the directory of a submission must be absolute");
  request.directory = "/here";
  submitted(request);
}

TEST_F(GatewayTest, ProblemsOfADefinitionCarryTheirPlace) {
  std::string message = refused(
      {"name: x\nnodes:\n  a: {run: ls, needs: [b]}\n  c: {rnu: ls}\n", "bad.yaml", "", "", ""});
  EXPECT_NE(message.find("bad.yaml:3:"), std::string::npos) << message;
  EXPECT_NE(message.find("\nbad.yaml:4:"), std::string::npos) << message;
  EXPECT_EQ(client.executions().value().executions.size(), 0u);
}

TEST_F(GatewayTest, ExpressionsAreCompiledAtSubmission) {
  std::string message =
      refused({"name: x\nnodes:\n  a: {run: ls}\n  b: {for_each: '${ .input.n ~ 2 }', run: ls}\n",
               "jq.yaml", "{}", "", ""});
  EXPECT_NE(message.find("jq.yaml:4:"), std::string::npos) << message;
}

TEST_F(GatewayTest, InputsAreMergedOverTheirDefaults) {
  std::string text = std::string("input: {day: 1, tags: {a: 1}}\n") + one_node;
  EXPECT_EQ(input_of(submitted({text, "f", "", "", ""})), R"({"day":1,"tags":{"a":1}})");
  EXPECT_EQ(input_of(submitted({text, "f", R"({"tags": [2], "day": 7})", "", ""})),
            R"({"day":7,"tags":[2]})");
  std::string message = refused({text, "f", R"({"dya": 7})", "", ""});
  EXPECT_NE(message.find("did you mean \"day\""), std::string::npos) << message;
}

TEST_F(GatewayTest, AnInputThatIsNoObjectIsRefused) {
  EXPECT_NE(refused({one_node, "f", "[1]", "", ""}).find("must be a JSON object"),
            std::string::npos);
  EXPECT_NE(refused({one_node, "f", "{", "", ""}).find("the input is not"), std::string::npos);
  EXPECT_NE(refused({one_node, "f", "", "", "7"}).find("the labels must be"), std::string::npos);
}

TEST_F(GatewayTest, ALargeInputBelongsToItsExecution) {
  // Characters of three bytes, so that a part of a mebibyte ends inside one.
  std::string text;
  while (text.size() < 3 * payload_part_max) text += "\u20ac";
  std::string input = "{\"x\":\"" + text + "\"}";
  ExecutionId id = submitted({one_node, "f", input, "once", ""});
  EXPECT_TRUE(client.execution(id).value().input.is_blob());
  EXPECT_EQ(house.blob.count(), 1u);
  EXPECT_EQ(input_of(id), input);
  EXPECT_EQ(submitted({one_node, "f", input, "once", ""}), id);
  EXPECT_EQ(house.blob.count(), 1u);
  BlobRef ref = client.execution(id).value().input.ref();
  EXPECT_EQ(ref.owner, id);
  EXPECT_EQ(client.ask_as<PayloadPart>(ReadPayload{ref, ref.size}).error().code,
            Code::out_of_range);
  auto refused = [&](const BlobRef& other) {
    return client.ask_as<PayloadPart>(ReadPayload{other, 0}).error().code;
  };
  EXPECT_EQ(refused({id, ref.sequence, ref.size + 1, ref.hash}), Code::invalid_argument);
  EXPECT_EQ(refused({id, ref.sequence, ref.size, {1, 2}}), Code::invalid_argument);
  EXPECT_EQ(refused({id, 7, ref.size, ref.hash}), Code::not_found);
  EXPECT_EQ(refused({ExecutionId{}, 7, ref.size, ref.hash}), Code::not_found);
  house.blob.corrupt(ref);
  EXPECT_EQ(client.text(Payload::blob(ref)).error().code, Code::data_loss);
}

TEST_F(GatewayTest, ALargeInputOfARefusedSubmissionIsNotKept) {
  std::string large = R"({"x":")" + std::string(100'000, 'x') + "\"}";
  std::string other = R"({"x":")" + std::string(100'000, 'y') + "\"}";
  ExecutionId id = submitted({one_node, "f", large, "once", ""});
  EXPECT_EQ(client.submit({one_node, "f", other, "once", ""}).error().code, Code::already_exists);
  EXPECT_FALSE(client.submit_many({one_node, "f", {large, "[]"}, "", ""}).ok());
  EXPECT_EQ(house.blob.owners().value(), std::vector<ExecutionId>{id});
  SubmittedMany many = client.submit_many({one_node, "f", {large, other}, "", ""}).value();
  EXPECT_EQ(house.blob.count(), 3u);
  EXPECT_EQ(input_of(many.executions[1].execution), other);
}

TEST_F(GatewayTest, WhatIsForgottenIsGoneWithItsPayloads) {
  std::string large = R"({"x":")" + std::string(100'000, 'x') + "\"}";
  ExecutionId id = submitted({one_node, "f", large, "once", ""});
  ExecutionId other = submitted({one_node, "f", "{}", "", ""});
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::succeeded);
  EXPECT_EQ(client.forget_execution(id).value(), 1u);
  EXPECT_EQ(client.forget_execution(id).value(), 0u);
  EXPECT_EQ(client.execution(id).error().message, "e1 has been forgotten");
  EXPECT_EQ(client.history(id).error().code, Code::not_found);
  EXPECT_EQ(client.await(id).error().code, Code::not_found);
  ASSERT_EQ(client.executions().value().executions.size(), 1u);
  EXPECT_EQ(client.executions().value().executions.front().id, other);
  EXPECT_EQ(house.blob.count(), 0u);
  // The request id stays used.
  EXPECT_EQ(submitted({one_node, "f", large, "once", ""}), id);
  EXPECT_EQ(client.submit({one_node, "f", "{}", "once", ""}).error().code, Code::already_exists);
  EXPECT_EQ(house.blob.count(), 0u);
  EXPECT_EQ(client.forget_execution(ExecutionId{99}).error().code, Code::not_found);
  EXPECT_EQ(client.overview().value().counts.forgotten, 1u);
}

TEST_F(GatewayTest, ARequestIdHasOneEffect) {
  ExecutionId id = submitted({one_node, "f", "{}", "r1", ""});
  EXPECT_EQ(submitted({one_node, "f", "{}", "r1", ""}), id);
  EXPECT_EQ(client.submit({one_node, "f", R"({"a":1})", "r1", ""}).error().code,
            Code::already_exists);
}

TEST_F(GatewayTest, ManyInputsOfOneWorkflowStartTogether) {
  SubmitMany request{one_node, "f", {R"({"i":0})", R"({"i":1})", R"({"i":2})"}, "batch", ""};
  SubmittedMany first = client.submit_many(request).value();
  ASSERT_EQ(first.executions.size(), 3u);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(input_of(first.executions[i].execution), "{\"i\":" + std::to_string(i) + "}");
  request.inputs_json[1] = R"({"i":7})";
  SubmittedMany again = client.submit_many(request).value();
  EXPECT_EQ(again.executions[0].execution, first.executions[0].execution);
  ASSERT_TRUE(again.executions[1].error);
  EXPECT_EQ(again.executions[1].error->code, Code::already_exists);
  EXPECT_EQ(again.executions[2].execution, first.executions[2].execution);
}

TEST_F(GatewayTest, OneBadInputAmongManyStartsNone) {
  Result<SubmittedMany> many = client.submit_many({one_node, "f", {"{}", "[]"}, "", ""});
  ASSERT_FALSE(many.ok());
  EXPECT_NE(many.error().message.find("input 1: "), std::string::npos);
  EXPECT_EQ(client.executions().value().executions.size(), 0u);
  EXPECT_TRUE(client.submit_many({one_node, "f", {}, "", ""}).value().executions.empty());
  std::vector<std::string> inputs(submit_many_max + 1);
  EXPECT_EQ(client.submit_many({one_node, "f", inputs, "", ""}).error().code,
            Code::invalid_argument);
}

TEST_F(GatewayTest, NodesAreMeantByName) {
  house.executor.holding = true;
  ExecutionId id = submitted({"name: m\nnodes:\n  list: {for_each: '${ .input.n }', run: ls}\n",
                              "f", R"({"n":3})", "", ""});
  pump_until_held();
  EXPECT_NE(client.cancel({id, "lsit", {}}).error().message.find("did you mean \"list\""),
            std::string::npos);
  EXPECT_EQ(client.cancel({id, "list", {}}).error().code, Code::invalid_argument);
  EXPECT_EQ(client.cancel({id, "", 2}).error().code, Code::invalid_argument);
  EXPECT_EQ(client.cancel({id, "list", 2}, "no").value(), 1u);
  EXPECT_EQ(client.task({id, "list", 2}).value().status, TaskStatus::cancelled);
  EXPECT_EQ(client.cancel({id, "", {}}).value(), 1u);
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::cancelled);
  EXPECT_EQ(client.cancel({ExecutionId{99}, "a", {}}).error().code, Code::not_found);
}

TEST_F(GatewayTest, DeadLettersAreRedrivenAndDiscarded) {
  house.executor.failures = 1;
  ExecutionId id = submitted({one_node, "f", "", "", ""});
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::parked);
  DeadLetterList letters = client.dead_letters({id}).value();
  ASSERT_EQ(letters.letters.size(), 1u);
  EXPECT_EQ(letters.letters[0].node, "work");
  EXPECT_EQ(client.redrive({id, "work", 9}).error().code, Code::not_found);
  EXPECT_EQ(client.discard({id, "work", 1}).error().code, Code::not_found);
  EXPECT_EQ(client.why({id, "", 3}).error().code, Code::invalid_argument);
  EXPECT_EQ(client.redrive({id, "work", {}}).value(), 1u);
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::succeeded);
  house.executor.failures = 100;
  id = submitted({one_node, "f", "", "", ""});
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::parked);
  EXPECT_EQ(client.discard({id, "", {}}).value(), 1u);
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::failed);
}

TEST_F(GatewayTest, ManyMayWaitWhileOthersLookAndLeave) {
  house.executor.holding = true;
  ExecutionId id = submitted({one_node, "f", "", "", ""});
  Ticket first = client.start(AwaitExecution{id});
  Ticket second = client.start(AwaitExecution{id});
  Ticket third = client.start(AwaitExecution{id});
  {
    LocalClient passing(*house.gateway, house.loop);
    passing.start(AwaitExecution{id});
    EXPECT_EQ(house.gateway->open_calls(), 4u);
  }
  pump_until_held();
  house.executor.progress(250, "a quarter");
  ProgressList progress;
  while (progress.tasks.empty()) progress = client.progress(id).value();
  EXPECT_EQ(progress.tasks[0].progress.permille, 250u);
  EXPECT_EQ(progress.tasks[0].progress.message, "a quarter");
  EXPECT_EQ(progress.running, (std::vector{RunningAttempts{id, 0, 1}}));
  EXPECT_EQ(client.execution(id).value().summary.tasks.running, 1u);
  EXPECT_FALSE(client.done(first));
  EXPECT_EQ(client.take(first), std::nullopt);
  client.forget(third);
  house.executor.release();
  EXPECT_EQ(client.await(id).value().status, ExecutionStatus::succeeded);
  EXPECT_EQ(client.take_as<Settlement>(first).value().status, ExecutionStatus::succeeded);
  EXPECT_EQ(client.take_as<Settlement>(second).value().execution, id);
  EXPECT_FALSE(client.done(third));
  EXPECT_EQ(house.gateway->open_calls(), 0u);
  EXPECT_EQ(client.await(ExecutionId{99}).error().code, Code::not_found);
}

// Whoever asks for millions of them would have them made in memory, while everybody else waits.
TEST_F(GatewayTest, AListHasABound) {
  ListExecutions executions;
  executions.limit = list_entries_max;
  EXPECT_TRUE(client.executions(executions).ok());
  executions.limit += 1;
  EXPECT_EQ(client.executions(executions).error().code, Code::invalid_argument);
  ListDeadLetters letters;
  letters.limit = UINT32_MAX;
  Result<DeadLetterList> refused = client.dead_letters(letters);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("list_entries_max"), std::string::npos);
}

class Answers final : public Sink<CallAnswer> {
 public:
  void put(CallAnswer answer) override { all.push_back(std::move(answer)); }
  std::vector<CallAnswer> all;
};

RunRequest run_of_one_node() {
  RunRequest run;
  run.submit = {one_node, "f"};
  return run;
}

// The wait of a run may end while its workflow is still being registered.
TEST_F(GatewayTest, ARunThatWaitsNoLongerBeforeItBeginsIsShownAsItIs) {
  house.executor.holding = true;
  Answers answers;
  uint64_t id = house.gateway->call({1, run_of_one_node()}, answers);
  house.gateway->stop_waiting(id);
  for (int turn = 0; turn < 5000 && answers.all.empty(); ++turn)
    client.pump(Duration::milliseconds(1));
  ASSERT_EQ(answers.all.size(), 1u);
  const auto* detail = std::get_if<ExecutionDetail>(&answers.all[0].result);
  ASSERT_NE(detail, nullptr);
  EXPECT_EQ(detail->summary.status, ExecutionStatus::running);
  house.gateway->forget(answers);
}

TEST_F(GatewayTest, PatienceEnds) {
  house.executor.holding = true;
  ExecutionId id = submitted({one_node, "f", "", "", ""});
  client.set_patience(Duration::milliseconds(1));
  EXPECT_EQ(client.await(id).error().code, Code::deadline_exceeded);
  EXPECT_EQ(house.gateway->open_calls(), 0u);
}

// However long that takes, nobody else waits, and what several need is compiled once.
TEST(GatewayCompiles, BesideItsLoop) {
  House house;
  HandBackground::Calls work;
  house.open_gateway({}, std::make_unique<HandBackground>(work));
  LocalClient client(*house.gateway, house.loop);
  client.set_patience(Duration::seconds(20));
  const std::string good = "name: x\nnodes:\n  a: {when: '${ .input.n == 2 }', run: ls}\n";
  const std::string bad = "name: x\nnodes:\n  a: {when: '${ .input.n ~ 2 }', run: ls}\n";
  Ticket first = client.start(SubmitRequest{good, "f"});
  Ticket second = client.start(SubmitRequest{good, "f"});
  Ticket refused = client.start(RegisterDefinition{bad, "f", ""});
  Ticket left = client.start(SubmitRequest{bad, "f"});
  EXPECT_TRUE(client.submit({one_node, "f"}).ok()) << "it needs none";
  client.forget(left);
  EXPECT_FALSE(client.done(first));
  ASSERT_EQ(work.size(), 2u);
  while (!work.empty()) make_next(work);
  for (Ticket ticket : {first, second, refused})
    while (!client.done(ticket)) client.pump(Duration::milliseconds(10));
  EXPECT_TRUE(client.take_as<Submitted>(first).ok());
  EXPECT_TRUE(client.take_as<Submitted>(second).ok());
  EXPECT_EQ(client.take_as<Registered>(refused).error().code, Code::invalid_argument);
  EXPECT_TRUE(client.submit({good, "f"}).ok());
  EXPECT_TRUE(work.empty()) << "it is known";
}

TEST(GatewayLimits, ExpressionsBeyondTheLimitAreNotCompiled) {
  House house({.expressions_checked_max = 1});
  LocalClient client(*house.gateway, house.loop);
  std::string text = "name: x\nnodes:\n  a: {when: '${ .input.n == 2 }', run: ls}\n";
  EXPECT_TRUE(client.submit({text + "  b: {when: '${ .input.n ~ 2 }', run: ls}\n", "f"}).ok());
  EXPECT_FALSE(client.submit({"name: x\nnodes:\n  b: {when: '${ .n ~ 2 }', run: ls}\n", "f"}).ok());
}

// Waiting helps against what is full, not against what is too large.
TEST(GatewayLimits, WhatIsTooLargeIsWrong) {
  House house({.limits = {.labels_bytes_max = 20, .input_bytes_max = 70'000}});
  LocalClient client(*house.gateway, house.loop);
  Error labels = client.submit({one_node, "f", "", "", R"({"team":"a long name"})"}).error();
  EXPECT_EQ(labels.code, Code::invalid_argument);
  EXPECT_NE(labels.message.find("labels_bytes_max (20)"), std::string::npos) << labels.message;
  std::string large = R"({"x":")" + std::string(80'000, 'x') + "\"}";
  Error input = client.submit({one_node, "f", large, "", ""}).error();
  EXPECT_EQ(input.code, Code::invalid_argument);
  EXPECT_NE(input.message.find("input_bytes_max"), std::string::npos) << input.message;
}

TEST(GatewayLimits, TooManyOpenCallsAreRefused) {
  House house({.calls_open_max = 1});
  house.executor.holding = true;
  LocalClient client(*house.gateway, house.loop);
  ExecutionId id = client.submit({one_node, "f", "", "", ""}).value();
  Ticket waiting = client.start(AwaitExecution{id});
  Result<Overview> refused = client.overview();
  EXPECT_NE(refused.error().message.find("calls_open_max"), std::string::npos);
  client.forget(waiting);
  EXPECT_TRUE(client.overview().ok());
}

template <size_t... place>
std::vector<Call> one_of_each(std::index_sequence<place...>) {
  return {Call(std::in_place_index<place>)...};
}

// Every kind of call gets an answer from a partition that has stopped, and none that looks like success.
TEST_F(GatewayTest, AStoppedEngineAnswersEveryCall) {
  house.executor.holding = true;
  ExecutionId id = submitted({one_node, "f", "", "", ""});
  pump_until_held();
  Ticket waits = client.start(AwaitExecution{id});
  client.overview().value();
  house.disk.plan(house.disk.calls() + 1, SimFault::io_error);
  Result<ExecutionId> lost = client.submit({one_node, "f", "", "lost", ""});
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, Code::unknown);
  EXPECT_NE(lost.error().message.find("partition has stopped"), std::string::npos);
  ASSERT_TRUE(client.done(waits));
  EXPECT_EQ(client.take_as<Settlement>(waits).error().code, Code::unknown);
  for (Call& call : one_of_each(std::make_index_sequence<std::variant_size_v<Call>>())) {
    size_t kind = call.index();
    if (auto* submit = std::get_if<SubmitRequest>(&call)) submit->definition = one_node;
    if (auto* many = std::get_if<SubmitMany>(&call)) {
      many->definition = one_node;
      many->inputs_json = {"{}", "{}"};
    }
    if (auto* run = std::get_if<RunRequest>(&call)) run->submit.definition = one_node;
    if (auto* definition = std::get_if<RegisterDefinition>(&call))
      definition->definition = "name: other\nnodes:\n  work: {command: [work]}\n";
    bool of_engine = !std::holds_alternative<ReadPayload>(call) &&
                     !std::holds_alternative<GetServer>(call) &&
                     !std::holds_alternative<GetMetrics>(call);
    CallResult result = client.ask(std::move(call));
    if (auto* some = std::get_if<SubmittedMany>(&result)) {
      for (const SubmittedMany::One& one : some->executions) {
        ASSERT_TRUE(one.error.has_value());
        EXPECT_EQ(one.error->code, Code::unknown);
      }
    } else if (of_engine) {
      ASSERT_TRUE(std::holds_alternative<Error>(result)) << kind;
      EXPECT_EQ(std::get<Error>(result).code, Code::unknown) << kind;
    }
  }
  EXPECT_EQ(house.gateway->open_calls(), 0u);
}

}  // namespace
}  // namespace pawl
