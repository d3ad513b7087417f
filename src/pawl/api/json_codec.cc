#include "pawl/api/json_codec.h"

#include <iterator>
#include <map>

#include "pawl/api/event_fields.h"

namespace pawl {

template <>
struct AlternativeNames<Call> {
  static constexpr const char* of[] = {"submit",          "submit_many",       "cancel",
                                       "redrive",         "discard",           "forget",
                                       "await",           "get_execution",     "list_executions",
                                       "get_task",        "list_dead_letters", "explain",
                                       "get_overview",    "read_history",      "get_progress",
                                       "read_payload",    "get_server",        "run",
                                       "register",        "get_workflow",      "list_workflows",
                                       "configure_queue", "list_queues",       "list_workers",
                                       "get_metrics",     "read_log",          "list_logs"};
};
static_assert(std::size(AlternativeNames<Call>::of) == std::variant_size_v<Call>);

const char* name(const Call& call) {
  return AlternativeNames<Call>::of[call.index()];
}

template <>
struct AlternativeNames<CallResult> {
  static constexpr const char* of[] = {
      "error",      "submitted",    "submitted_many", "changed",    "settled",  "execution",
      "executions", "task",         "dead_letters",   "reasons",    "overview", "history",
      "progress",   "payload_part", "server",         "registered", "workflow", "workflows",
      "queues",     "workers",      "metrics",        "log_part",   "logs"};
};
static_assert(std::size(AlternativeNames<CallResult>::of) == std::variant_size_v<CallResult>);

template <>
struct AlternativeNames<Event> {
  static constexpr const char* of[] = {
      "epoch_started",         "workflow_registered",   "execution_submitted",
      "evaluation_started",    "node_activated",        "node_skipped",
      "node_parked",           "session_opened",        "session_closed",
      "attempts_granted",      "attempts_succeeded",    "attempt_failed",
      "retry_released",        "dead_letters_redriven", "dead_letters_discarded",
      "node_redriven",         "node_discarded",        "task_cancelled",
      "execution_cancelled",   "execution_parked",      "execution_ended",
      "outbox_enqueued",       "inbox_accepted",        "execution_forgotten",
      "execution_quarantined", "queue_configured"};
};
static_assert(std::size(AlternativeNames<Event>::of) == std::variant_size_v<Event>);

namespace {

template <class V>
std::vector<std::string_view> names_of() {
  return {std::begin(AlternativeNames<V>::of), std::end(AlternativeNames<V>::of)};
}

// The shape in which people's tools expect a payload: its value.
void put_value(JsonWriter& out, const Payload& payload) {
  if (payload.is_blob())
    JsonFieldWriter(out).write(payload);
  else
    out.raw(payload.text());
}

void put_time(JsonWriter& out, const char* key, WallTime time) {
  JsonFieldWriter writer(out);
  writer(key, time);
}

void put_error(JsonWriter& out, const std::string& error) {
  out.key("Error");
  error.empty() ? out.null() : out.string(error);
}

using Outputs = std::map<std::string_view, const Payload*>;  // by node

void put_input(JsonWriter& out, const ExecutionDetail& detail, const NodeDetail& node,
               const Outputs& outputs) {
  out.key("Input");
  if (node.needs.empty()) return put_value(out, detail.input);
  out.begin_object();
  for (const std::string& need : node.needs) {
    out.key(need);
    auto output = outputs.find(need);
    put_value(out, output == outputs.end() ? Payload() : *output->second);
  }
  out.end_object();
}

void put_node_states(JsonWriter& out, const ExecutionDetail& detail) {
  Outputs outputs;
  for (const NodeDetail& node : detail.nodes) outputs[node.id] = &node.output;
  out.key("NodeStates").begin_array();
  for (const NodeDetail& node : detail.nodes) {
    out.begin_object();
    out.key("NodeID").string(node.id);
    out.key("Status").string(name(node.status));
    put_input(out, detail, node, outputs);
    out.key("Output");
    put_value(out, node.output);
    put_error(out, node.error);
    out.key("Attempts").number(uint64_t{node.attempts});
    put_time(out, "LastAttempt", node.last_attempt);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string to_json(const NumberedCall& call) {
  JsonWriter out;
  out.begin_object();
  JsonFieldWriter io(out);
  io("ticket", call.ticket);
  io.choice("call", "with", call.call);
  out.end_object();
  return out.take();
}

std::string to_json(const CallAnswer& answer) {
  JsonWriter out;
  out.begin_object();
  JsonFieldWriter io(out);
  io("ticket", answer.ticket);
  if (const auto* error = std::get_if<Error>(&answer.result))
    io("error", *error);
  else
    io.choice("answer", "with", answer.result);
  out.end_object();
  return out.take();
}

std::string to_json(const CallResult& result) {
  JsonWriter out;
  JsonFieldWriter io(out);
  std::visit([&](const auto& value) { io.write(value); }, result);
  return out.take();
}

std::string to_json(const HistoryEntry& entry) {
  JsonWriter out;
  JsonFieldWriter(out).write(entry);
  return out.take();
}

std::string to_json(const Event& event) {
  JsonWriter out;
  out.begin_object();
  JsonFieldWriter(out).choice("event", "with", event);
  out.end_object();
  return out.take();
}

ReadCall call_from_json(std::string_view json) {
  ReadCall read;
  if (Status valid = json_validate(json); !valid.ok()) {
    read.call = valid.error();
    return read;
  }
  std::string problem;
  JsonFieldReader io(json, "a call", UnknownMembers::refuse, problem);
  Call call;
  io.required("ticket", read.ticket);
  io.choice("call", "with", call);
  if (io.finish())
    read.call = std::move(call);
  else
    read.call = Error{Code::invalid_argument, std::move(problem)};
  return read;
}

Result<Call> call_from_json(std::string_view call_name, std::string_view with) {
  std::string problem;
  Call call;
  JsonFieldReader::read_chosen("call", call_name, with, call, UnknownMembers::refuse, problem);
  if (!problem.empty()) return Error{Code::invalid_argument, std::move(problem)};
  return call;
}

Result<CallAnswer> answer_from_json(std::string_view json) {
  PAWL_TRY(json_validate(json));
  std::string problem;
  JsonFieldReader io(json, "an answer", UnknownMembers::ignore, problem);
  CallAnswer answer;
  io.required("ticket", answer.ticket);
  if (std::optional<std::string_view> error = io.find("error"))
    io.read("error", *error, answer.result.emplace<Error>());
  else
    io.choice("answer", "with", answer.result);
  if (!io.finish()) return Error{Code::invalid_argument, std::move(problem)};
  return answer;
}

std::string execution_state_json(const ExecutionDetail& detail) {
  const ExecutionSummary& summary = detail.summary;
  JsonWriter out;
  out.begin_object();
  bool versioned = !summary.version.empty();
  out.key("WorkflowID").string(summary.workflow + (versioned ? "@" + summary.version : ""));
  out.key("ExecutionID").string(to_text(summary.id));
  out.key("Status").string(name(summary.status));
  put_node_states(out, detail);
  put_time(out, "StartTime", summary.started);
  put_time(out, "EndTime", summary.ended);
  put_error(out, summary.error);
  out.key("Metadata").raw(summary.labels.empty() ? "{}" : summary.labels);
  out.end_object();
  return out.take();
}

std::vector<std::string_view> call_names() {
  return names_of<Call>();
}

std::vector<std::string_view> answer_names() {
  std::vector<std::string_view> names = names_of<CallResult>();
  names.erase(names.begin());
  return names;
}

std::vector<std::string_view> event_names() {
  return names_of<Event>();
}

}  // namespace pawl
