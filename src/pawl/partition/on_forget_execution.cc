#include "pawl/partition/step.h"

namespace pawl {

Reply on(Step& step, const ForgetExecution& command) {
  const Execution* execution = step.state().executions.find(command.execution);
  if (execution == nullptr) {
    bool before = command.execution.value <= step.state().last_execution;
    return before && command.execution ? Reply{Code::ok, "", 0}
                                       : no_execution(step.state(), command.execution);
  }
  std::string id = to_text(command.execution);
  if (!execution->ended_already())
    return refuse(Code::failed_precondition, id + " is " + name(execution->status) +
                                                 "; only what has ended can be forgotten, and "
                                                 "`pawl cancel " +
                                                 id + "` ends it");
  step.ask(DropBelongings{command.execution});
  step.emit(ExecutionForgotten{command.execution, execution->request, execution->payload_hash,
                               execution->name_space->name});
  return {Code::ok, "", 1};
}

}  // namespace pawl
