#include "pawl/base/json.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

Reply check_name_space(const State& state, const std::string& name) {
  const Limits& limits = state.limits;
  auto known = state.name_spaces.find(name);
  if (known == state.name_spaces.end()) {
    if (Status good = pawl::check_name_space(name); !good.ok())
      return refuse(good.error().code, good.error().message);
    if (state.name_spaces.size() >= limits.name_spaces_max)
      return refuse(Code::resource_exhausted,
                    "the limit name_spaces_max (" + std::to_string(limits.name_spaces_max) +
                        ") is reached: \"" + name + "\" would be one more; raise it");
  }
  return {};
}

// Its queues are there when it is open; those that are new need places.
Reply check_queues(const State& state, const Plan& plan) {
  uint64_t queues = state.queues.by_name().size();
  for (const std::string& name : plan.waits_in)
    if (state.queues.find(name) == nullptr) ++queues;
  if (queues <= state.limits.queues_max || plan.open > 0) return {};
  return refuse(Code::resource_exhausted,
                "the limit queues_max (" + std::to_string(state.limits.queues_max) +
                    ") is reached: with those of this workflow there would be " +
                    std::to_string(queues) + " queues; try again when other executions have ended");
}

// What the submission would fill up further.
Reply check_room(Step& step, const Plan& plan) {
  const State& state = step.state();
  const Limits& limits = state.limits;
  Admission admission(plan.priority, state.now);
  admission.consider({Shed::memory, "open_bytes_max", "", state.open_bytes, limits.open_bytes_max,
                      state.bytes_drain});
  admission.consider({Shed::executions, "open_executions_max", "", state.counts.open(),
                      limits.open_executions_max, state.open_drain});
  auto tenant = state.name_spaces.find(plan.name_space);
  if (tenant != state.name_spaces.end() && plan.name_space != default_namespace)
    admission.consider({Shed::name_space, "name_space_open_executions_max", plan.name_space,
                        tenant->second.counts.open(), limits.name_space_open_executions_max,
                        tenant->second.drain});
  for (const std::string& name : plan.waits_in) {
    const Queue* queue = state.queues.find(name);
    if (queue == nullptr) continue;
    admission.consider({Shed::queue, "waiting_max", name, queue->waiting(), queue->spec.waiting_max,
                        queue->drain});
  }
  if (!admission.refused()) return {};
  step.measure_shed(admission.refused()->shed);
  return admission.refusal(step.dice);
}

Reply check(const State& state, const SubmitExecution& command) {
  const Limits& limits = state.limits;
  auto workflow = state.workflows.find(command.workflow);
  if (workflow == state.workflows.end() || workflow->second->name_space != command.name_space)
    return refuse(Code::not_found, "no workflow version " + std::to_string(command.workflow.value) +
                                       " is registered here; register its definition first");
  if (command.request_id.size() > limits.request_id_bytes_max)
    return refuse(Code::invalid_argument, "the request id is longer than request_id_bytes_max (" +
                                              std::to_string(limits.request_id_bytes_max) + ")");
  if (command.labels.size() > limits.labels_bytes_max)
    return refuse(Code::resource_exhausted, "the labels are longer than labels_bytes_max (" +
                                                std::to_string(limits.labels_bytes_max) + ")");
  if (command.input.size() > limits.input_bytes_max)
    return refuse(Code::resource_exhausted, "the input is larger than input_bytes_max (" +
                                                std::to_string(limits.input_bytes_max) +
                                                " bytes); pass a file's name instead");
  bool foreign = command.input.is_blob() && command.input.ref().owner != state.next_execution();
  if (foreign) return refuse(Code::invalid_argument, "the input is a payload of another execution");
  if (!command.input.is_blob() && !json_validate(command.input.text()).ok())
    return refuse(Code::invalid_argument, "the input is not JSON");
  if (!command.labels.empty() && !json_validate(command.labels).ok())
    return refuse(Code::invalid_argument, "the labels are not JSON");
  return check_name_space(state, command.name_space);
}

}  // namespace

Reply on(Step& step, const SubmitExecution& command) {
  const State& state = step.state();
  if (!command.request_id.empty()) {
    auto known = state.requests.find(hash_in(command.name_space, command.request_id));
    if (known != state.requests.end()) {
      if (known->second.payload_hash == command.payload_hash)
        return {Code::ok, "", known->second.execution.value};
      return refuse(Code::already_exists,
                    "request id \"" + command.request_id + "\" was used for " +
                        to_text(known->second.execution) +
                        " with other content; choose a new id for a new request");
    }
  }
  if (Reply refusal = check(state, command); refusal.code != Code::ok) return refusal;
  const Plan& plan = *state.workflows.at(command.workflow);
  if (Reply refusal = check_queues(state, plan); refusal.code != Code::ok) return refusal;
  if (Reply room = check_room(step, plan); room.code != Code::ok) return room;
  ExecutionId id = state.next_execution();
  step.emit(ExecutionSubmitted{id, command.workflow, command.request_id, command.payload_hash,
                               command.input, command.labels, command.name_space, command.trace});
  return {Code::ok, "", id.value};
}

}  // namespace pawl
