// Valid workflows of every shape, from dice: for property tests, fuzz corpora and the simulator.
//
//   Random dice{seed};
//   Workflow workflow = random_workflow(dice, {.nodes_max = 40});
//   std::string input = random_input(dice, {});
//
// Same dice, same workflow. What comes back has passed finish(). Nodes stand in random order, so
// that nothing can rely on an index being a topological place. Expressions are over
// random_input()'s object:
//
//   yes, no      true, false: conditions that hold and do not
//   none         []: a mapped node without items
//   list, count  items as a list, and as a number
//
// All are plain paths unless `evaluated` asks for jq that has to be evaluated.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/random.h"
#include "pawl/model/command.h"
#include "pawl/model/workflow.h"

namespace pawl {

enum class WorkflowShape : uint8_t {
  islands,   // no edges at all
  chain,     // one after the other: as deep as possible
  wide,      // one, then all at once, then one: fan-out and fan-in
  tree,      // every node feeds two
  diamonds,  // a chain of a -> (b, c) -> d
  layers,    // every node needs some of the layer before
  tangle,    // every node needs any of the nodes before
};
constexpr uint32_t workflow_shapes = 7;

struct RandomWorkflowPlan {
  uint32_t nodes_max = 20;
  uint32_t items_max = 50;            // of a mapped node
  uint32_t mapped_permille = 200;     // nodes with for_each
  uint32_t condition_permille = 200;  // nodes with when
  uint32_t retry_permille = 500;      // nodes that are tried more than once
  uint32_t timeout_permille = 100;    // nodes with timeouts
  uint32_t reads_permille = 0;        // function nodes with inputs of their own
  uint32_t evaluated_permille = 0;    // expressions that are not plain paths
  uint32_t placed_permille = 0;       // nodes that say where they may run, or wait in queue "bulk"
  std::string function = "work";      // what function nodes call
  bool only_functions = true;         // otherwise process and transform nodes too
};

// The shape is drawn from the dice, too.
Workflow random_workflow(Random& dice, const RandomWorkflowPlan& plan);
Workflow random_workflow(Random& dice, const RandomWorkflowPlan& plan, WorkflowShape shape);

// What a worker offers: all that any of these nodes asks for (`everything`), or some of it.
void offer_anything(WorkerSpec& worker, Random& dice, bool everything);
// Some change to queue "default" or "bulk", which may hold everything up ...
ConfigureQueue random_queue(Random& dice);
// ... and the one that lets everything go on.
ConfigureQueue open_queue(std::string name);

// An input for any of these workflows: a JSON object.
std::string random_input(Random& dice, const RandomWorkflowPlan& plan);

}  // namespace pawl
