#include "pawl/partition/step.h"

namespace pawl {
namespace {

struct Found {
  std::vector<TaskRange> tasks;
  std::vector<NodeIndex> nodes;  // parked as a whole
  uint64_t count = 0;
};

// Every dead letter the selection names, as ranges of tasks that are parked alike.
Found find_parked(const Execution& execution, const DeadLetterSelection& which) {
  Found found;
  for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
    if (!which.all_nodes && node != which.node) continue;
    const NodeRun& run = execution.nodes[node];
    if (run.status == NodeStatus::parked && which.all_items) {
      found.nodes.push_back(node);
      ++found.count;
    }
    if (run.parked == 0) continue;
    for (const auto& [begin, entry] : run.work->stories.entries()) {
      if (entry.story.status != TaskStatus::parked) continue;
      TaskRange range{execution.id, node, begin, entry.end};
      if (!which.all_items) {
        if (which.item < begin || which.item >= entry.end) continue;
        range.begin = which.item;
        range.end = which.item + 1;
      }
      found.tasks.push_back(range);
      found.count += range.size();
    }
  }
  return found;
}

Result<Found> select(const State& state, const DeadLetterSelection& which) {
  const Execution* execution = state.executions.find(which.execution);
  if (execution == nullptr) {
    Reply reply = no_execution(state, which.execution);
    return Error{reply.code, reply.message};
  }
  if (execution->ended_already()) {
    Reply reply = has_ended(*execution);
    return Error{reply.code, reply.message};
  }
  return find_parked(*execution, which);
}

}  // namespace

Reply on(Step& step, const RedriveDeadLetters& command) {
  auto found = select(step.state(), command.which);
  if (!found.ok()) return refuse(found.error().code, found.error().message);
  for (const TaskRange& range : found->tasks) step.emit(DeadLettersRedriven{range});
  for (NodeIndex node : found->nodes) step.emit(NodeRedriven{command.which.execution, node});
  return {Code::ok, "", found->count};
}

Reply on(Step& step, const DiscardDeadLetters& command) {
  auto found = select(step.state(), command.which);
  if (!found.ok()) return refuse(found.error().code, found.error().message);
  for (const TaskRange& range : found->tasks) step.emit(DeadLettersDiscarded{range});
  for (NodeIndex node : found->nodes) step.emit(NodeDiscarded{command.which.execution, node});
  return {Code::ok, "", found->count};
}

}  // namespace pawl
