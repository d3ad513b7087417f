#include "pawl/isolate/report_builder.h"

#include <utility>

#include "pawl/base/json.h"
#include "pawl/isolate/process_output.h"
#include "pawl/worker/failure.h"

namespace pawl {

// Almost always null, or a short text.
void ReportBuilder::succeed(ItemIndex item, std::string output) {
  if (output.empty() && outputs_.empty()) return;
  if (Status valid = output.empty() ? Status() : json_validate(output); !valid.ok())
    return fail(item, item + 1, FailureKind::output, "returned no JSON: " + valid.error().message);
  auto payload = make_payload(std::move(output), grant_.range.at(item), grant_.attempt, payloads_);
  if (!payload.ok())
    return fail(item, item + 1, failure_of(payload.error(), FailureKind::output),
                payload.error().message);
  outputs_.resize(item - begin_);
  outputs_.push_back(std::move(*payload));
}

void ReportBuilder::fail(ItemIndex begin, ItemIndex end, FailureKind kind, std::string error) {
  flush(begin);
  AttemptReport report = blank(begin, end);
  report.kind = kind;
  report.error = std::move(error);
  reports_.push_back(std::move(report));
  begin_ = end;
}

std::vector<AttemptReport> ReportBuilder::take_until(ItemIndex end) {
  flush(end);
  return std::exchange(reports_, {});
}

void ReportBuilder::flush(ItemIndex end) {
  if (begin_ == end) return;
  AttemptReport report = blank(begin_, end);
  report.succeeded = true;
  report.outputs = std::move(outputs_);
  outputs_.clear();
  reports_.push_back(std::move(report));
  begin_ = end;
}

AttemptReport ReportBuilder::blank(ItemIndex begin, ItemIndex end) const {
  AttemptReport report;
  report.range = {grant_.range.execution, grant_.range.node, begin, end};
  report.attempt = grant_.attempt;
  report.nonce = grant_.nonce;
  return report;
}

}  // namespace pawl
