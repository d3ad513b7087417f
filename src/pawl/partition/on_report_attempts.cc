#include <algorithm>

#include "pawl/partition/step.h"

namespace pawl {
namespace {

// The open range that holds all of `range` under exactly this token, or null: then the report comes
// from an attempt that is no longer the current one.
const OpenRange* current(const State& state, SessionId session, const AttemptReport& report) {
  const Execution* execution = state.executions.find(report.range.execution);
  if (execution == nullptr || report.range.node >= execution->nodes.size()) return nullptr;
  const NodeWork* work = execution->nodes[report.range.node].work.get();
  if (work == nullptr || report.range.begin >= report.range.end) return nullptr;
  auto it = std::upper_bound(work->open.begin(), work->open.end(), report.range.begin,
                             [](ItemIndex item, const OpenRange& o) { return item < o.span.end; });
  if (it == work->open.end() || report.range.begin < it->span.begin ||
      report.range.end > it->span.end)
    return nullptr;
  bool same = it->session == session && it->attempt == report.attempt && it->nonce == report.nonce;
  return same ? &*it : nullptr;
}

// ns x permille / 1000, saturating.
int64_t scale(int64_t ns, uint32_t permille) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(ns, int64_t{permille}, &product)) return product / 1000;
  return Duration::forever().ns;
}

// first x factor^(failures - 1), at most `max`, with jitter; all in integers.
Duration backoff(const RetryPolicy& policy, uint32_t failures, Random& dice) {
  int64_t delay = policy.backoff_first.ns;
  for (uint32_t i = 1; i < failures && delay < policy.backoff_max.ns; ++i)
    delay = scale(delay, policy.backoff_factor_permille);
  delay = std::min(delay, policy.backoff_max.ns);
  int64_t swing = scale(delay, policy.jitter_permille);
  int64_t offset = static_cast<int64_t>(dice.below(2 * static_cast<uint64_t>(swing) + 1)) - swing;
  return Duration{std::max<int64_t>(0, saturating_add(delay, offset))};
}

constexpr Duration declined_pause = Duration::seconds(1);

void fail(Step& step, const AttemptReport& report, ItemIndex item) {
  const Execution& execution = *step.state().executions.find(report.range.execution);
  const RetryPolicy& policy = execution.definition(report.range.node).retry;
  const Story* story = execution.nodes[report.range.node].work->stories.find(item);
  uint32_t failures = (story ? story->failures : 0) + 1;
  AttemptFailed event{{report.range.execution, report.range.node, item, item + 1},
                      report.attempt,
                      report.kind,
                      report.exit_code,
                      report.error,
                      Disposition::park,
                      {}};
  if (event.error.size() > step.state().limits.error_bytes_max)
    event.error.resize(step.state().limits.error_bytes_max);
  if (report.attempt >= attempts_max) {
    event.error += " (attempts_max reached)";
  } else if (report.kind == FailureKind::lost) {
    event.disposition = Disposition::again;
  } else if (report.kind == FailureKind::declined) {
    event.disposition = Disposition::retry;
    event.retry_at = step.state().now + declined_pause;
  } else if (failures < policy.max_attempts && policy.retries(report.kind)) {
    event.disposition = Disposition::retry;
    event.retry_at = step.state().now + backoff(policy, failures, step.dice);
  }
  step.emit(std::move(event));
}

// Outputs that would take a mapped node over its limit turn the success into a
// failure that says so.
bool outputs_fit(const State& state, const AttemptReport& report) {
  const Execution& execution = *state.executions.find(report.range.execution);
  const ItemOutputs* known = execution.nodes[report.range.node].work->outputs.get();
  uint64_t bytes = known ? known->bytes() : 0;
  for (const Payload& output : report.outputs) {
    bytes += output.is_blob() ? sizeof(BlobRef) : output.size();
    if (output.size() > state.limits.output_bytes_max) return false;
    if (!output.is_blob() && output.size() > payload_inline_max) return false;
  }
  return known == nullptr || bytes <= state.limits.mapped_output_bytes_max;
}

void apply_report(Step& step, const AttemptReport& report) {
  if (report.succeeded && outputs_fit(step.state(), report)) {
    step.emit(AttemptsSucceeded{report.range, report.attempt, report.outputs});
    return;
  }
  AttemptReport failed = report;
  if (report.succeeded) {
    failed.kind = FailureKind::output;
    failed.error =
        "the output is larger than output_bytes_max or mapped_output_bytes_max allow; "
        "write it to a file and declare the file instead";
  }
  for (ItemIndex item = report.range.begin; item < report.range.end; ++item)
    fail(step, failed, item);
}

}  // namespace

Reply on(Step& step, const ReportAttempts& command) {
  uint64_t fenced = 0;
  for (const AttemptReport& report : command.reports) {
    bool well_formed = report.outputs.empty() || report.outputs.size() == report.range.size();
    if (well_formed && current(step.state(), command.session, report) != nullptr) {
      apply_report(step, report);
    } else {
      ++fenced;
    }
  }
  if (fenced > 0)
    return {Code::aborted, "fenced: another attempt is current, or the task has ended", fenced};
  return {};
}

}  // namespace pawl
