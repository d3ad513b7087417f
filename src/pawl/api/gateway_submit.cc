// How a submission becomes commands: prepare, merge, store, register, submit.

#include <algorithm>

#include "pawl/api/gateway.h"
#include "pawl/api/input.h"
#include "pawl/base/json.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

// Who submitted it goes with every task, and nobody can claim to be another. Whoever may open the
// state directory itself says what it likes.
std::string with_identity(const std::string& labels, const Caller& caller) {
  if (caller.name == local_caller) return labels;
  std::string_view given = labels.empty() ? std::string_view("{}") : std::string_view(labels);
  JsonWriter out;
  out.begin_object();
  for (JsonItems items(given); items.next();) {
    std::string key = json_unquote(items.key());
    if (key != "tenant_id" && key != "user_id") out.key(key).raw(json_compact(items.value()));
  }
  out.key("tenant_id").string(caller.name_space).key("user_id").string(caller.name).end_object();
  return out.take();
}

// What the forms of submission have in common.
SubmitMany submission_in(const Call& call) {
  if (const auto* many = std::get_if<SubmitMany>(&call)) return *many;
  const auto* run = std::get_if<RunRequest>(&call);
  const SubmitRequest& one = run != nullptr ? run->submit : std::get<SubmitRequest>(call);
  return {one.definition,  one.file_name, {one.input_json}, one.request_id,
          one.labels_json, one.directory, one.workflow,     one.traceparent};
}

}  // namespace

void Gateway::begin_submit(uint64_t id, Open& open) {
  const SubmitMany request = submission_in(open.call);
  // A file that was named is a definition, also when it is empty.
  bool has_definition = !request.definition.empty() || !request.file_name.empty();
  if (request.workflow.empty() != has_definition)
    return finish(id, Error{Code::invalid_argument,
                            "a submission needs either \"definition\", the text of a workflow, or "
                            "\"workflow\", the name of a registered one"});
  if (has_definition && open.prepared == nullptr)
    return prepare(id, open, {request.definition, request.file_name, request.directory});
  if (open.prepared == nullptr) open.prepared = named_.find(open.home, request.workflow);
  if (open.prepared == nullptr)
    return ask_engine(id, 0, Query{GetWorkflow{request.workflow}}, open.home);
  if (Status made = make_submits(open, request); !made.ok()) return finish(id, made.error());
  open.submitted.executions.resize(open.submits.size());
  open.outstanding = open.submits.size();
  if (open.submits.empty()) return finish(id, std::move(open.submitted));
  if (open.prepared->id) return send_submits(id, open);
  ask_engine(id, register_part, RegisterWorkflow{open.prepared->encoded, open.home},
             open.name_space);
}

// Of a workflow that is asked for by its name for the first time.
void Gateway::continue_submit(uint64_t id, Open& open, const WorkflowDetail& detail) {
  auto prepared = std::make_shared<Prepared>();
  prepared->workflow = *detail.workflow;
  prepared->hash = detail.hash;
  // The first partition knows it; a crash may have come before the others did.
  if (ports_.router.partitions() == 1)
    prepared->id = detail.id;
  else
    prepared->encoded = encode(prepared->workflow);
  prepared->name_space = open.home;
  open.prepared = prepared;
  named_.add(open.home, submission_in(open.call).workflow, std::move(prepared));
  begin_submit(id, open);
}

void Gateway::begin_register(uint64_t id, Open& open, const RegisterDefinition& request) {
  if (open.prepared == nullptr) return prepare(id, open, request);
  if (open.prepared->id) return registered(id, open, open.prepared->id);
  ask_engine(id, register_part, RegisterWorkflow{open.prepared->encoded, open.home},
             open.name_space);
}

void Gateway::registered(uint64_t id, Open& open, WorkflowId workflow) {
  Prepared& prepared = *open.prepared;
  prepared.id = workflow;
  prepared.encoded.clear();
  named_.registered(open.prepared);
  if (std::holds_alternative<RegisterDefinition>(open.call))
    return finish(id, Registered{workflow, prepared.workflow.name, prepared.workflow.version});
  send_submits(id, open);
}

Status Gateway::make_submits(Open& open, const SubmitMany& request) {
  if (request.inputs_json.size() > submit_many_max)
    return Error{Code::invalid_argument, std::to_string(request.inputs_json.size()) +
                                             " inputs are above submit_many_max (" +
                                             std::to_string(submit_many_max) +
                                             "); send them in several requests"};
  PAWL_TRY(check_object("labels", request.labels_json));
  const std::string labels = with_identity(request.labels_json, open.caller);
  if (labels.size() > options_.limits.labels_bytes_max)
    return Error{Code::invalid_argument, "the labels are longer than labels_bytes_max (" +
                                             std::to_string(options_.limits.labels_bytes_max) +
                                             ")"};
  if (!request.workflow.empty() && !request.directory.empty()) {
    return Error{Code::invalid_argument,
                 "\"directory\" belongs to a definition; that of a registered workflow was given "
                 "when it was registered"};
  }
  std::optional<Trace> trace;
  if (!request.traceparent.empty()) {
    PAWL_ASSIGN(trace, parse_traceparent(request.traceparent));
  }
  bool numbered = std::holds_alternative<SubmitMany>(open.call) && !request.request_id.empty();
  for (size_t i = 0; i < request.inputs_json.size(); ++i) {
    Submit submit;
    Status filled = fill_input(submit, *open.prepared, request.inputs_json[i]);
    if (!filled.ok()) {
      if (request.inputs_json.size() == 1) return filled;
      return Error(filled.error()).within("input " + std::to_string(i));
    }
    SubmitExecution& command = submit.command;
    command.request_id =
        numbered ? request.request_id + "/" + std::to_string(i) : request.request_id;
    command.labels = request.labels_json;
    command.name_space = open.home;
    command.payload_hash = submit_hash(command, open.prepared->hash);
    command.trace = trace;
    command.labels = labels;
    open.submits.push_back(std::move(submit));
  }
  return {};
}

Status Gateway::fill_input(Submit& submit, const Prepared& prepared, const std::string& given) {
  PAWL_ASSIGN(Input input,
              make_input(prepared.workflow, given, {ports_.blob, options_.limits, ++last_staged_}));
  submit.command.input = std::move(input.payload);
  submit.input = std::move(input.staged);
  return {};
}

void Gateway::send_submits(uint64_t id, Open& open) {
  for (uint64_t part = 0; part < open.submits.size(); ++part) {
    Submit& submit = open.submits[part];
    submit.command.workflow = open.prepared->id;
    if (submit.input) staged_[ticket_of(id, part)] = std::move(submit.input);
    if (std::holds_alternative<RunRequest>(open.call))
      ask_engine(id, part, RunExecution{std::move(submit.command)}, open.name_space);
    else
      ask_engine(id, part, std::move(submit.command), open.name_space);
  }
  open.submits.clear();
  if (open.hurried) hurry(id, open);
}

void Gateway::submitted(uint64_t id, Open& open, uint64_t part, Reply reply) {
  // Parked, or nobody waits any more: it is shown as it is.
  bool run = std::holds_alternative<RunRequest>(open.call);
  if (run && reply.code == Code::ok)
    return ask_engine(id, 0, Query{GetExecution{ExecutionId{reply.number}}}, open.name_space);
  bool one = run || std::holds_alternative<SubmitRequest>(open.call);
  if (reply.code == Code::ok) {
    if (one) return finish(id, Submitted{ExecutionId{reply.number}});
    open.submitted.executions[part].execution = ExecutionId{reply.number};
  } else {
    if (one) return finish(id, error_of(std::move(reply)));
    open.submitted.executions[part].error = error_of(std::move(reply));
  }
  if (--open.outstanding == 0) finish(id, std::move(open.submitted));
}

}  // namespace pawl
