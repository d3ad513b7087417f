#include "pawl/model/expression.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "pawl/base/json.h"
#include "pawl/model/jq_scan.h"

namespace pawl {
namespace {

using Kind = ExpressionPart::Kind;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads steps off the front of jq text. What jq would read differently is not a plain path: escapes
// and interpolation in strings, negative or odd numbers, and a name made of digits alone (which the
// path could not tell from an index).
class Steps {
 public:
  explicit Steps(std::string_view text) : rest_(text) {}

  std::optional<std::vector<std::string>> all() {
    std::vector<std::string> path;
    if (rest_.empty() || rest_.front() != '.') return std::nullopt;
    // `.[0]` and `.["a"]`: the leading dot is the context itself.
    if (rest_.size() > 1 && rest_[1] == '[') rest_.remove_prefix(1);
    while (!rest_.empty()) {
      std::optional<std::string> step = next();
      if (!step) return std::nullopt;
      path.push_back(std::move(*step));
    }
    return path;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view take_front(size_t size) {
    std::string_view front = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return front;
  }

  std::optional<std::string> next() {
    if (take('.')) return !rest_.empty() && rest_.front() == '"' ? string() : name();
    if (!take('[')) return std::nullopt;
    std::optional<std::string> step = !rest_.empty() && rest_.front() == '"' ? string() : number();
    if (!take(']')) return std::nullopt;
    return step;
  }

  std::optional<std::string> name() {
    size_t size = 0;
    while (size < rest_.size() && (is_letter(rest_[size]) || (size > 0 && is_digit(rest_[size]))))
      ++size;
    if (size == 0) return std::nullopt;
    return std::string(take_front(size));
  }

  std::optional<std::string> number() {
    size_t size = 0;
    while (size < rest_.size() && is_digit(rest_[size])) ++size;
    if (size == 0 || size > 9 || (size > 1 && rest_.front() == '0')) return std::nullopt;
    return std::string(take_front(size));
  }

  std::optional<std::string> string() {
    take('"');
    size_t size = rest_.find('"');
    if (size == std::string_view::npos) return std::nullopt;
    std::string_view inside = take_front(size);
    take('"');
    bool digits = inside.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits || inside.find('\\') != std::string_view::npos) return std::nullopt;
    return std::string(inside);
  }

  std::string_view rest_;
};

std::string_view trimmed(std::string_view text) {
  constexpr const char* space = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  return text.substr(0, text.find_last_not_of(space) + 1);
}

// Reads JSON with values of jq in it, as a definition composes it: {"n":(.item),"t":("a\(.b)")}. It is
// that if it is JSON with null for every value; so what jq would read differently, as -(1) or
// @text "\(.a)", is none.
class Parts {
 public:
  explicit Parts(std::string_view text, bool only_text = false)
      : text_(text), only_text_(only_text) {}

  std::vector<ExpressionPart> all() {
    while (at_ < text_.size())
      if (!step()) return {};
    if (!json_validate(outline_).ok()) return {};
    return std::move(parts_);
  }

 private:
  bool step() {
    const char c = text_[at_];
    if (!in_text_ && c == '(') return !only_text_ && value();
    const bool escaped = in_text_ && c == '\\';
    if (escaped && text_.substr(at_ + 1, 1) == "(") return ++at_, value();
    if (c == '"') in_text_ = !in_text_;
    literal(text_.substr(at_, escaped ? 2 : 1));
    return true;
  }

  void literal(std::string_view json) {
    if (parts_.empty() || parts_.back().kind != Kind::literal) parts_.emplace_back();
    parts_.back().text += json;
    outline_ += json;
    at_ += json.size();
  }

  bool value() {
    const size_t end = end_of_jq(text_, at_ + 1, ')');
    if (end == std::string_view::npos) return false;
    const std::string_view jq = trimmed(text_.substr(at_ + 1, end - at_ - 2));
    at_ = end;
    if (!in_text_) {
      outline_ += "null";
      if (jq.starts_with('"') && text(jq)) return true;
    }
    std::optional<std::vector<std::string>> path = Steps(jq).all();
    ExpressionPart part{path ? Kind::path : Kind::jq, in_text_, std::string(jq), {}};
    if (path) part.path = std::move(*path);
    parts_.push_back(std::move(part));
    return true;
  }

  // A text that is a value of its own: ("a\(.b)").
  bool text(std::string_view jq) {
    std::vector<ExpressionPart> inner = Parts(jq, true).all();
    for (ExpressionPart& part : inner) {
      const bool joins =
          part.kind == Kind::literal && !parts_.empty() && parts_.back().kind == Kind::literal;
      if (joins)
        parts_.back().text += part.text;
      else
        parts_.push_back(std::move(part));
    }
    return !inner.empty();
  }

  const std::string_view text_;
  const bool only_text_;  // values stand inside of texts alone
  size_t at_ = 0;
  bool in_text_ = false;
  std::string outline_;
  std::vector<ExpressionPart> parts_;
};

// Values of jq in what is composed natively. More are jq's to compose: its compiler has bounds of its
// own, which asking for them one by one would meet earlier.
constexpr std::ptrdiff_t jq_parts_max = 100;

// Where jq computes every value, and no number stands beside them, it may as well compose them.
bool keeps_digits(const std::vector<ExpressionPart>& parts) {
  auto is_jq = [](const ExpressionPart& part) { return part.kind == Kind::jq; };
  auto keeps = [](const ExpressionPart& part) {
    return part.kind == Kind::path || (part.kind == Kind::literal &&
                                       part.text.find_first_of("0123456789") != std::string::npos);
  };
  const std::ptrdiff_t asked = std::count_if(parts.begin(), parts.end(), is_jq);
  return asked == 0 || (asked <= jq_parts_max && std::any_of(parts.begin(), parts.end(), keeps));
}

}  // namespace

Expression make_expression(std::string jq) {
  const std::string_view code = trimmed(jq);
  Expression expression;
  if (std::optional<std::vector<std::string>> path = Steps(code).all()) {
    expression.plain = true;
    expression.path = std::move(*path);
  } else {
    expression.parts = Parts(code).all();
    if (!keeps_digits(expression.parts)) expression.parts.clear();
  }
  expression.text = std::move(jq);
  return expression;
}

void append_value(std::string& json, std::string_view value, bool in_text) {
  if (!in_text) {
    json += value;
    return;
  }
  const bool is_text = json_kind(value) == JsonKind::string;
  const std::string quoted = is_text ? std::string(value) : json_quote(json_compact(value));
  json.append(quoted, 1, quoted.size() - 2);
}

}  // namespace pawl
