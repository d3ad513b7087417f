// What the partition works out once per registered workflow: which lane each node waits in, and
// which outputs each node's expressions read, so that a context carries those and no others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/model/workflow.h"
#include "pawl/schedule/ready_queue.h"

namespace pawl {

struct Plan {
  WorkflowId id;
  WorkflowRef workflow;
  Hash128 hash;  // of the encoded definition
  std::string name_space;
  std::vector<LaneId> lanes;                  // per node
  std::vector<QueueId> queues;                // per node
  std::vector<QueueId> waits_in;              // of `queues` each once, ascending
  uint8_t priority = 0;                       // the highest of its nodes
  std::vector<std::vector<NodeIndex>> reads;  // per node: outputs its expressions may look at
  std::vector<NodeIndex> output_reads;        // of the workflow's output expression
};

std::unique_ptr<const Plan> make_plan(WorkflowId id, WorkflowRef workflow, Hash128 hash,
                                      std::string name_space, ReadyQueue& ready,
                                      QueueTable& queues);

}  // namespace pawl
