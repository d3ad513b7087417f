#include "pawl/cli/expression_check.h"

#include <map>
#include <span>
#include <vector>

#include "pawl/base/json.h"

namespace pawl::cli {
namespace {

constexpr size_t together_max = 64;
constexpr size_t together_bytes_max = 64 * 1024;

// Whether the brackets of the text close each other, so that in parentheses of ours it is still one
// expression: "1), (2" is none, and would be two. Where a comment or an expression inside a string
// would have to be understood for that, the answer is no.
bool stands_alone(std::string_view text) {
  std::string open;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '#') return false;
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && ++at < text.size() && text[at] == '(') return false;
      }
      if (at >= text.size()) return false;
    } else if (c == '(' || c == '[' || c == '{') {
      open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

using Sayings = std::map<std::string, std::string, std::less<>>;  // by expression; empty: good

void check_together(std::span<const std::string* const> texts, const JqCheck& check,
                    Sayings& sayings) {
  if (texts.empty()) return;
  if (texts.size() == 1) {
    Status compiled = check(*texts[0]);
    if (!compiled.ok()) sayings[*texts[0]] = compiled.error().message;
    return;
  }
  std::string program;
  for (const std::string* text : texts) {
    program += (program.empty() ? "(" : ",(") + *text + ")";
  }
  if (check(program).ok()) return;
  check_together(texts.first(texts.size() / 2), check, sayings);
  check_together(texts.subspan(texts.size() / 2), check, sayings);
}

void check_all(const JqCheck& check, Sayings& sayings) {
  std::vector<const std::string*> together;
  size_t bytes = 0;
  for (const auto& [text, saying] : sayings) {
    if (!stands_alone(text)) {
      check_together(std::vector{&text}, check, sayings);
      continue;
    }
    if (together.size() == together_max || bytes + text.size() > together_bytes_max) {
      check_together(together, check, sayings);
      together.clear();
      bytes = 0;
    }
    together.push_back(&text);
    bytes += text.size();
  }
  check_together(together, check, sayings);
}

}  // namespace

void check_expressions(Loaded& loaded, const std::string& file, const JqCheck& check) {
  Sayings sayings;
  auto asks = [](const ExpressionSite& site) {
    return !site.expression.plain && !json_validate(site.expression.text).ok();
  };
  for (const ExpressionSite& site : loaded.expressions) {
    if (asks(site)) sayings.try_emplace(site.expression.text);
  }
  check_all(check, sayings);
  for (const ExpressionSite& site : loaded.expressions) {
    if (!asks(site)) continue;
    const std::string& said = sayings.at(site.expression.text);
    if (!said.empty()) loaded.problems.push_back({file, site.line, site.column, said});
  }
}

}  // namespace pawl::cli
