// The fields of the model values that events, workflows, snapshots and messages share. What is here
// has been written to disk: an order or a type never changes, a new field gets a new version of
// what contains it (workflow_codec.h, event_codec.h).
#pragma once

#include <optional>

#include "pawl/model/message.h"
#include "pawl/wire/fields.h"

namespace pawl {

template <class Io>
void fields(Io& io, typename Io::template Ref<TaskKey> task) {
  io.number(task.execution.value);
  io.number(task.node);
  io.number(task.item);
}

// Begin and size: ranges of one are the common case, and an end before its begin cannot be written.
template <class Io>
void fields(Io& io, typename Io::template Ref<TaskRange> range) {
  io.number(range.execution.value);
  io.number(range.node);
  io.number(range.begin);
  ItemIndex size = range.end - range.begin;
  io.number(size);
  if constexpr (Io::decoding)
    if (__builtin_add_overflow(range.begin, size, &range.end)) io.fail();
}

template <class Io>
void fields(Io& io, typename Io::template Ref<RetryPolicy> retry) {
  io.number(retry.max_attempts);
  io.signed_number(retry.backoff_first.ns);
  io.number(retry.backoff_factor_permille);
  io.signed_number(retry.backoff_max.ns);
  io.number(retry.jitter_permille);
  io.number(retry.retryable);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Timeouts> timeout) {
  io.signed_number(timeout.queue.ns);
  io.signed_number(timeout.run.ns);
  io.signed_number(timeout.heartbeat.ns);
}

// The text says it all; whether it is a plain path is recognised again on reading.
template <class Io>
void fields(Io& io, typename Io::template Ref<Expression> expression) {
  io.text(expression.text);
  if constexpr (Io::decoding) expression = make_expression(std::move(expression.text));
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Template> value) {
  io.list(value.parts, [&](auto& part) {
    io.text(part.literal);
    fields(io, part.expression);
  });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<WorkerSpec> worker) {
  io.text(worker.name);
  io.number(worker.slots);
  io.number(worker.credit);
  io.number(worker.node_types);
  io.list(worker.functions, [&](auto& function) { io.text(function); });
  io.signed_number(worker.lease.ns);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Amounts> amounts) {
  io.list(amounts, [&](auto& one) {
    io.text(one.name);
    io.number(one.amount);
  });
}

// What was added to a worker's description later, apart from the above for the sake of old bytes.
template <class Io>
void offer_fields(Io& io, typename Io::template Ref<WorkerSpec> worker) {
  io.list(worker.queues, [&](auto& queue) { io.text(queue); });
  fields(io, worker.capacity);
  io.list(worker.labels, [&](auto& label) {
    io.text(label.name);
    io.text(label.value);
  });
  io.text(worker.zone);
  io.number(worker.weight);
  io.number(worker.price);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Placement> placement) {
  fields(io, placement.resources);
  io.list(placement.rules, [&](auto& rule) {
    io.text(rule.label);
    io.text(rule.value);
    io.choice(rule.kind, RuleKind::avoid);
  });
  io.choice(placement.apart, Apart::zone);
  fields(io, placement.key);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<QueueSpec> queue) {
  io.text(queue.name);
  io.choice(queue.strategy, last_strategy);
  io.flag(queue.paused);
  io.number(queue.concurrency_max);
  io.number(queue.rate_permille);
  io.number(queue.burst);
  io.signed_number(queue.aging.ns);
}

// What was added to a queue's description later, where nothing follows.
template <class Io>
void appended_fields(Io& io, typename Io::template Ref<QueueSpec> queue) {
  io.appended(queue.waiting_max > 0, [&] { io.number(queue.waiting_max); });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<AttemptReport> report) {
  fields(io, report.range);
  io.number(report.attempt);
  io.fixed(report.nonce);
  io.flag(report.succeeded);
  io.list(report.outputs, [&](auto& output) { io.payload(output); });
  io.choice(report.kind, FailureKind::declined);
  io.signed_number(report.exit_code);
  io.text(report.error);
}

// At the end of what an execution is written as, where it was given one.
template <class Io>
void trace_field(Io& io, typename Io::template Ref<std::optional<Trace>> trace) {
  io.appended(trace.has_value(), [&] {
    if constexpr (Io::decoding) trace.emplace();
    io.hash(trace->id);
    io.fixed(trace->span);
    io.number(trace->flags);
  });
}

}  // namespace pawl
