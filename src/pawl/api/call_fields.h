// The fields of calls in JSON (json_fields.h says how they are written).
// Private to the codec.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>

#include "pawl/api/call.h"
#include "pawl/api/json_fields.h"

namespace pawl {

template <class IO, Same<Error> T>
void fields(IO& io, T& v) {
  io.required("code", v.code);
  io("message", v.message);
  std::optional<uint64_t> retry_after_ms;
  if (v.retry_after > Duration{})
    retry_after_ms = static_cast<uint64_t>(rounded_up(v.retry_after, Duration::milliseconds(1)));
  io.unless_null("retry_after_ms", retry_after_ms);
  if constexpr (!std::is_const_v<T>) {
    constexpr auto most = static_cast<uint64_t>(Duration::forever().whole_milliseconds());
    if (retry_after_ms)
      v.retry_after = Duration::milliseconds(static_cast<int64_t>(std::min(*retry_after_ms, most)));
  }
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
  io("traceparent", v.traceparent);
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
  io("traceparent", v.traceparent);
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
  io("message", v.message);
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
  io.unless_null("words_after", v.words_after);
}
template <class IO, Same<GetProgress> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("limit", v.limit);
  io.unless_null("words_after", v.words_after);
}
template <class IO, Same<ReadPayload> T>
void fields(IO& io, T& v) {
  io.required("blob", v.ref);
  io("offset", v.offset);
}
template <class IO, Same<ReadLog> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io.required("node", v.node);
  io("item", v.item);
  io("attempt", v.attempt);
  io("stream", v.stream);
  io("offset", v.offset);
  io("wait", v.wait);
}
template <class IO, Same<ListLogs> T>
void fields(IO& io, T& v) {
  io.required("execution", v.execution);
  io("node", v.node);
  io("item", v.item);
  io("after", v.after);
  io("limit", v.limit);
}
template <class IO, Same<GetServer> T>
void fields(IO&, T&) {}
template <class IO, Same<GetMetrics> T>
void fields(IO&, T&) {}

template <class IO, Same<ConfigureQueue> T>
void fields(IO& io, T& v) {
  io.required("queue", v.name);
  io("strategy", v.strategy);
  io("paused", v.paused);
  io("concurrency_max", v.concurrency_max);
  io("rate_permille", v.rate_permille);
  io("burst", v.burst);
  std::optional<uint64_t> aging_ms;
  if (v.aging) aging_ms = static_cast<uint64_t>(v.aging->whole_milliseconds());
  io("aging_ms", aging_ms);
  io("waiting_max", v.waiting_max);
  if constexpr (!std::is_const_v<T>) {
    constexpr auto most = static_cast<uint64_t>(queue_aging_max.whole_milliseconds()) + 1;
    if (aging_ms) v.aging = Duration::milliseconds(static_cast<int64_t>(std::min(*aging_ms, most)));
  }
}
template <class IO, Same<ListQueues> T>
void fields(IO&, T&) {}
template <class IO, Same<ListWorkers> T>
void fields(IO&, T&) {}
}  // namespace pawl
