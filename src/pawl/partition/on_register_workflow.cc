#include "pawl/partition/step.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

Reply refuse_id(const RegisterWorkflow& command, const std::string& here) {
  return refuse(Code::failed_precondition,
                "the first partition has the workflow as number " +
                    std::to_string(command.id.value) + ", and in this one " + here +
                    "; the directories of these partitions do not belong together");
}

}  // namespace

Reply on(Step& step, const RegisterWorkflow& command) {
  const State& state = step.state();
  auto known = state.workflow_ids.find(hash_in(command.name_space, command.definition));
  if (known != state.workflow_ids.end()) {
    if (command.id && command.id != known->second)
      return refuse_id(command, "it has number " + std::to_string(known->second.value));
    return {Code::ok, "", known->second.value};
  }
  if (state.workflows.contains(command.id)) return refuse_id(command, "another has that number");
  if (command.definition.size() > state.limits.definition_bytes_max)
    return refuse(Code::resource_exhausted,
                  "the definition has " + std::to_string(command.definition.size()) +
                      " bytes encoded; the limit definition_bytes_max is " +
                      std::to_string(state.limits.definition_bytes_max));
  if (state.workflows.size() >= state.limits.workflows_max)
    return refuse(Code::resource_exhausted, "the limit workflows_max (" +
                                                std::to_string(state.limits.workflows_max) +
                                                " registered versions) is reached");
  auto decoded = decode_workflow(command.definition);
  if (!decoded.ok()) return refuse(decoded.error().code, decoded.error().message);
  if (size_t named = queues_of(*decoded).size(); named > state.limits.queues_max)
    return refuse(Code::resource_exhausted, "the definition names " + std::to_string(named) +
                                                " queues; the limit queues_max is " +
                                                std::to_string(state.limits.queues_max));
  if (Status good = check_name_space(command.name_space); !good.ok())
    return refuse(good.error().code, good.error().message);
  WorkflowId id = command.id ? command.id : WorkflowId{state.last_workflow + 1};
  step.emit(WorkflowRegistered{id, command.definition, command.name_space});
  return {Code::ok, "", id.value};
}

}  // namespace pawl
