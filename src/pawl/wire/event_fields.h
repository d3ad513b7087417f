// The bodies of all event kinds. Released: an order or a type never changes; a body only grows at its
// end, by io.appended(), and what needs another body becomes another kind.
#pragma once

#include "pawl/model/event.h"
#include "pawl/wire/values.h"

namespace pawl {

template <class Io>
void fields(Io& io, typename Io::template Ref<EpochStarted> e) {
  io.number(e.epoch);
  io.hash(e.cluster);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<WorkflowRegistered> e) {
  io.number(e.workflow.value);
  io.text(e.definition);
  io.appended(e.name_space != default_namespace, [&] { io.text(e.name_space); });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionSubmitted> e) {
  io.number(e.execution.value);
  io.number(e.workflow.value);
  io.text(e.request_id);
  io.hash(e.payload_hash);
  io.payload(e.input);
  io.text(e.labels);
  io.appended(e.name_space != default_namespace || e.trace.has_value(),
              [&] { io.text(e.name_space); });
  trace_field(io, e.trace);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<EvaluationStarted> e) {
  io.number(e.execution.value);
  io.number(e.node);
  io.choice(e.purpose, EvaluationPurpose::output);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<NodeActivated> e) {
  io.number(e.execution.value);
  io.number(e.node);
  io.number(e.items_count);
  io.payload(e.items);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<NodeSkipped> e) {
  io.number(e.execution.value);
  io.number(e.node);
  io.choice(e.reason, SkipReason::needs_failed);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<NodeParked> e) {
  io.number(e.execution.value);
  io.number(e.node);
  io.text(e.error);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<SessionOpened> e) {
  io.number(e.session.value);
  fields(io, e.worker);
  const bool certified = !e.worker.certificate.empty();
  io.appended(certified || e.worker.offers_more(), [&] { offer_fields(io, e.worker); });
  io.appended(certified, [&] { io.text(e.worker.certificate); });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<SessionClosed> e) {
  io.number(e.session.value);
  io.text(e.reason);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<AttemptsGranted> e) {
  io.number(e.session.value);
  fields(io, e.range);
  io.number(e.attempt);
  io.fixed(e.nonce);
  io.appended(e.reason != GrantReason{}, [&] {
    io.choice(e.reason.cause, last_grant_cause);
    io.number(e.reason.detail);
  });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<AttemptsSucceeded> e) {
  fields(io, e.range);
  io.number(e.attempt);
  io.list(e.outputs, [&](auto& output) { io.payload(output); });
}
// The same bytes for the most frequent case, no outputs at all, in numbers only.
template <class Io>
void null_fields(Io& io, const AttemptsSucceeded& e) {
  fields(io, e.range);
  io.number(e.attempt);
  io.number(0);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<AttemptFailed> e) {
  fields(io, e.range);
  io.number(e.attempt);
  io.choice(e.kind, FailureKind::declined);
  io.signed_number(e.exit_code);
  io.text(e.error);
  io.choice(e.disposition, Disposition::park);
  io.signed_number(e.retry_at.ns);
  io.appended(e.ready_since != Instant{}, [&] { io.signed_number(e.ready_since.ns); });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<RetryReleased> e) {
  fields(io, e.range);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<DeadLettersRedriven> e) {
  fields(io, e.range);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<DeadLettersDiscarded> e) {
  fields(io, e.range);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<NodeRedriven> e) {
  io.number(e.execution.value);
  io.number(e.node);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<NodeDiscarded> e) {
  io.number(e.execution.value);
  io.number(e.node);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<TaskCancelled> e) {
  fields(io, e.task);
  io.text(e.reason);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionCancelled> e) {
  io.number(e.execution.value);
  io.text(e.reason);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionParked> e) {
  io.number(e.execution.value);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionEnded> e) {
  io.number(e.execution.value);
  io.choice(e.status, ExecutionStatus::cancelled);
  io.payload(e.output);
  io.text(e.error);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionForgotten> e) {
  io.number(e.execution.value);
  io.hash(e.request);
  io.hash(e.payload_hash);
  io.appended(e.name_space != default_namespace, [&] { io.text(e.name_space); });
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ExecutionQuarantined> e) {
  io.number(e.execution.value);
  io.number(e.position);
  io.number(e.index);
  io.text(e.error);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<QueueConfigured> e) {
  fields(io, e.queue);
  appended_fields(io, e.queue);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<OutboxEnqueued> e) {
  io.number(e.id);
  io.number(e.destination);
  io.text(e.content);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<InboxAccepted> e) {
  io.number(e.id);
  io.number(e.source);
  io.text(e.content);
}

}  // namespace pawl
