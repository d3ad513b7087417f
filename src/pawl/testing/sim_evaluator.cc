#include "pawl/testing/sim_evaluator.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "pawl/base/json.h"
#include "pawl/model/expression.h"

namespace pawl {

namespace {

constexpr std::string_view endless = "def f: f; f";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Error syntax_error(std::string_view text) {
  return {Code::invalid_argument,
          "syntax error, the simulated evaluator does not know: " + std::string(text)};
}

Result<int64_t> integer(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return Error{Code::invalid_argument, "not an integer: " + std::string(text)};
  return number;
}

Result<std::string> operand(std::string_view text, const std::string& context) {
  text = trimmed(text);
  Expression expression = make_expression(std::string(text));
  if (expression.plain) {
    auto found = json_find(context, expression.path);
    return found ? json_compact(*found) : std::string("null");
  }
  if (json_validate(text).ok()) return json_compact(text);
  return syntax_error(text);
}

Result<std::string> length(const std::string& value) {
  switch (json_kind(value)) {
    case JsonKind::null:
      return std::string("0");
    case JsonKind::string:
      return std::to_string(json_unquote(value).size());
    case JsonKind::array:
    case JsonKind::object:
      return std::to_string(json_count(value));
    default:
      return Error{Code::invalid_argument, "no length has " + value};
  }
}

Result<std::string> combined(const std::string& operation, const std::string& left,
                             const std::string& right) {
  if (operation == " == ") return std::string(left == right ? "true" : "false");
  if (operation == " != ") return std::string(left != right ? "true" : "false");
  PAWL_ASSIGN(int64_t a, integer(left));
  PAWL_ASSIGN(int64_t b, integer(right));
  if (operation == " > ") return std::string(a > b ? "true" : "false");
  if (operation == " < ") return std::string(a < b ? "true" : "false");
  return std::to_string(a + b);
}

Result<std::string> range(std::string_view text) {
  PAWL_ASSIGN(int64_t n, integer(text));
  std::string out = "[";
  for (int64_t i = 0; i < n; ++i) out += (i > 0 ? "," : "") + std::to_string(i);
  return out + "]";
}

Error killed_after(Duration at_most) {
  int64_t ms = at_most == Duration::forever() ? 0 : at_most.whole_milliseconds();
  return {Code::deadline_exceeded,
          "the expression ran longer than " + std::to_string(ms) + " ms and was killed"};
}

Result<std::string> evaluate(std::string_view text, const std::string& context, Duration at_most) {
  if (text == endless) return killed_after(at_most);
  if (text == "empty") return Error{Code::invalid_argument, "expected one value, got 0"};
  if (text.starts_with("error(") && text.ends_with(")")) {
    std::string said = json_unquote(text.substr(6, text.size() - 7));
    for (char& c : said)
      if (c == '\n') c = ' ';
    return Error{Code::invalid_argument, said};
  }
  if (text.starts_with("[range(") && text.ends_with(")]"))
    return range(text.substr(7, text.size() - 9));
  Result<std::string> whole = operand(text, context);
  if (whole.ok()) return whole;
  if (text.ends_with("| length")) {
    PAWL_ASSIGN(std::string value, operand(text.substr(0, text.size() - 8), context));
    return length(value);
  }
  for (const char* operation : {" == ", " != ", " > ", " < ", " + ", ", "}) {
    size_t at = text.find(operation);
    if (at == std::string_view::npos) continue;
    PAWL_ASSIGN(std::string left, operand(text.substr(0, at), context));
    PAWL_ASSIGN(std::string right,
                operand(text.substr(at + std::string_view(operation).size()), context));
    if (operation == std::string_view(", "))
      return Error{Code::invalid_argument, "expected one value, got 2"};
    return combined(operation, left, right);
  }
  return syntax_error(text);
}

}  // namespace

void SimEvaluator::start(uint64_t ticket, const std::string& expression,
                         std::shared_ptr<const std::string> context, Duration at_most) {
  answers_.put(Evaluation{ticket, evaluate(trimmed(expression), *context, at_most)});
}

Status SimEvaluator::check(const std::string& expression) {
  Result<std::string> value = evaluate(trimmed(expression), "{}", Duration::forever());
  if (!value.ok() && value.error().message.starts_with("syntax error"))
    return std::move(value.error());
  return {};
}

}  // namespace pawl
