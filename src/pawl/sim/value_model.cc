#include "pawl/sim/value_model.h"

#include <algorithm>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/base/json.h"

namespace pawl::sim {
namespace {

using Steps = std::vector<std::string>;

// ".nodes.n3.output | ." -> nodes, n3, output. The random workflows use no other form; what is given in
// files does, and is evaluated over a document of our own.
std::optional<Steps> steps_of(std::string_view text) {
  if (text.ends_with(" | .")) text.remove_suffix(4);
  if (!text.starts_with('.')) return std::nullopt;
  Steps steps;
  while (text.starts_with('.')) {
    text.remove_prefix(1);
    size_t end = std::min(text.find('.'), text.size());
    steps.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  for (const std::string& step : steps)
    if (step.empty() || step.find_first_of(" |[\"(") != std::string::npos) return std::nullopt;
  return steps;
}

std::string follow(const std::string& json, const Steps& steps, size_t from) {
  Steps rest(steps.begin() + static_cast<std::ptrdiff_t>(std::min(from, steps.size())),
             steps.end());
  auto found = json_find(json, rest);
  return found ? std::string(*found) : "null";
}

// Null unless the node ran; of a mapped node a list in item order, null where an item gave nothing.
std::string output_of(const NodeModel& node, bool mapped) {
  if (node.state == NodeState::skipped || !node.activated) return "null";
  if (!mapped) return node.tasks[0].output;
  std::string list = "[";
  for (const TaskModel& task : node.tasks) list += (list.size() > 1 ? "," : "") + task.output;
  return list + "]";
}

std::string node_value(const ExecutionModel& execution, const Steps& steps) {
  const Workflow& workflow = *execution.definition;
  for (NodeIndex i = 0; i < workflow.nodes.size(); ++i)
    if (steps.size() >= 3 && workflow.nodes[i].id == steps[1] && steps[2] == "output")
      return follow(output_of(execution.nodes[i], workflow.nodes[i].mapped()), steps, 3);
  return "null";
}

std::optional<std::string> evaluated(const ExecutionModel& execution, const Expression& expression,
                                     NodeIndex node, ItemIndex item) {
  if (execution.jq == nullptr) return std::nullopt;
  const Workflow& workflow = *execution.definition;
  JsonWriter document;
  document.begin_object().key("input").raw(execution.input).key("nodes").begin_object();
  for (NodeIndex i = 0; i < workflow.nodes.size(); ++i)
    document.key(workflow.nodes[i].id)
        .begin_object()
        .key("output")
        .raw(output_of(execution.nodes[i], workflow.nodes[i].mapped()))
        .end_object();
  document.end_object();
  if (expression.text.find("item") != std::string::npos && workflow.nodes[node].mapped())
    document.key("item").raw(subject_of(execution, node, item));
  document.end_object();
  execution.jq->read(document.take());
  Result<std::string> value = execution.jq->evaluate(expression.text);
  return value.ok() ? std::optional(*value) : std::nullopt;
}

// Part by part; by jq as a whole where a part alone is an error, or gives no value or several.
std::optional<std::string> composed(const ExecutionModel& execution, const Expression& expression,
                                    NodeIndex node, ItemIndex item) {
  std::string json;
  for (const ExpressionPart& part : expression.parts) {
    const bool literal = part.kind == ExpressionPart::Kind::literal;
    auto value = literal ? std::optional(part.text)
                         : value_of(execution, make_expression(part.text), node, item);
    if (!value) return evaluated(execution, expression, node, item);
    append_value(json, *value, part.in_text);
  }
  return json;
}

}  // namespace

const char* name(Decision decision) {
  constexpr const char* names[] = {"run", "needs_failed", "needs_skipped", "condition_false",
                                   "park"};
  return names[static_cast<size_t>(decision)];
}

std::optional<std::string> value_of(const ExecutionModel& execution, const Expression& expression,
                                    NodeIndex node, ItemIndex item) {
  if (!expression.parts.empty()) return composed(execution, expression, node, item);
  auto steps = steps_of(expression.text);
  if (!steps) return evaluated(execution, expression, node, item);
  const std::string& first = steps->front();
  if (first == "input") return follow(execution.input, *steps, 1);
  if (first == "nodes") return node_value(execution, *steps);
  if (first == "item" && execution.definition->nodes[node].mapped())
    return follow(subject_of(execution, node, item), *steps, 1);
  return "null";
}

std::optional<std::vector<std::string>> items_of(const ExecutionModel& execution, NodeIndex node) {
  const Expression& for_each = execution.definition->nodes[node].for_each;
  auto value = value_of(execution, for_each, node, 0);
  if (!value) return std::nullopt;
  std::vector<std::string> items;
  if (json_kind(*value) == JsonKind::array) {
    for (JsonItems walk(*value); walk.next();) items.emplace_back(walk.value());
    return items;
  }
  if (json_kind(*value) != JsonKind::number) return std::nullopt;
  uint64_t count = std::stoull(*value);
  for (uint64_t i = 0; i < count; ++i) items.push_back(std::to_string(i));
  return items;
}

std::string subject_of(const ExecutionModel& execution, NodeIndex node, ItemIndex item) {
  if (!execution.definition->nodes[node].mapped()) return execution.input;
  auto items = items_of(execution, node);
  return items && item < items->size() ? (*items)[item] : "null";
}

Decision decision(const ExecutionModel& execution, NodeIndex index, const Limits& limits) {
  const Node& node = execution.definition->nodes[index];
  bool any_succeeded = node.needs.empty();
  for (NodeIndex need : node.needs) {
    const NodeModel& before = execution.nodes[need];
    bool skipped = before.state == NodeState::skipped;
    if (skipped && before.skip_reason == SkipReason::needs_failed) return Decision::needs_failed;
    if (!skipped && before.state != NodeState::succeeded) return Decision::needs_failed;
    any_succeeded |= !skipped;
  }
  if (!any_succeeded) return Decision::needs_skipped;
  if (node.when) {
    auto value = value_of(execution, node.when, index, 0);
    if (!value) return Decision::park;
    if (*value == "null" || *value == "false") return Decision::condition_false;
  }
  if (!node.mapped()) return Decision::run;
  auto items = items_of(execution, index);
  return items && items->size() <= limits.mapped_items_max ? Decision::run : Decision::park;
}

std::optional<std::string> result_of(const ExecutionModel& execution) {
  const Workflow& workflow = *execution.definition;
  if (workflow.output) return value_of(execution, workflow.output, 0, 0);
  std::vector<bool> needed(workflow.nodes.size());
  for (const Node& node : workflow.nodes)
    for (NodeIndex need : node.needs) needed[need] = true;
  std::string result = "{";
  for (NodeIndex i = 0; i < workflow.nodes.size(); ++i) {
    if (needed[i]) continue;
    if (result.size() > 1) result += ",";
    result += json_quote(workflow.nodes[i].id) + ":" +
              output_of(execution.nodes[i], workflow.nodes[i].mapped());
  }
  return result + "}";
}

}  // namespace pawl::sim
