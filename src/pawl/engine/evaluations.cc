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
  Context context(effect.context, blob_);
  const Expression& expression = effect.expression;
  if (!expression || expression.plain) {
    done_.push_back(
        report(open, expression ? context.value(expression.path, 0) : default_output(context)));
    return;
  }
  if (json_validate(expression.text).ok()) {
    done_.push_back(report(open, expression.text));
    return;
  }
  auto text = context.document(expression.text, 0);
  if (!text.ok()) {
    done_.push_back(report(open, std::move(text).error()));
    return;
  }
  uint64_t ticket = ++last_ticket_;
  open_.emplace(ticket, open);
  evaluator_.start(ticket, expression.text, *text);
}

std::optional<ReportEvaluation> Evaluations::finish(Evaluation evaluation) {
  auto it = open_.find(evaluation.ticket);
  if (it == open_.end()) return std::nullopt;
  Open open = it->second;
  open_.erase(it);
  return report(open, std::move(evaluation.value));
}

ReportEvaluation Evaluations::report(const Open& open, Result<std::string> value) {
  ReportEvaluation report;
  report.execution = open.execution;
  report.node = open.node;
  report.purpose = open.purpose;
  Status filled = value.ok() ? fill(report, std::move(*value)) : Status(std::move(value).error());
  report.succeeded = filled.ok();
  if (!filled.ok()) report.error = filled.error().message;
  return report;
}

Result<Payload> Evaluations::store(const ReportEvaluation& report, std::string bytes) {
  if (bytes.size() <= payload_inline_max) return Payload::inline_json(std::move(bytes));
  uint64_t sequence = evaluation_blob_sequence(static_cast<uint8_t>(report.purpose), report.node);
  BlobRef ref{report.execution, sequence, bytes.size(), hash128(bytes)};
  PAWL_TRY(blob_.put(ref, bytes));
  return Payload::blob(ref);
}

Status Evaluations::fill(ReportEvaluation& report, std::string value) {
  if (report.purpose == EvaluationPurpose::condition) {
    bool holds = value != "null" && value != "false";
    report.value = Payload::inline_json(holds ? "true" : "false");
    return {};
  }
  if (report.purpose == EvaluationPurpose::items) {
    PAWL_ASSIGN(ItemList list, item_list(value, limits_.mapped_items_max));
    report.items_count = list.count;
    if (list.encoded.empty()) return {};
    value = std::move(list.encoded);
  }
  PAWL_ASSIGN(report.value, store(report, std::move(value)));
  return {};
}

}  // namespace pawl
