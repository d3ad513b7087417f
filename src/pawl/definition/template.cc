#include "pawl/definition/template.h"

#include <algorithm>

#include "pawl/model/jq_scan.h"

namespace pawl {
namespace {

constexpr size_t nowhere = std::string_view::npos;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  size_t begin = text.find_first_not_of(space);
  if (begin == nowhere) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

// NAME as in ${NAME}: almost certainly meant for the shell, and never a jq function.
bool is_shell_variable(std::string_view text) {
  if (text.empty() || text[0] < 'A' || text[0] > 'Z') return false;
  for (char c : text)
    if (!(c == '_' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  return true;
}

std::string objection(std::string_view jq) {
  if (jq.empty()) return "an expression is missing between ${ and }";
  if (jq.find('\0') != nowhere) return "an expression cannot hold a NUL character";
  if (is_shell_variable(jq))
    return "\"${" + std::string(jq) +
           "}\" would be a jq expression; for the shell's variable write $" + std::string(jq) +
           " or $${" + std::string(jq) + "}";
  return {};
}

}  // namespace

ScannedTemplate scan_template(std::string_view text) {
  ScannedTemplate scanned;
  auto& parts = scanned.text.parts;
  auto literal = [&](size_t offset, std::string_view more) {
    if (parts.empty() || parts.back().expression) {
      parts.emplace_back();
      scanned.offsets.push_back(offset);
    }
    parts.back().literal += more;
  };
  for (size_t at = 0; at < text.size();) {
    size_t dollar = std::min(text.find('$', at), text.size());
    size_t brace = std::min(text.find_first_not_of('$', dollar), text.size());
    if (brace == text.size() || text[brace] != '{') {
      literal(at, text.substr(at, brace - at));
      at = brace;
      continue;
    }
    size_t dollars = brace - dollar;
    std::string before(text.substr(at, dollar - at));
    before.append(dollars / 2, '$');
    if (dollars % 2 == 0) {
      literal(at, before + "{");
      at = brace + 1;
      continue;
    }
    if (!before.empty()) literal(at, before);
    at = brace - 1;
    size_t end = end_of_jq(text, at + 2, '}');
    if (end == nowhere) {
      scanned.error = {at,
                       "the expression that begins with ${ has no closing }; "
                       "a literal ${ is written $${"};
      return scanned;
    }
    std::string_view jq = trimmed(text.substr(at + 2, end - at - 3));
    std::string wrong = objection(jq);
    if (!wrong.empty()) {
      scanned.error = {at, std::move(wrong)};
      return scanned;
    }
    parts.push_back({{}, make_expression(std::string(jq))});
    scanned.offsets.push_back(at);
    at = end;
  }
  return scanned;
}

std::string to_source(const Template& text) {
  std::string source;
  for (size_t i = 0; i < text.parts.size(); ++i) {
    const TemplatePart& part = text.parts[i];
    if (part.expression) {
      source +=
          "${ " + part.expression.text + (part.expression.text.find('#') == nowhere ? " }" : "\n}");
      continue;
    }
    for (size_t at = 0; at < part.literal.size(); ++at) {
      if (part.literal[at] != '$') {
        source += part.literal[at];
        continue;
      }
      size_t end = std::min(part.literal.find_first_not_of('$', at), part.literal.size());
      bool before_brace =
          end == part.literal.size() ? i + 1 < text.parts.size() : part.literal[end] == '{';
      source.append((end - at) * (before_brace ? 2 : 1), '$');
      at = end - 1;
    }
  }
  return source;
}

}  // namespace pawl
