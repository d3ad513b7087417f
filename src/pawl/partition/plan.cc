#include "pawl/partition/plan.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "pawl/base/check.h"

namespace pawl {
namespace {

bool name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '-';
}

using Names = std::map<std::string_view, NodeIndex>;

// Which nodes a workflow's expressions mention. jq is not parsed: every `.nodes.<id>` counts, and
// an expression that uses `.nodes` in any other way is taken to read all.
class Mentions {
 public:
  explicit Mentions(const Names& names) : names_(names) {}

  void add(const Expression& expression) {
    if (expression.plain) {
      if (expression.path.size() >= 2 && expression.path[0] == "nodes") name(expression.path[1]);
      if (expression.path.size() == 1 && expression.path[0] == "nodes") all = true;
      if (expression.path.empty()) all = true;
      return;
    }
    scan(expression.text);
  }
  void add(const Template& text) {
    for (const TemplatePart& part : text.parts) {
      if (part.expression) add(part.expression);
    }
  }

  bool all = false;
  std::vector<NodeIndex> nodes;

 private:
  void name(std::string_view id) {
    auto known = names_.find(id);
    if (known != names_.end()) nodes.push_back(known->second);
  }
  void scan(std::string_view text) {
    if (text == ".") all = true;
    for (size_t at = text.find("nodes"); at != std::string_view::npos;
         at = text.find("nodes", at)) {
      at += 5;
      size_t end = at + 1;
      while (end < text.size() && name_character(text[end])) ++end;
      if (at < text.size() && text[at] == '.' && end > at + 1) {
        name(text.substr(at + 1, end - at - 1));
      } else {
        all = true;
      }
    }
  }

  const Names& names_;
};

void add_node_expressions(const Node& node, Mentions& mentions) {
  mentions.add(node.when);
  mentions.add(node.for_each);
  mentions.add(node.transform);
  mentions.add(node.with);
  for (const Template& argument : node.process.argv) mentions.add(argument);
  for (const auto& [key, value] : node.process.environment) mentions.add(value);
  for (const auto& [key, value] : node.process.output_files) mentions.add(value);
  mentions.add(node.process.directory);
}

// Everything that `node` transitively needs, ascending.
std::vector<NodeIndex> ancestors(const Workflow& workflow, NodeIndex node) {
  std::vector<bool> seen(workflow.nodes.size());
  std::vector<NodeIndex> open = workflow.nodes[node].needs;
  std::vector<NodeIndex> found;
  while (!open.empty()) {
    NodeIndex next = open.back();
    open.pop_back();
    if (seen[next]) continue;
    seen[next] = true;
    found.push_back(next);
    open.insert(open.end(), workflow.nodes[next].needs.begin(), workflow.nodes[next].needs.end());
  }
  std::sort(found.begin(), found.end());
  return found;
}

template <class T>
std::vector<T> ascending_once(std::vector<T> all) {
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

std::vector<NodeIndex> reads_of(const Plan& plan, NodeIndex node) {
  const NodeReads& reads = plan.reads[node];
  return reads.all ? ancestors(*plan.workflow, node) : reads.nodes;
}

std::vector<std::string> queues_of(const Workflow& workflow) {
  std::vector<std::string> names;
  for (const Node& node : workflow.nodes) names.push_back(node.queue);
  return ascending_once(std::move(names));
}

void enter(Plan& plan, ReadyQueue& ready, QueueTable& queues) {
  if (plan.open++ > 0) return;
  for (const Node& node : plan.workflow->nodes) {
    const bool function = node.type == NodeType::function;
    plan.lanes.push_back(ready.lane({node.queue, node.type, function ? node.function : "",
                                     node.placement, node.timeout.queue.ns > 0},
                                    queues));
    plan.queues.push_back(ready.queue(plan.lanes.back()));
  }
}

void leave(Plan& plan, ReadyQueue& ready, QueueTable& queues) {
  PAWL_CHECK(plan.open > 0, "an execution ends once");
  if (--plan.open > 0) return;
  for (LaneId lane : plan.lanes) ready.let_go(lane, queues);
  plan.lanes.clear();
  plan.queues.clear();
}

std::unique_ptr<Plan> make_plan(WorkflowId id, WorkflowRef workflow, Hash128 hash,
                                std::string name_space) {
  auto plan = std::make_unique<Plan>();
  plan->id = id;
  plan->hash = hash;
  plan->name_space = std::move(name_space);
  Names names;
  for (NodeIndex i = 0; i < workflow->nodes.size(); ++i) names.emplace(workflow->nodes[i].id, i);
  for (const Node& node : workflow->nodes) {
    plan->priority = std::max(plan->priority, node.priority);
    Mentions mentions(names);
    add_node_expressions(node, mentions);
    plan->reads.push_back({mentions.all, mentions.all ? std::vector<NodeIndex>()
                                                      : ascending_once(std::move(mentions.nodes))});
  }
  plan->waits_in = queues_of(*workflow);
  Mentions mentions(names);
  if (workflow->output) mentions.add(workflow->output);
  if (mentions.all) {
    for (NodeIndex i = 0; i < workflow->nodes.size(); ++i) plan->output_reads.push_back(i);
  } else if (workflow->output) {
    plan->output_reads = ascending_once(mentions.nodes);
  } else {
    for (NodeIndex i = 0; i < workflow->nodes.size(); ++i) {
      if (workflow->dependents[i].empty()) plan->output_reads.push_back(i);
    }
  }
  plan->workflow = std::move(workflow);
  return plan;
}

}  // namespace pawl
