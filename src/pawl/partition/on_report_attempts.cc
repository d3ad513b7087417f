#include <algorithm>
#include <optional>

#include "pawl/base/json.h"
#include "pawl/partition/held.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

// Costs what the part has, not what the whole has.
AttemptReport part_of(const AttemptReport& report, ItemSpan span) {
  AttemptReport part;
  part.range = {report.range.execution, report.range.node, span.begin, span.end};
  part.attempt = report.attempt;
  part.nonce = report.nonce;
  part.succeeded = report.succeeded;
  part.kind = report.kind;
  part.exit_code = report.exit_code;
  part.error = report.error;
  part.times = report.times;
  if (!report.outputs.empty())
    part.outputs.assign(report.outputs.begin() + (span.begin - report.range.begin),
                        report.outputs.begin() + (span.end - report.range.begin));
  return part;
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

// A failed range is one event per item, since each backs off by itself; so that one report cannot
// fill the memory, its items share what their texts may take together.
uint64_t error_bytes_of_item(const Limits& limits, const TaskRange& range) {
  constexpr uint64_t together = 4 << 20;
  return std::min(limits.error_bytes_max, std::max<uint64_t>(64, together / range.size()));
}

void fail(Step& step, const AttemptReport& report, ItemIndex item) {
  const Execution& execution = *step.state().executions.find(report.range.execution);
  const RetryPolicy& policy = execution.definition(report.range.node).retry;
  const Story* story = execution.nodes[report.range.node].work->stories.find(item);
  uint32_t failures = (story ? story->failures : 0) + 1;
  AttemptFailed event{
      {report.range.execution, report.range.node, item, item + 1},
      report.attempt,
      report.kind,
      report.exit_code,
      report.error.substr(0, error_bytes_of_item(step.state().limits, report.range)),
      Disposition::park,
      {}};
  if (report.attempt >= attempts_max) {
    event.error += attempts_max_reached;
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

// Whoever reads them relies on it: JSON, and no other execution's blobs.
bool outputs_valid(const AttemptReport& report) {
  return std::all_of(report.outputs.begin(), report.outputs.end(), [&](const Payload& output) {
    if (output.is_blob()) return output.ref().owner == report.range.execution;
    return output.is_absent() || json_validate(output.text()).ok();
  });
}

// Outputs that would take a mapped node over its limit turn the success into a
// failure that says so.
bool outputs_fit(const State& state, const AttemptReport& report) {
  const Execution& execution = *state.executions.find(report.range.execution);
  const MappedWork* mapped = execution.nodes[report.range.node].work->mapped.get();
  uint64_t bytes = mapped ? mapped->outputs->bytes() : 0;
  for (const Payload& output : report.outputs) {
    bytes += output.size();
    if (output.size() > state.limits.output_bytes_max) return false;
    if (!output.is_blob() && output.size() > payload_inline_max) return false;
  }
  return mapped == nullptr || bytes <= state.limits.mapped_output_bytes_max;
}

void apply_report(Step& step, const AttemptReport& report) {
  bool fits = report.succeeded && outputs_fit(step.state(), report);
  if (fits && outputs_valid(report)) {
    step.emit(AttemptsSucceeded{report.range, report.attempt, report.outputs});
    return;
  }
  if (report.succeeded && report.range.size() > 1) {
    // What is wrong with one is not its neighbour's. By halves, so that the rest stays together.
    const ItemIndex half = report.range.begin + report.range.size() / 2;
    apply_report(step, part_of(report, {report.range.begin, half}));
    apply_report(step, part_of(report, {half, report.range.end}));
    return;
  }
  AttemptReport failed = report;
  if (report.succeeded) {
    failed.kind = FailureKind::output;
    failed.error =
        fits ? "the output is not JSON, or a blob of another execution"
             : "the output is larger than output_bytes_max or mapped_output_bytes_max allow; "
               "write it to a file and declare the file instead";
  }
  for (ItemIndex item = report.range.begin; item < report.range.end; ++item)
    fail(step, failed, item);
}

// Of whatever part of a report is taken, as of the whole.
std::optional<AttemptTimes> each_of(const AttemptReport& report) {
  if (!report.times) return std::nullopt;
  auto items = static_cast<int64_t>(report.range.size());
  return AttemptTimes{{report.times->queued.ns / items}, {report.times->ran.ns / items}};
}

}  // namespace

Reply on(Step& step, const ReportAttempts& command) {
  uint64_t fenced = 0;
  for (const AttemptReport& report : command.reports) {
    bool well_formed = report.outputs.empty() || report.outputs.size() == report.range.size();
    const HeldAttempts attempts{report.range, report.attempt, report.nonce};
    ItemIndex at = report.range.begin;
    uint32_t taken = 0;
    while (well_formed) {
      auto held = held_part(step.state(), command.session, attempts, at);
      if (!held) break;
      const ItemSpan span = held->span;
      bool whole = span.begin == report.range.begin && span.end == report.range.end;
      apply_report(step, whole ? report : part_of(report, span));
      step.measure({held->granted, span.end - span.begin, each_of(report)});
      taken += span.end - span.begin;
      at = span.end;
    }
    if (taken == 0 || taken < report.range.size()) ++fenced;
  }
  step.measure_fenced(fenced);
  if (fenced > 0)
    return {Code::aborted, "fenced: another attempt is current, or the task has ended", fenced};
  return {};
}

}  // namespace pawl
