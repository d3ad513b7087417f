#include "pawl/context/draft.h"

namespace pawl {
namespace {

using Kind = ExpressionPart::Kind;

// One evaluation for all parts that are jq's. A part that gives no value or several means what it means
// in jq: as many elements of the list around it, or as many values of the whole; jq composes that.
std::string program_of(const Expression& expression) {
  std::string lists;
  for (const ExpressionPart& part : expression.parts) {
    if (part.kind != Kind::jq) continue;
    lists += (lists.empty() ? "[(" : ",[(") + part.text + "\n)]";
  }
  return "def whole: " + expression.text + "\n; [" + lists +
         "] as $parts | if all($parts[]; length == 1) then [$parts[][]] "
         "else {\"whole\": whole} end";
}

}  // namespace

Status Draft::add(const ExpressionPart& part, Context& context, ItemIndex item) {
  if (part.kind == Kind::jq) {
    whole_ = false;
    holes_.push_back({json_.size(), part.in_text});
    return {};
  }
  if (part.kind == Kind::literal) {
    json_ += part.text;
  } else {
    PAWL_ASSIGN(std::string value, context.value(part.path, item));
    append_value(json_, value, part.in_text);
  }
  if (json_.size() <= composed_bytes_max) return {};
  return Error{Code::resource_exhausted,
               "what an expression is composed of has more bytes than the limit "
               "composed_bytes_max, " +
                   std::to_string(composed_bytes_max)};
}

Result<Draft> make_draft(Context& context, const Expression& expression, ItemIndex item) {
  Draft draft;
  draft.whole_ = expression.plain || !expression.parts.empty();
  if (expression.plain) {
    PAWL_ASSIGN(draft.json_, context.value(expression.path, item));
  }
  for (const ExpressionPart& part : expression.parts) PAWL_TRY(draft.add(part, context, item));
  if (draft.whole_) return draft;
  draft.program_ = draft.holes_.empty() ? expression.text : program_of(expression);
  PAWL_ASSIGN(draft.document_, context.document(expression.text, item));
  return draft;
}

Result<std::string> Draft::filled(Result<std::string> answer) const {
  if (!answer.ok() || holes_.empty()) return answer;
  if (auto whole = json_find(*answer, {"whole"})) return std::string(*whole);
  std::string out;
  out.reserve(json_.size() + answer->size());
  size_t from = 0;
  JsonItems values(*answer);
  for (const Hole& hole : holes_) {
    if (!values.next()) return Error{Code::internal, "an evaluator answered something else"};
    out.append(json_, from, hole.at - from);
    append_value(out, values.value(), hole.in_text);
    from = hole.at;
  }
  out.append(json_, from);
  return out;
}

}  // namespace pawl
