#include "pawl/partition/describe.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

void stop_attempts(Step& step, const Execution& execution, NodeIndex node, const OpenRange& range,
                   ItemSpan span) {
  step.ask(Stop{range.session,
                {{execution.id, node, span.begin, span.end}, range.attempt, range.nonce}});
}

}  // namespace

// Reasons come from clients, errors from workers.
std::string cut(const Limits& limits, const std::string& text) {
  return text.substr(0, limits.error_bytes_max);
}

Reply no_execution(const State& state, ExecutionId id) {
  Error unknown = unknown_execution(state, id);
  return refuse(unknown.code, std::move(unknown.message));
}

Reply has_ended(const Execution& execution) {
  std::string id = to_text(execution.id);
  if (execution.status == ExecutionStatus::quarantined)
    return refuse(Code::failed_precondition,
                  id + " is quarantined, nothing of it goes on; `pawl why " + id + "` says more");
  return refuse(Code::failed_precondition, id + " has already " + name(execution.status));
}

Reply on(Step& step, const CancelExecution& command) {
  const Execution* execution = step.state().executions.find(command.execution);
  if (execution == nullptr) return no_execution(step.state(), command.execution);
  if (execution->status == ExecutionStatus::cancelled) return {Code::ok, "", 0};
  if (execution->ended_already()) return has_ended(*execution);
  for (NodeIndex node = 0; node < execution->nodes.size(); ++node) {
    if (!execution->nodes[node].work) continue;
    for (const OpenRange& range : execution->nodes[node].work->open)
      stop_attempts(step, *execution, node, range, range.span);
  }
  step.ask(Settled{execution->id, ExecutionStatus::cancelled});
  step.emit(ExecutionCancelled{command.execution, cut(step.state().limits, command.reason)});
  return {Code::ok, "", 1};
}

Reply on(Step& step, const CancelTask& command) {
  const Execution* execution = step.state().executions.find(command.task.execution);
  if (execution == nullptr) return no_execution(step.state(), command.task.execution);
  if (execution->status == ExecutionStatus::quarantined) return has_ended(*execution);
  if (command.task.node >= execution->nodes.size())
    return refuse(Code::not_found, to_text(execution->id) + " has no such node");
  const NodeRun& run = execution->nodes[command.task.node];
  const std::string& id = execution->definition(command.task.node).id;
  if (run.status != NodeStatus::active)
    return refuse(Code::failed_precondition, "node " + id + " is " + name(run.status) +
                                                 "; only tasks of an active node can "
                                                 "be cancelled one by one");
  ItemIndex item = command.task.item;
  if (item >= run.items_count)
    return refuse(Code::not_found,
                  "node " + id + " has items 0 to " + std::to_string(run.items_count - 1));
  TaskStatus status = task_status(run, item);
  if (status == TaskStatus::cancelled) return {Code::ok, "", 0};
  if (is_terminal(status))
    return refuse(Code::failed_precondition, std::string("the task has already ") + name(status));
  if (status == TaskStatus::granted) {
    for (const OpenRange& range : run.work->open) {
      if (range.span.begin <= item && item < range.span.end)
        stop_attempts(step, *execution, command.task.node, range, {item, item + 1});
    }
  }
  step.emit(TaskCancelled{command.task, cut(step.state().limits, command.reason)});
  return {Code::ok, "", 1};
}

}  // namespace pawl
