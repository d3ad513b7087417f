// The fields of answers in JSON (json_fields.h says how they are written). Private to the codec.
#pragma once

#include "pawl/api/capacity_fields.h"

namespace pawl {

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
  std::optional<SkipReason> skip_reason;
  if (v.status == NodeStatus::skipped) skip_reason = v.skip_reason;
  io.unless_null("skip_reason", skip_reason);
  if constexpr (!std::is_const_v<T>)
    if (skip_reason) v.skip_reason = *skip_reason;
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
  io("namespace", v.name_space);
  io("trace_id", v.trace_id);
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
  io("message", v.message);
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
  io("open_bytes", v.open_bytes);
  io("open_bytes_max", v.open_bytes_max);
}
template <class IO, Same<AttemptProgress> T>
void fields(IO& io, T& v) {
  fields(io, v.task);
  io("attempt", v.attempt);
  io("permille", v.permille);
  io("message", v.message);
  io.milliseconds("elapsed_ms", v.usage.running);
  io.milliseconds("cpu_ms", v.usage.cpu);
  io("memory_bytes", v.usage.memory_bytes);
}
template <class IO, Same<RunningTask> T>
void fields(IO& io, T& v) {
  fields(io, v.progress);
  io("worker", v.worker);
}
template <class IO, Same<SaidWord> T>
void fields(IO& io, T& v) {
  fields(io, v.progress);
  io("number", v.number);
}
template <class IO, Same<RunningAttempts> T>
void fields(IO& io, T& v) {
  io("node_index", v.node);
  io("count", v.count);
}
template <class IO, Same<ProgressList> T>
void fields(IO& io, T& v) {
  io("tasks", v.tasks);
  io("running", v.running);
  io.unless_null("words", v.words);
  io.unless_null("words_cursor", v.words_cursor);
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
  io("namespace", v.name_space);
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
template <class IO, Same<LogPart> T>
void fields(IO& io, T& v) {
  io("attempt", v.attempt);
  io("offset", v.offset);
  io("text", v.text);
  io.bytes("bytes", v.bytes);
  io("next", v.next);
  io("over", v.over);
}
template <class IO, Same<LogFile> T>
void fields(IO& io, T& v) {
  io.required("node", v.node);
  io("item", v.item);
  io("attempt", v.attempt);
  io("stream", v.stream);
  io("size", v.size);
}
template <class IO, Same<LogList> T>
void fields(IO& io, T& v) {
  io("logs", v.logs);
  io("next", v.next);
}
template <class IO, Same<ServerInfo> T>
void fields(IO& io, T& v) {
  io("process", v.process);
  io("directory", v.directory);
  io("durable_position", v.durable_position);
  io("unready", v.unready);
}
template <class IO, Same<MetricsPage> T>
void fields(IO& io, T& v) {
  io("text", v.text);
}

}  // namespace pawl
