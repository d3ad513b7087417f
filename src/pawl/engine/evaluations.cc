#include "pawl/engine/evaluations.h"

#include <algorithm>

#include "pawl/base/json.h"
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

constexpr size_t light_parts_max = 64;  // each may walk through all that is read

// What is read in no time.
bool is_light(const Evaluate& effect) {
  const RunContext& context = *effect.context;
  auto light = [](const NodeOutput& output) { return !output.mapped && !output.value.is_blob(); };
  return effect.expression.parts.size() <= light_parts_max && !context.input.is_blob() &&
         std::all_of(context.outputs.begin(), context.outputs.end(), light);
}

}  // namespace

void Evaluations::start(const Evaluate& effect) {
  ReportEvaluation about;
  about.execution = effect.context->execution;
  about.node = effect.context->node;
  about.purpose = effect.purpose;
  uint64_t ticket = ++last_ticket_;
  open_of_.insert({about.execution, ticket});
  open_.emplace(ticket, Open{about, {}});
  if (is_light(effect)) return take({ticket, make(about, effect)});
  in_background(ticket, [this, about, effect] { return make(about, effect); });
}

void Evaluations::finish(Evaluation evaluation) {
  auto it = open_.find(evaluation.ticket);
  if (it == open_.end()) return;
  Open& open = it->second;
  bool large =
      evaluation.value.ok() && open.draft.size() + evaluation.value->size() > payload_inline_max;
  auto work = [this, about = open.about, draft = std::move(open.draft),
               value = std::move(evaluation.value)]() mutable {
    return of_value(std::move(about), draft.filled(std::move(value)));
  };
  if (!large) return take({evaluation.ticket, work()});
  in_background(evaluation.ticket, std::move(work));
}

void Evaluations::in_background(uint64_t ticket, Callback<Outcome()> work) {
  if (!background_) return take({ticket, work()});
  background_->run([this, ticket, work = std::move(work)] { made_.put({ticket, work()}); });
}

std::vector<ReportEvaluation> Evaluations::take_done() {
  made_.take_all(batch_);
  for (Made& made : batch_) take(std::move(made));
  batch_.clear();
  return std::exchange(done_, {});
}

void Evaluations::take(Made made) {
  auto it = open_.find(made.ticket);
  auto* report = std::get_if<ReportEvaluation>(&made.outcome);
  if (it == open_.end()) {  // given up meanwhile: nothing comes to refer to it
    if (report != nullptr && report->value.is_blob())
      background_->run([this, ref = report->value.ref()] { (void)blob_.drop(ref).ok(); });
  } else if (auto* draft = std::get_if<Draft>(&made.outcome)) {
    std::string program = draft->take_program();
    std::shared_ptr<const std::string> document = draft->take_document();
    it->second.draft = std::move(*draft);
    evaluator_.start(made.ticket, program, std::move(document), Duration::forever());
  } else if (auto* unstored = std::get_if<Unstored>(&made.outcome)) {
    unstored_.emplace(made.ticket, std::move(*unstored));
    store_again_at_ = clock_.monotonic() + store_retry_pause;
  } else {
    done_.push_back(std::move(*report));
    open_of_.erase({it->second.about.execution, made.ticket});
    open_.erase(it);
  }
}

void Evaluations::give_up(ExecutionId execution) {
  auto it = open_of_.lower_bound({execution, 0});
  while (it != open_of_.end() && it->first == execution) {
    evaluator_.cancel(it->second);
    open_.erase(it->second);
    unstored_.erase(it->second);
    it = open_of_.erase(it);
  }
}

Evaluations::Outcome Evaluations::make(const ReportEvaluation& about,
                                       const Evaluate& effect) const {
  Context context(effect.context, blob_);
  if (!effect.expression) return of_value(about, default_output(context));
  auto draft = make_draft(context, effect.expression, 0);
  if (!draft.ok()) return of_value(about, std::move(draft.error()));
  if (draft->is_whole()) return of_value(about, draft->take_value());
  return std::move(*draft);
}

Evaluations::Outcome Evaluations::of_value(ReportEvaluation report,
                                           Result<std::string> value) const {
  Status filled = value.ok() ? fill(report, *value) : Status(std::move(value).error());
  if (filled.ok()) return stored(std::move(report), std::move(*value));
  report.error = filled.error().message;
  return report;
}

// Leaves in `value` what is to be stored.
Status Evaluations::fill(ReportEvaluation& report, std::string& value) const {
  if (report.purpose == EvaluationPurpose::condition)
    value = value != "null" && value != "false" ? "true" : "false";
  if (report.purpose != EvaluationPurpose::items) return {};
  PAWL_ASSIGN(ItemList list, item_list(value, limits_.mapped_items_max));
  report.items_count = list.count;
  value = std::move(list.encoded);
  return {};
}

Evaluations::Outcome Evaluations::stored(ReportEvaluation report, std::string bytes) const {
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
    return Unstored{std::move(report), std::move(bytes)};
  } else {
    report.succeeded = false;
    report.error = put.error().message;
  }
  return report;
}

void Evaluations::store_again() {
  if (clock_.monotonic() < store_again_at_) return;
  store_again_at_ = Instant::never();
  for (auto& [ticket, one] : std::exchange(unstored_, {})) {
    in_background(ticket, [this, one = std::move(one)]() mutable {
      return stored(std::move(one.report), std::move(one.bytes));
    });
  }
}

}  // namespace pawl
