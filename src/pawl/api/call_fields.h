// The fields of calls and answers in JSON (json_fields.h says how they are written).
// Private to the codec.
#pragma once

#include "pawl/api/call.h"
#include "pawl/api/json_fields.h"

namespace pawl {

template <class IO, Same<Error> T>
void fields(IO& io, T& v) {
  io.required("code", v.code);
  io("message", v.message);
}
template <class IO, Same<BlobRef> T>
void fields(IO& io, T& v) {
  io("owner", v.owner);
  io.random("sequence", v.sequence);
  io.required("size", v.size);
  io.required("hash", v.hash);
}

template <class IO, Same<SubmitRequest> T>
void fields(IO& io, T& v) {
  io("definition", v.definition);
  io("file_name", v.file_name);
  io.json("input", v.input_json);
  io("request_id", v.request_id);
  io.json("labels", v.labels_json);
  io("directory", v.directory);
  io("workflow", v.workflow);
}
template <class IO, Same<RunRequest> T>
void fields(IO& io, T& v) {
  fields(io, v.submit);
}
template <class IO, Same<RegisterDefinition> T>
void fields(IO& io, T& v) {
  io.required("definition", v.definition);
  io("file_name", v.file_name);
  io("directory", v.directory);
}
template <class IO, Same<GetWorkflow> T>
void fields(IO& io, T& v) {
  io.required("name", v.name);
}
template <class IO, Same<ListWorkflows> T>
void fields(IO& io, T& v) {
  io("before", v.before);
  io("limit", v.limit);
}
template <class IO, Same<SubmitMany> T>
void fields(IO& io, T& v) {
  io("definition", v.definition);
  io("file_name", v.file_name);
  io.json_list("inputs", v.inputs_json);
  io("request_id", v.request_id);
  io.json("labels", v.labels_json);
  io("directory", v.directory);
  io("workflow", v.workflow);
}
template <class IO, Same<Selection> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("node", v.node);
  io("item", v.item);
}
template <class IO, Same<Cancel> T>
void fields(IO& io, T& v) {
  fields(io, v.what);
  io("reason", v.reason);
}
template <class IO, Same<Redrive> T>
void fields(IO& io, T& v) {
  fields(io, v.what);
}
template <class IO, Same<Discard> T>
void fields(IO& io, T& v) {
  fields(io, v.what);
}
template <class IO, Same<Forget> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
}
template <class IO, Same<AwaitExecution> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
}
template <class IO, Same<GetExecution> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
}
template <class IO, Same<ListExecutions> T>
void fields(IO& io, T& v) {
  io("before", v.before);
  io("limit", v.limit);
  io("status", v.status);
}
template <class IO, Same<GetTask> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io.required("node", v.node);
  io("item", v.item);
}
template <class IO, Same<ListDeadLetters> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("limit", v.limit);
}
template <class IO, Same<Explain> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("node", v.node);
  io("item", v.item);
}
template <class IO, Same<GetOverview> T>
void fields(IO&, T&) {}
template <class IO, Same<ReadHistory> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("limit", v.limit);
  io.text("after", v.after, "a place in a history like \"12-3\"");
  io("wait", v.wait);
}
template <class IO, Same<GetProgress> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("limit", v.limit);
}
template <class IO, Same<ReadPayload> T>
void fields(IO& io, T& v) {
  io.required("blob", v.ref);
  io("offset", v.offset);
}
template <class IO, Same<GetServer> T>
void fields(IO&, T&) {}

template <class IO, Same<Submitted> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
}
template <class IO, Same<SubmittedMany::One> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("error", v.error);
}
template <class IO, Same<SubmittedMany> T>
void fields(IO& io, T& v) {
  io("executions", v.executions);
}
template <class IO, Same<Changed> T>
void fields(IO& io, T& v) {
  io("count", v.count);
}
template <class IO, Same<Settlement> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io.required("status", v.status);
}
template <class IO, Same<TaskCounts> T>
void fields(IO& io, T& v) {
  io("total", v.total);
  io("ready", v.ready);
  io("running", v.running);
  io("backing_off", v.backing_off);
  io("parked", v.parked);
  io("succeeded", v.succeeded);
  io("failed", v.failed);
  io("cancelled", v.cancelled);
}
template <class IO, Same<NodeDetail> T>
void fields(IO& io, T& v) {
  io.required("id", v.id);
  io("type", v.type);
  io("mapped", v.mapped);
  io("status", v.status);
  io("skip_reason", v.skip_reason);
  io("tasks", v.tasks);
  io("needs", v.needs);
  io("attempts", v.attempts);
  io("last_attempt", v.last_attempt);
  io("error", v.error);
  io("output", v.output);
}
template <class IO, Same<ExecutionSummary> T>
void fields(IO& io, T& v) {
  io.required("id", v.id);
  io("workflow", v.workflow);
  io("version", v.version);
  io("status", v.status);
  io("started", v.started);
  io("ended", v.ended);
  io("error", v.error);
  io.json("labels", v.labels);
  io("tasks", v.tasks);
}
template <class IO, Same<ExecutionDetail> T>
void fields(IO& io, T& v) {
  fields(io, v.summary);
  io("input", v.input);
  io("output", v.output);
  io("nodes", v.nodes);
}
template <class IO, Same<ExecutionList> T>
void fields(IO& io, T& v) {
  io("executions", v.executions);
}
template <class IO, Same<TaskKey> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("node_index", v.node);
  io("item", v.item);
}
template <class IO, Same<TaskRange> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("node_index", v.node);
  io("begin", v.begin);
  io("end", v.end);
}
template <class IO, Same<Cause> T>
void fields(IO& io, T& v) {
  io("kind", v.kind);
  io("exit_code", v.exit_code);
  io("error", v.error);
}
template <class IO, Same<TaskDetail> T>
void fields(IO& io, T& v) {
  fields(io, v.task);
  io("node", v.node);
  io("status", v.status);
  io("attempts", v.attempts);
  io("failures", v.failures);
  io("cause", v.cause);
  io.milliseconds("retry_in_ms", v.retry_in);
  io("output", v.output);
}
template <class IO, Same<DeadLetter> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
  io("node", v.node);
  io("attempts", v.attempts);
  io("cause", v.cause);
}
template <class IO, Same<DeadLetterList> T>
void fields(IO& io, T& v) {
  io("letters", v.letters);
}
template <class IO, Same<Why> T>
void fields(IO& io, T& v) {
  io("code", v.code);
  io("subject", v.subject);
  io("reason", v.reason);
  io("remedy", v.remedy);
}
template <class IO, Same<WhyList> T>
void fields(IO& io, T& v) {
  io("reasons", v.reasons);
}
template <class IO, Same<Counts> T>
void fields(IO& io, T& v) {
  io("submitted", v.submitted);
  io("succeeded", v.succeeded);
  io("failed", v.failed);
  io("cancelled", v.cancelled);
  io("forgotten", v.forgotten);
  io("quarantined", v.quarantined);
}
template <class IO, Same<Overview> T>
void fields(IO& io, T& v) {
  io("counts", v.counts);
  io("executions", v.executions);
  io("ready", v.ready);
  io("workers", v.workers);
  io("running", v.running);
  io("parked", v.parked);
}
template <class IO, Same<AttemptProgress> T>
void fields(IO& io, T& v) {
  fields(io, v.task);
  io("attempt", v.attempt);
  io("permille", v.permille);
  io("message", v.message);
}
template <class IO, Same<ProgressList> T>
void fields(IO& io, T& v) {
  io("tasks", v.tasks);
}
template <class IO, Same<Registered> T>
void fields(IO& io, T& v) {
  io("id", v.id);
  io("name", v.name);
  io("version", v.version);
}
template <class IO, Same<WorkflowDetail> T>
void fields(IO& io, T& v) {
  io("id", v.id);
  io("name", v.name);
  io("version", v.version);
  io("hash", v.hash);
  io("nodes", v.nodes);
}
template <class IO, Same<WorkflowList> T>
void fields(IO& io, T& v) {
  io("workflows", v.workflows);
}
template <class IO, Same<PayloadPart> T>
void fields(IO& io, T& v) {
  io("text", v.text);
  io("next", v.next);
}
template <class IO, Same<ServerInfo> T>
void fields(IO& io, T& v) {
  io("process", v.process);
  io("directory", v.directory);
  io("durable_position", v.durable_position);
}

}  // namespace pawl
