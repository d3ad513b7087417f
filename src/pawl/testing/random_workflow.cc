#include "pawl/testing/random_workflow.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "pawl/base/json.h"

namespace pawl {
namespace {

using Needs = std::vector<std::vector<NodeIndex>>;

std::vector<NodeIndex> some_of(Random& dice, NodeIndex begin, NodeIndex end, uint32_t most) {
  std::vector<NodeIndex> chosen;
  for (uint64_t n = dice.between(1, most); n > 0; --n)
    chosen.push_back(static_cast<NodeIndex>(dice.between(begin, end - 1)));
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

void make_layers(Random& dice, Needs& needs) {
  auto count = static_cast<NodeIndex>(needs.size());
  NodeIndex before = 0;
  auto begin = static_cast<NodeIndex>(dice.between(1, count));
  while (begin < count) {
    auto end = static_cast<NodeIndex>(dice.between(begin + 1, count));
    for (NodeIndex node = begin; node < end; ++node) needs[node] = some_of(dice, before, begin, 3);
    before = begin;
    begin = end;
  }
}

// Edges from lower to higher indexes only: no cycles.
Needs make_needs(Random& dice, WorkflowShape shape, NodeIndex count) {
  Needs needs(count);
  if (shape == WorkflowShape::layers) make_layers(dice, needs);
  for (NodeIndex node = 1; node < count; ++node) {
    switch (shape) {
      case WorkflowShape::islands:
      case WorkflowShape::layers:
        break;
      case WorkflowShape::chain:
        needs[node] = {node - 1};
        break;
      case WorkflowShape::wide:
        needs[node] = {0};
        if (node == count - 1 && count > 2) {
          needs[node].resize(count - 2);
          std::iota(needs[node].begin(), needs[node].end(), 1);
        }
        break;
      case WorkflowShape::tree:
        needs[node] = {(node - 1) / 2};
        break;
      case WorkflowShape::diamonds:
        if (node % 3 == 0)
          needs[node] = {node - 2, node - 1};
        else
          needs[node] = {node - node % 3};
        break;
      case WorkflowShape::tangle:
        if (dice.chance(850)) needs[node] = some_of(dice, 0, node, 4);
        break;
    }
  }
  return needs;
}

class Builder {
 public:
  Builder(Random& dice, const RandomWorkflowPlan& plan) : dice_(dice), plan_(plan) {}

  Workflow build(WorkflowShape shape) {
    auto count = static_cast<NodeIndex>(dice_.between(1, std::max(plan_.nodes_max, 1u)));
    Needs needs = make_needs(dice_, shape, count);
    std::vector<NodeIndex> place = shuffled(count);
    Workflow workflow;
    workflow.name = "random";
    workflow.version = std::to_string(dice_.below(100));
    workflow.nodes.resize(count);
    for (NodeIndex i = 0; i < count; ++i) {
      Node& node = workflow.nodes[place[i]];
      node.id = "n" + std::to_string(i);
      for (NodeIndex need : needs[i]) node.needs.push_back(place[need]);
      fill(node, needs[i]);
      if (plan_.reads_permille > 0) fill_reads(node, needs[i]);
      if (plan_.placed_permille > 0) fill_placement(node);
    }
    if (dice_.chance(300))
      workflow.output = path(".nodes.n" + std::to_string(count - 1) + ".output");
    Status status = finish(workflow);
    PAWL_CHECK(status.ok(), "a random workflow is not valid");
    return workflow;
  }

 private:
  std::vector<NodeIndex> shuffled(NodeIndex count) {
    std::vector<NodeIndex> place(count);
    std::iota(place.begin(), place.end(), 0);
    for (NodeIndex left = count; left > 1; --left)
      std::swap(place[left - 1], place[dice_.below(left)]);
    return place;
  }

  Expression path(std::string text) {
    if (dice_.chance(plan_.evaluated_permille)) text += " | .";
    return make_expression(std::move(text));
  }

  // `needs` by the number in the id, not by place.
  void fill(Node& node, const std::vector<NodeIndex>& needs) {
    fill_type(node);
    if (dice_.chance(plan_.condition_permille)) {
      const char* const inputs[] = {".input.yes", ".input.yes", ".input.no"};
      node.when =
          needs.empty() || dice_.chance(500)
              ? path(inputs[dice_.below(3)])
              : path(".nodes.n" + std::to_string(needs[dice_.below(needs.size())]) + ".output");
    }
    if (dice_.chance(plan_.mapped_permille)) {
      const char* const inputs[] = {".input.list", ".input.list", ".input.count", ".input.none"};
      node.for_each = path(inputs[dice_.below(4)]);
    }
    if (dice_.chance(plan_.retry_permille)) {
      node.retry.max_attempts = static_cast<uint32_t>(dice_.between(2, 5));
      node.retry.backoff_first = Duration::milliseconds(static_cast<int64_t>(dice_.below(2000)));
      node.retry.backoff_factor_permille = static_cast<uint32_t>(dice_.between(1000, 3000));
    }
    if (dice_.chance(plan_.timeout_permille)) {
      node.timeout.queue = Duration::minutes(static_cast<int64_t>(dice_.below(10)));
      node.timeout.run = Duration::seconds(static_cast<int64_t>(dice_.below(100)));
    }
    node.priority = static_cast<uint8_t>(dice_.below(10));
  }

  // [${ .input.count }, ${ .nodes.n3.output }, ${ .item }]
  void fill_reads(Node& node, const std::vector<NodeIndex>& needs) {
    if (node.type != NodeType::function || !dice_.chance(plan_.reads_permille)) return;
    node.with = {{{"[", {}}, {"", path(".input.count")}}};
    auto add = [&](std::string text) {
      node.with.parts.push_back({",", {}});
      node.with.parts.push_back({"", path(std::move(text))});
    };
    for (NodeIndex need : needs) add(".nodes.n" + std::to_string(need) + ".output");
    if (node.mapped()) add(".item");
    node.with.parts.push_back({"]", {}});
  }

  // Never more than offer_anything() offers to those who shall take everything.
  void fill_placement(Node& node) {
    if (!dice_.chance(plan_.placed_permille)) return;
    if (dice_.chance(400)) node.queue = "bulk";
    Placement& placement = node.placement;
    if (dice_.chance(500)) placement.resources = {{"cpu", dice_.between(1, 4) * 500}};
    if (dice_.chance(200)) placement.resources.push_back({"gpu", 1});
    const PlacementRule rules[] = {{"disk", "ssd", RuleKind::require},
                                   {"zone", "b", RuleKind::forbid},
                                   {"zone", "b", RuleKind::prefer},
                                   {"disk", "ssd", RuleKind::avoid}};
    if (dice_.chance(400)) placement.rules.push_back(rules[dice_.below(4)]);
    if (node.mapped() && dice_.chance(200)) placement.apart = static_cast<Apart>(dice_.below(3));
    if (dice_.chance(200)) placement.key = make_expression(".input.count");
  }

  void fill_type(Node& node) {
    node.type = plan_.only_functions ? NodeType::function : static_cast<NodeType>(dice_.below(3));
    switch (node.type) {
      case NodeType::function:
        node.function = plan_.function;
        break;
      case NodeType::transform:
        node.transform = path(".input");
        break;
      case NodeType::process: {
        Template count{{{"n=", {}}, {"", path(".input.count")}}};
        node.process.argv = {{{{"echo", {}}}}, count};
        if (dice_.chance(300)) node.process.environment = {{"COUNT", count}};
        node.process.output = static_cast<OutputMode>(dice_.below(4));
        node.process.limits.open_files = dice_.below(3) * 64;
        break;
      }
    }
  }

  Random& dice_;
  const RandomWorkflowPlan& plan_;
};

}  // namespace

Workflow random_workflow(Random& dice, const RandomWorkflowPlan& plan) {
  return random_workflow(dice, plan, static_cast<WorkflowShape>(dice.below(workflow_shapes)));
}

Workflow random_workflow(Random& dice, const RandomWorkflowPlan& plan, WorkflowShape shape) {
  return Builder(dice, plan).build(shape);
}

void offer_anything(WorkerSpec& worker, Random& dice, bool everything) {
  worker.capacity = {{"cpu", everything ? 2000 : dice.between(1, 6) * 500}};
  if (everything || dice.chance(300)) worker.capacity.push_back({"gpu", dice.between(1, 2)});
  if (everything || dice.chance(500)) worker.labels = {{"disk", "ssd"}};
  worker.zone = everything || dice.chance(500) ? "a" : "b";
  worker.weight = static_cast<uint32_t>(dice.between(1, 5));
  if (!everything && dice.chance(300)) worker.queues = {"bulk"};
}

ConfigureQueue random_queue(Random& dice) {
  ConfigureQueue change;
  change.name = dice.chance(500) ? "bulk" : "default";
  if (dice.chance(500))
    change.strategy = static_cast<Strategy>(dice.below(static_cast<uint64_t>(last_strategy) + 1));
  if (dice.chance(300)) change.paused = dice.chance(300);
  if (dice.chance(300)) change.concurrency_max = dice.below(5);
  if (dice.chance(300)) change.rate_permille = dice.below(3) * 2000;
  if (dice.chance(300)) change.burst = dice.between(1, 6);
  if (dice.chance(300)) change.aging = Duration::seconds(static_cast<int64_t>(dice.between(1, 90)));
  Random aside = dice;  // so that seeds mean what they meant
  if (aside.chance(300)) change.waiting_max = aside.below(8);
  return change;
}

ConfigureQueue open_queue(std::string name) {
  ConfigureQueue change;
  change.name = std::move(name);
  change.paused = false;
  change.concurrency_max = 0;
  change.rate_permille = 0;
  change.waiting_max = 0;
  return change;
}

std::string random_input(Random& dice, const RandomWorkflowPlan& plan) {
  JsonWriter out;
  out.begin_object().key("yes").boolean(true).key("no").boolean(false);
  out.key("none").begin_array().end_array();
  out.key("count").number(dice.between(1, std::max(plan.items_max, 1u)));
  out.key("list").begin_array();
  for (uint64_t n = dice.between(1, std::max(plan.items_max, 1u)); n > 0; --n) {
    if (dice.chance(500))
      out.number(dice.below(1000));
    else
      out.string("item " + std::to_string(n));
  }
  return out.end_array().end_object().take();
}

}  // namespace pawl
