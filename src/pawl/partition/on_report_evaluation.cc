#include "pawl/partition/native.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

void take_output(Step& step, const Execution& execution, const ReportEvaluation& command) {
  ExecutionEnded end{execution.id, ExecutionStatus::succeeded, command.value, {}};
  if (!command.succeeded) {
    end.status = ExecutionStatus::failed;
    end.output = {};
    end.error = cut(step.state().limits, "output: " + command.error);
  }
  step.ask(Settled{end.execution, end.status});
  step.emit(std::move(end));
}

}  // namespace

// An answer that nobody waits for any more (cancelled, answered twice) changes nothing.
Reply on(Step& step, const ReportEvaluation& command) {
  const Execution* execution = step.state().executions.find(command.execution);
  if (execution == nullptr || command.node >= execution->nodes.size()) return {};
  if (command.purpose == EvaluationPurpose::output) {
    if (execution->evaluating_output) take_output(step, *execution, command);
    return {};
  }
  bool condition = command.purpose == EvaluationPurpose::condition;
  if (execution->nodes[command.node].status !=
      (condition ? NodeStatus::evaluating_condition : NodeStatus::evaluating_items))
    return {};
  if (!command.succeeded) {
    step.emit(NodeParked{
        command.execution, command.node,
        cut(step.state().limits, (condition ? "when: " : "for_each: ") + command.error)});
  } else if (!condition) {
    step.emit(NodeActivated{command.execution, command.node, command.items_count, command.value});
  } else if (command.value.is_blob() || json_true(command.value.text())) {
    activate(step, *execution, command.node);
  } else {
    step.emit(NodeSkipped{command.execution, command.node, SkipReason::condition_false});
  }
  return {};
}

}  // namespace pawl
