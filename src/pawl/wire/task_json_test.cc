#include "pawl/wire/task_json.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "pawl/base/json.h"
#include "pawl/testing/random_workflow.h"

namespace pawl {
namespace {

RunContext context_of(Node node) {
  Workflow workflow;
  workflow.name = "w";
  workflow.nodes = {std::move(node)};
  PAWL_CHECK(finish(workflow).ok(), "the test's workflow");
  RunContext context;
  context.execution = {17};
  context.workflow = std::make_shared<const Workflow>(std::move(workflow));
  context.labels = R"({"tenant_id":"t\"1","team":"x"})";
  context.cluster = {1, 2};
  return context;
}

Node function_node() {
  Node node;
  node.id = "resize";
  node.type = NodeType::function;
  node.function = "resize";
  node.with = {{{"{\"f\":", {}}, {"", make_expression(".item")}, {"}", {}}}};
  node.timeout.run = Duration::milliseconds(30'500);
  node.retry.max_attempts = 3;
  node.retry.backoff_first = Duration{1};
  return node;
}

TEST(TaskJson, IsExactlyThis) {
  RunContext context = context_of(function_node());
  context.input = Payload::inline_json(R"({"file":"a.png"})");
  TaskMessage task = TaskMessages(context).of(4);
  EXPECT_EQ(
      to_json(task),
      R"({"task_id":")" + uuid_of({1, 2}, 17, 1, 5) + R"(","workflow_id":")" + task.workflow_id +
          R"(","execution_id":")" + uuid_of({1, 2}, 17) +
          R"(","node_id":"resize","node_type":"function","node_config":)" +
          R"({"function":"resize","with":"{\"f\":${ .item }}"},"input_data":{"file":"a.png"},)" +
          R"("priority":5,"timeout":30.5,"retry_policy":{"max_attempts":3,"backoff":)" +
          R"({"first":0.000000001,"factor":2,"max":60}},)" +
          R"("metadata":{"tenant_id":"t\"1","user_id":null}})");
}

// What stands where, and of which type; docs/schema/task.schema.json says it of messages from a server (e2e.server).
TEST(TaskJson, FitsItsSchema) {
  const std::map<std::vector<std::string>, std::set<JsonKind>> schema = {
      {{"task_id"}, {JsonKind::string}},
      {{"workflow_id"}, {JsonKind::string}},
      {{"execution_id"}, {JsonKind::string}},
      {{"node_id"}, {JsonKind::string}},
      {{"node_type"}, {JsonKind::string}},
      {{"node_config"}, {JsonKind::object}},
      {{"priority"}, {JsonKind::number}},
      {{"timeout"}, {JsonKind::number, JsonKind::null}},
      {{"retry_policy"}, {JsonKind::object}},
      {{"retry_policy", "max_attempts"}, {JsonKind::number}},
      {{"retry_policy", "backoff"}, {JsonKind::object}},
      {{"metadata"}, {JsonKind::object}},
      {{"metadata", "tenant_id"}, {JsonKind::string, JsonKind::null}},
      {{"metadata", "user_id"}, {JsonKind::string, JsonKind::null}},
  };
  Random dice{1};
  RandomWorkflowPlan plan{.only_functions = false};
  for (int round = 0; round < 100; ++round) {
    RunContext context;
    context.workflow = std::make_shared<const Workflow>(random_workflow(dice, plan));
    context.execution = {dice.below(1000) + 1};
    context.node = static_cast<NodeIndex>(dice.below(context.workflow->nodes.size()));
    context.input = Payload::inline_json(random_input(dice, plan));
    TaskMessage task = TaskMessages(context).of(7);
    std::string text = to_json(task);
    ASSERT_TRUE(json_validate(text).ok()) << text;
    EXPECT_EQ(json_count(text), 11u);
    for (const auto& [path, kinds] : schema) {
      std::optional<std::string_view> value = json_find(text, path);
      ASSERT_TRUE(value) << path.back();
      EXPECT_TRUE(kinds.count(json_kind(*value))) << path.back();
    }
    Result<TaskMessage> back = task_from_json(text);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, task);
  }
}

TEST(TaskJson, IdsTellTasksApartAndStayTheSame) {
  const RunContext context = context_of(function_node());
  const RunContext same = context_of(function_node());
  TaskMessages messages(context);
  TaskMessages again(same);
  std::set<std::string> ids = {messages.of(0).execution_id, messages.of(0).workflow_id};
  for (ItemIndex item = 0; item < 100; ++item) {
    EXPECT_EQ(messages.of(item), again.of(item));
    ids.insert(messages.of(item).task_id);
  }
  EXPECT_EQ(ids.size(), 102u);
}

TEST(TaskJson, InputDataIsTheItemTheInputOrAReference) {
  RunContext plain = context_of(function_node());
  EXPECT_EQ(TaskMessages(plain).of(0).input_data, "null");
  plain.input = Payload::blob({{17}, 3, 100'000, {1, 2}});
  EXPECT_EQ(
      TaskMessages(plain).of(0).input_data,
      R"({"blob":{"owner":"e17","sequence":3,"size":100000,"hash":")" + to_hex({1, 2}) + "\"}}");
  Node node = function_node();
  node.for_each = make_expression(".input");
  RunContext mapped = context_of(std::move(node));
  mapped.items_count = 3;
  EXPECT_EQ(TaskMessages(mapped).of(2).input_data, "2");
  mapped.items = Payload::inline_json(encode_items(R"(["a",{"b":1},null])"));
  EXPECT_EQ(TaskMessages(mapped).of(1).input_data, R"({"b":1})");
  mapped.items = Payload::blob({{17}, 4, 100'000, {1, 2}});
  EXPECT_EQ(TaskMessages(mapped).of(1).input_data,
            R"({"blob":{"owner":"e17","sequence":4,"size":100000,"hash":")" + to_hex({1, 2}) +
                R"("},"item":1})");
}

TEST(TaskJson, ReadersTolerateWhatTheyDoNotKnow) {
  const RunContext context = context_of(function_node());
  TaskMessage task = TaskMessages(context).of(0);
  std::string text = to_json(task);
  text.insert(1, R"("added":{"later":[1,2]},)");
  text.insert(text.find("\"tenant_id\""), R"("color":"red",)");
  Result<TaskMessage> back = task_from_json(text);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, task);
}

TEST(TaskJson, ErrorsNameTheField) {
  const RunContext context = context_of(function_node());
  std::string good = to_json(TaskMessages(context).of(0));
  auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    Result<TaskMessage> back = task_from_json(text);
    return back.ok() ? std::string("accepted") : back.error().message;
  };
  EXPECT_EQ(with("\"priority\":5", "\"priority\":10"),
            "task message: field 'priority' must be a plain decimal number within its range");
  EXPECT_EQ(with("\"priority\":5", "\"priority\":\"5\""),
            "task message: field 'priority' must be a number");
  EXPECT_EQ(with("\"node_id\"", "\"node\""), "task message: field 'node_id' must be a string");
  EXPECT_EQ(with("\"input_data\"", "\"data\""), "task message: field 'input_data' must be there");
  EXPECT_EQ(with("\"first\"", "\"last\""),
            "task message: field 'retry_policy.backoff.first' must be a number");
  EXPECT_EQ(with("\"task_id\":\"", "\"task_id\":\"x"),
            "task message: field 'task_id' must be a UUID");
  EXPECT_NE(with("30.5", "3e1"), "accepted");
  EXPECT_NE(with("30.5", "-1"), "accepted");
  EXPECT_NE(with("30.5", "99999999999"), "accepted");
  EXPECT_FALSE(task_from_json("[]").ok());
  EXPECT_FALSE(task_from_json(good.substr(1)).ok());
}

}  // namespace
}  // namespace pawl
