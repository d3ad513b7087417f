#include "pawl/model/expression.h"

#include <optional>
#include <string_view>

namespace pawl {
namespace {

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

}  // namespace

Expression make_expression(std::string jq) {
  constexpr const char* space = " \t\r\n";
  std::string_view trimmed = jq;
  trimmed.remove_prefix(std::min(trimmed.find_first_not_of(space), trimmed.size()));
  trimmed = trimmed.substr(0, trimmed.find_last_not_of(space) + 1);
  std::optional<std::vector<std::string>> path = Steps(trimmed).all();
  Expression expression;
  expression.plain = path.has_value();
  if (path) expression.path = std::move(*path);
  expression.text = std::move(jq);
  return expression;
}

}  // namespace pawl
