// The fields of the state's own types (wire/fields.h has the method). Released with
// snapshot_format.
#pragma once

#include "pawl/partition/state.h"
#include "pawl/wire/values.h"

namespace pawl {

template <class Io>
void fields(Io& io, typename Io::template Ref<ItemSpan> span) {
  io.number(span.begin);
  io.number(span.end);
  if constexpr (Io::decoding) {
    if (span.end <= span.begin) io.fail();
  }
}

template <class Io>
void fields(Io& io, typename Io::template Ref<OpenRange> range) {
  fields(io, range.span);
  io.number(range.attempt);
  io.number(range.session.value);
  io.fixed(range.nonce);
  io.signed_number(range.since.ns);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<GrantReason> reason) {
  io.choice(reason.cause, last_grant_cause);
  io.number(reason.detail);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Cause> cause) {
  io.choice(cause.kind, FailureKind::declined);
  io.signed_number(cause.exit_code);
  io.text(cause.error);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Story> story) {
  io.choice(story.status, TaskStatus::cancelled);
  io.number(story.attempts);
  io.number(story.failures);
  io.signed_number(story.since.ns);
  io.signed_number(story.retry_at.ns);
  bool failed = story.cause != nullptr;
  io.flag(failed);
  if constexpr (Io::decoding) {
    if (!failed) return;
    Cause cause;
    fields(io, cause);
    story.cause = std::make_shared<const Cause>(std::move(cause));
  } else if (failed) {
    fields(io, *story.cause);
  }
}

struct StoryRow {
  ItemSpan span;
  Story story;
};

template <class Io>
void fields(Io& io, typename Io::template Ref<StoryRow> row) {
  fields(io, row.span);
  fields(io, row.story);
}

// What the containers of NodeWork hold, as lists.
struct WorkRow {
  std::vector<OpenRange> open;
  std::vector<ItemSpan> done;
  std::vector<StoryRow> stories;
  Payload items;
  Payload output;
  bool mapped = false;
  std::string error;
};

template <class Io>
void fields(Io& io, typename Io::template Ref<WorkRow> work) {
  io.list(work.open, [&](auto& range) { fields(io, range); });
  io.list(work.done, [&](auto& span) { fields(io, span); });
  io.list(work.stories, [&](auto& story) { fields(io, story); });
  io.payload(work.items);
  io.payload(work.output);
  io.flag(work.mapped);
  io.text(work.error);
}

template <class Io>
void node_fields(Io& io, typename Io::template Ref<NodeRun> run) {
  io.choice(run.status, NodeStatus::parked);
  io.choice(run.skip_reason, SkipReason::needs_failed);
  io.number(run.items_count);
  io.number(run.next_fresh);
  io.number(run.failed);
  io.number(run.parked);
  io.number(run.cancelled);
  io.signed_number(run.since.ns);
  io.signed_number(run.last_attempt.ns);
}

template <class Io>
void execution_fields(Io& io, typename Io::template Ref<Execution> execution) {
  io.choice(execution.status, ExecutionStatus::quarantined);
  io.flag(execution.evaluating_output);
  io.hash(execution.request);
  io.hash(execution.payload_hash);
  io.payload(execution.input);
  io.text(execution.labels);
  io.signed_number(execution.started.ns);
  io.signed_number(execution.ended.ns);
  io.payload(execution.output);
  io.text(execution.error);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Counts> counts) {
  io.number(counts.submitted);
  io.number(counts.succeeded);
  io.number(counts.failed);
  io.number(counts.cancelled);  // quarantined: at the end of row m, where it was added
}

// Of the default namespace nothing: it has what the others do not have.
template <class Io>
void fields(Io& io, typename Io::template Ref<NameSpace> name_space) {
  io.text(name_space.name);
  fields(io, name_space.counts);
  io.number(name_space.counts.forgotten);
  io.number(name_space.counts.quarantined);
}

}  // namespace pawl
