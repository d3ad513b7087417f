#include "pawl/testing/random_workflow.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pawl/base/json.h"

namespace pawl {
namespace {

// Length of the longest path, by walking back; nodes are few.
size_t depth_of(const Workflow& workflow, NodeIndex node) {
  size_t depth = 0;
  for (NodeIndex need : workflow.nodes[node].needs)
    depth = std::max(depth, depth_of(workflow, need));
  return depth + 1;
}

size_t depth(const Workflow& workflow) {
  size_t deepest = 0;
  for (NodeIndex node = 0; node < workflow.nodes.size(); ++node)
    deepest = std::max(deepest, depth_of(workflow, node));
  return deepest;
}

TEST(RandomWorkflow, SameDiceSameWorkflow) {
  Random one{1}, two{1};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(random_workflow(one, {}).nodes, random_workflow(two, {}).nodes);
    EXPECT_EQ(random_input(one, {}), random_input(two, {}));
  }
}

TEST(RandomWorkflow, EveryShapeIsItself) {
  Random dice{2};
  for (int i = 0; i < 50; ++i) {
    RandomWorkflowPlan plan{.nodes_max = 30};
    auto of = [&](WorkflowShape shape) { return random_workflow(dice, plan, shape); };
    EXPECT_EQ(depth(of(WorkflowShape::islands)), 1u);
    Workflow chain = of(WorkflowShape::chain);
    EXPECT_EQ(depth(chain), chain.nodes.size());
    Workflow wide = of(WorkflowShape::wide);
    EXPECT_EQ(depth(wide), std::min<size_t>(wide.nodes.size(), 3));
    EXPECT_LE(depth(of(WorkflowShape::tree)), 5u);
    Workflow diamonds = of(WorkflowShape::diamonds);
    EXPECT_EQ(depth(diamonds),
              (diamonds.nodes.size() - 1) / 3 * 2 + ((diamonds.nodes.size() - 1) % 3 != 0) + 1);
    of(WorkflowShape::layers);
    of(WorkflowShape::tangle);
  }
}

TEST(RandomWorkflow, EverythingOccurs) {
  Random dice{3};
  RandomWorkflowPlan plan{.evaluated_permille = 100, .only_functions = false};
  size_t mapped = 0, conditional = 0, evaluated = 0, timed = 0, out_of_order = 0, types = 0;
  for (int i = 0; i < 200; ++i) {
    Workflow workflow = random_workflow(dice, plan);
    for (NodeIndex at = 0; at < workflow.nodes.size(); ++at) {
      const Node& node = workflow.nodes[at];
      mapped += node.mapped();
      conditional += static_cast<bool>(node.when);
      evaluated += node.when && !node.when.plain;
      timed += node.timeout.run.ns > 0;
      types |= 1u << static_cast<unsigned>(node.type);
      for (NodeIndex need : node.needs) out_of_order += need > at;
    }
  }
  EXPECT_GT(mapped, 100u);
  EXPECT_GT(conditional, 100u);
  EXPECT_GT(evaluated, 5u);
  EXPECT_GT(timed, 20u);
  EXPECT_GT(out_of_order, 100u);
  EXPECT_EQ(types, 7u);
}

TEST(RandomWorkflow, InputHasWhatTheExpressionsRead) {
  Random dice{4};
  for (int i = 0; i < 50; ++i) {
    std::string input = random_input(dice, {.items_max = 9});
    ASSERT_TRUE(json_validate(input).ok());
    EXPECT_EQ(json_find(input, {"yes"}), "true");
    uint64_t items = json_count(*json_find(input, {"list"}));
    EXPECT_TRUE(items >= 1 && items <= 9);
  }
}

}  // namespace
}  // namespace pawl
