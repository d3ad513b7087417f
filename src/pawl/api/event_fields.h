// The fields of events in JSON, for histories. Private to the codec.
#pragma once

#include "pawl/api/answer_fields.h"

namespace pawl {

template <class IO, Same<EpochStarted> T>
void fields(IO& io, T& v) {
  io("epoch", v.epoch);
  io("cluster", v.cluster);
}
template <class IO, Same<WorkflowRegistered> T>
void fields(IO& io, T& v) {
  io("workflow", v.workflow);
  io.bytes("definition", v.definition);
  io("namespace", v.name_space);
}
template <class IO, Same<ExecutionSubmitted> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("workflow", v.workflow);
  io("request_id", v.request_id);
  io("payload_hash", v.payload_hash);
  io("input", v.input);
  io.json("labels", v.labels);
  io("namespace", v.name_space);
}
template <class IO, Same<EvaluationStarted> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
  io("purpose", v.purpose);
}
template <class IO, Same<NodeActivated> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
  io("items_count", v.items_count);
  io.encoded("items", v.items);
}
template <class IO, Same<NodeSkipped> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
  io("reason", v.reason);
}
template <class IO, Same<NodeParked> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
  io("error", v.error);
}
template <class IO, Same<SessionOpened> T>
void fields(IO& io, T& v) {
  io("session", v.session);
  io("worker", v.worker);
}
template <class IO, Same<SessionClosed> T>
void fields(IO& io, T& v) {
  io("session", v.session);
  io("reason", v.reason);
}
template <class IO, Same<AttemptsGranted> T>
void fields(IO& io, T& v) {
  io("session", v.session);
  fields(io, v.range);
  io("attempt", v.attempt);
  io.random("nonce", v.nonce);
  io("because", v.reason.cause);
  io("detail", v.reason.detail);
}
template <class IO, Same<AttemptsSucceeded> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
  io("attempt", v.attempt);
  io("outputs", v.outputs);
}
template <class IO, Same<AttemptFailed> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
  io("attempt", v.attempt);
  io("kind", v.kind);
  io("exit_code", v.exit_code);
  io("error", v.error);
  io("disposition", v.disposition);
  io("retry_at_ns", v.retry_at);
  io("ready_since_ns", v.ready_since);
}
template <class IO, Same<RetryReleased> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
}
template <class IO, Same<DeadLettersRedriven> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
}
template <class IO, Same<DeadLettersDiscarded> T>
void fields(IO& io, T& v) {
  fields(io, v.range);
}
template <class IO, Same<NodeRedriven> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
}
template <class IO, Same<NodeDiscarded> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("node_index", v.node);
}
template <class IO, Same<TaskCancelled> T>
void fields(IO& io, T& v) {
  fields(io, v.task);
  io("reason", v.reason);
}
template <class IO, Same<ExecutionCancelled> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("reason", v.reason);
}
template <class IO, Same<ExecutionParked> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
}
template <class IO, Same<ExecutionEnded> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("status", v.status);
  io("output", v.output);
  io("error", v.error);
}
template <class IO, Same<ExecutionForgotten> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("request", v.request);
  io("payload_hash", v.payload_hash);
  io("namespace", v.name_space);
}
template <class IO, Same<ExecutionQuarantined> T>
void fields(IO& io, T& v) {
  io("execution", v.execution);
  io("position", v.position);
  io("index", v.index);
  io("error", v.error);
}
template <class IO, Same<QueueConfigured> T>
void fields(IO& io, T& v) {
  fields(io, v.queue);
}
template <class IO, Same<OutboxEnqueued> T>
void fields(IO& io, T& v) {
  io("id", v.id);
  io("destination", v.destination);
  io.bytes("content", v.content);
}
template <class IO, Same<InboxAccepted> T>
void fields(IO& io, T& v) {
  io("id", v.id);
  io("source", v.source);
  io.bytes("content", v.content);
}

// A history's entry: {"position", "index", "clock_ns", "time", "event": name, "with": {its fields}}.
template <class IO, Same<HistoryEntry> T>
void fields(IO& io, T& v) {
  io("position", v.position);
  io("index", v.index);
  io("clock_ns", v.now);
  io("time", v.wall);
  io.choice("event", "with", v.event);
}
template <class IO, Same<History> T>
void fields(IO& io, T& v) {
  io("truncated", v.truncated);
  io("entries", v.entries);
}

}  // namespace pawl
