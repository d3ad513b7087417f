// What the partition works out once per registered workflow: which lane each node waits in, while an execution of
// it is open, and which outputs each node's expressions read, so that a context carries those and no others.
// Its memory is within a small multiple of the definition's: what reads all that is before it is not spelled out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/model/workflow.h"
#include "pawl/schedule/ready_queue.h"

namespace pawl {

// Outputs that a node's expressions may look at.
struct NodeReads {
  bool all = false;              // of everything it transitively needs
  std::vector<NodeIndex> nodes;  // otherwise: of these, ascending
};

struct Plan {
  WorkflowId id;
  WorkflowRef workflow;
  Hash128 hash;  // of the encoded definition
  std::string name_space;
  uint64_t open = 0;                    // executions that have not ended
  std::vector<LaneId> lanes;            // per node, while any is open
  std::vector<QueueId> queues;          // per node, while any is open
  std::vector<std::string> waits_in;    // names of its nodes' queues, each once
  uint8_t priority = 0;                 // the highest of its nodes
  std::vector<NodeReads> reads;         // per node
  std::vector<NodeIndex> output_reads;  // of the workflow's output expression
};

// Ascending. O(nodes and edges before it) where it reads all.
std::vector<NodeIndex> reads_of(const Plan& plan, NodeIndex node);

std::unique_ptr<Plan> make_plan(WorkflowId id, WorkflowRef workflow, Hash128 hash,
                                std::string name_space);

// One more execution of it is open, or one less: the first holds the lanes, and the last lets them go.
void enter(Plan& plan, ReadyQueue& ready, QueueTable& queues);
void leave(Plan& plan, ReadyQueue& ready, QueueTable& queues);

// The queues that its nodes name, each once, ascending.
std::vector<std::string> queues_of(const Workflow& workflow);

}  // namespace pawl
