#include "pawl/app/runtime.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <thread>

namespace pawl {
namespace {

class RuntimeTest : public ::testing::Test {
 protected:
  RuntimeTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawl-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    EXPECT_TRUE(functions_
                    .add("square",
                         [](FunctionCall& call) -> Result<std::string> {
                           int64_t n = std::stoll(std::string(call.input()));
                           return std::to_string(n * n);
                         })
                    .ok());
    EXPECT_TRUE(functions_
                    .add("count",
                         [this](FunctionCall&) -> Result<std::string> {
                           ++calls_;
                           return std::string();
                         })
                    .ok());
  }
  ~RuntimeTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Runtime> open() {
    auto opened = Runtime::open({directory_, 2, PAWL_PROGRAMS}, functions_);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return std::move(*opened);
  }

  std::string directory_;
  FunctionRegistry functions_;
  std::atomic<uint64_t> calls_{0};
};

TEST_F(RuntimeTest, InputsAreMergedOverWhatIsDeclaredAndLargeOnesAreBlobs) {
  auto runtime = open();
  const std::string definition = R"(
name: inputs
input: {factor: 2, text: ""}
nodes:
  n: {transform: .input.factor * (.input.text | length)}
)";
  const std::string large(payload_inline_max + 1, 'x');
  auto id = runtime->submit(definition, "{\"text\": \"" + large + "\"}", "large");
  ASSERT_TRUE(id.ok()) << id.error().message;
  auto result = runtime->wait(*id);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->output, "{\"n\":" + std::to_string(2 * large.size()) + "}");
  auto detail = runtime->query(GetExecution{*id});
  ASSERT_TRUE(detail.ok());
  EXPECT_TRUE(std::get<ExecutionDetail>(*detail).input.is_blob());
  auto again = runtime->submit(definition, "{\"text\": \"" + large + "\"}", "large");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *id);

  auto number = runtime->submit(definition, "3");
  ASSERT_FALSE(number.ok());
  EXPECT_EQ(number.error().message, "the input must be a JSON object");
  auto stranger = runtime->start(WorkflowId{99}, "{}");
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.error().code, Code::failed_precondition);
}

TEST_F(RuntimeTest, FunctionsProcessesAndTransformsInOneWorkflow) {
  auto runtime = open();
  auto id = runtime->submit(R"(
name: mixed
nodes:
  list: {run: "printf '1\n2\n3\n'", output: lines}
  square:
    needs: [list]
    for_each: ${ .nodes.list.output }
    function: square
    with: ${ .item | tonumber }
  sum: {needs: [square], transform: .nodes.square.output | add}
)",
                            "{}");
  ASSERT_TRUE(id.ok()) << id.error().message;
  auto result = runtime->wait(*id);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->status, ExecutionStatus::succeeded) << result->error;
  EXPECT_EQ(result->output, R"({"sum":14})");
}

TEST_F(RuntimeTest, WhatWasAcknowledgedIsThereAfterOpeningAgain) {
  ExecutionId first;
  const char* definition = "{name: n, nodes: {c: {function: count, for_each: 1000}}}";
  {
    auto runtime = open();
    auto id = runtime->submit(definition, "{}", "r1");
    ASSERT_TRUE(id.ok()) << id.error().message;
    first = *id;
    auto result = runtime->wait(first);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->status, ExecutionStatus::succeeded) << result->error;
  }
  EXPECT_EQ(calls_, 1000u);
  auto runtime = open();
  auto again = runtime->submit(definition, "{}", "r1");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, first);
  auto result = runtime->wait(first);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->status, ExecutionStatus::succeeded);
  EXPECT_EQ(calls_, 1000u);
}

// Items that ended early are durable, and seen, while the last one still runs.
TEST_F(RuntimeTest, AMappedFunctionsItemsBecomeDurableWhileOthersRun) {
  std::atomic<bool> hold{true};
  std::atomic<uint64_t> first_items{0};
  ASSERT_TRUE(functions_
                  .add("held",
                       [&](FunctionCall& call) -> Result<std::string> {
                         if (call.task().item < 18) return ++first_items, std::string();
                         while (hold && !call.cancelled()) std::this_thread::yield();
                         if (hold) return Error{Code::aborted, "cancelled"};
                         return std::string();
                       })
                  .ok());
  ExecutionId id;
  {
    auto runtime = open();
    auto submitted = runtime->submit("{name: n, nodes: {h: {function: held, for_each: 19}}}", "{}");
    ASSERT_TRUE(submitted.ok()) << submitted.error().message;
    id = *submitted;
    uint64_t succeeded = 0;
    while (succeeded < 18) {
      auto detail = runtime->query(GetExecution{id});
      ASSERT_TRUE(detail.ok()) << detail.error().message;
      succeeded = std::get<ExecutionDetail>(*detail).summary.tasks.succeeded;
    }
  }
  hold = false;
  auto runtime = open();
  auto result = runtime->wait(id);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->status, ExecutionStatus::succeeded) << result->error;
  EXPECT_EQ(first_items, 18u) << "what had been reported runs once";
}

TEST_F(RuntimeTest, AnArrayOfExecutionsInOneRequest) {
  auto runtime = open();
  Workflow workflow;
  workflow.name = "one";
  Node node;
  node.id = "square";
  node.type = NodeType::function;
  node.function = "square";
  node.with = {{{"", make_expression(".input.n")}}};
  workflow.nodes = {node};
  ASSERT_TRUE(finish(workflow).ok());
  auto registered = runtime->register_workflow(workflow);
  ASSERT_TRUE(registered.ok()) << registered.error().message;
  std::vector<std::string> inputs;
  for (int i = 0; i < 500; ++i) inputs.push_back("{\"n\":" + std::to_string(i) + "}");
  auto ids = runtime->start_many(*registered, inputs);
  ASSERT_TRUE(ids.ok()) << ids.error().message;
  ASSERT_EQ(ids->size(), 500u);
  auto result = runtime->wait(ids->back());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output, "{\"square\":249001}");
}

TEST_F(RuntimeTest, DirectoryInUseSaysByWhom) {
  auto runtime = open();
  auto second = Runtime::open({directory_, 2, PAWL_PROGRAMS}, functions_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::aborted);
  EXPECT_NE(second.error().message.find("in use by process"), std::string::npos);
}

TEST_F(RuntimeTest, BadDefinitionNamesItsLine) {
  auto runtime = open();
  auto id = runtime->submit("name: x\nnodes:\n  a: {needs: [b], run: 'true'}\n", "{}");
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.error().message.find("definition:3:"), std::string::npos) << id.error().message;
}

}  // namespace
}  // namespace pawl
