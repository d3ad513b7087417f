#include "pawl/engine/evaluations.h"

#include "pawl/base/json.h"
#include "pawl/context/context.h"
#include "pawl/model/item_list.h"

namespace pawl {
namespace {

// Without an `output:` the result is the output of the last nodes, by id.
Result<std::string> default_output(Context& context) {
  JsonWriter out;
  out.begin_object();
  const Workflow& workflow = *context.run().workflow;
  for (NodeIndex i = 0; i < workflow.nodes.size(); ++i) {
    if (!workflow.dependents[i].empty()) continue;
    const std::string& id = workflow.nodes[i].id;
    PAWL_ASSIGN(std::string value, context.value({"nodes", id, "output"}, 0));
    out.key(id).raw(value);
  }
  return out.end_object().take();
}

}  // namespace

void Evaluations::start(const Evaluate& effect) {
  Open open{effect.purpose, effect.context->execution, effect.context->node};
  auto at_once = [&](Result<std::string> value) {
    if (auto done = report(open, std::move(value))) done_.push_back(std::move(*done));
  };
  Context context(effect.context, blob_);
  const Expression& expression = effect.expression;
  if (!expression || expression.plain)
    return at_once(expression ? context.value(expression.path, 0) : default_output(context));
  if (json_validate(expression.text).ok()) return at_once(expression.text);
  auto text = context.document(expression.text, 0);
  if (!text.ok()) return at_once(std::move(text).error());
  uint64_t ticket = ++last_ticket_;
  open_.emplace(ticket, open);
  evaluator_.start(ticket, expression.text, *text, Duration::forever());
}

std::optional<ReportEvaluation> Evaluations::finish(Evaluation evaluation) {
  auto it = open_.find(evaluation.ticket);
  if (it == open_.end()) return std::nullopt;
  Open open = it->second;
  open_.erase(it);
  return report(open, std::move(evaluation.value));
}

std::optional<ReportEvaluation> Evaluations::report(const Open& open, Result<std::string> value) {
  ReportEvaluation report;
  report.execution = open.execution;
  report.node = open.node;
  report.purpose = open.purpose;
  Status filled = value.ok() ? fill(report, *value) : Status(std::move(value).error());
  if (filled.ok()) return stored(std::move(report), std::move(*value));
  report.error = filled.error().message;
  return report;
}

// Leaves in `value` what is to be stored.
Status Evaluations::fill(ReportEvaluation& report, std::string& value) {
  if (report.purpose == EvaluationPurpose::condition)
    value = value != "null" && value != "false" ? "true" : "false";
  if (report.purpose != EvaluationPurpose::items) return {};
  PAWL_ASSIGN(ItemList list, item_list(value, limits_.mapped_items_max));
  report.items_count = list.count;
  value = std::move(list.encoded);
  return {};
}

std::optional<ReportEvaluation> Evaluations::stored(ReportEvaluation report, std::string bytes) {
  report.succeeded = true;
  bool counted = report.purpose == EvaluationPurpose::items && bytes.empty();
  if (counted) return report;
  if (bytes.size() <= payload_inline_max) {
    report.value = Payload::inline_json(std::move(bytes));
    return report;
  }
  uint64_t sequence = evaluation_blob_sequence(static_cast<uint8_t>(report.purpose), report.node);
  BlobRef ref{report.execution, sequence, bytes.size(), hash128(bytes)};
  Status put = blob_.put(ref, bytes);
  if (put.ok()) {
    report.value = Payload::blob(ref);
  } else if (put.error().code == Code::resource_exhausted) {
    unstored_.push_back({std::move(report), std::move(bytes)});
    store_again_at_ = clock_.monotonic() + store_retry_pause;
    return std::nullopt;
  } else {
    report.succeeded = false;
    report.error = put.error().message;
  }
  return report;
}

void Evaluations::store_again() {
  if (clock_.monotonic() < store_again_at_) return;
  store_again_at_ = Instant::never();
  for (Unstored& one : std::exchange(unstored_, {})) {
    if (auto done = stored(std::move(one.report), std::move(one.bytes)))
      done_.push_back(std::move(*done));
  }
}

}  // namespace pawl
