#include "pawl/model/jq_scan.h"

namespace pawl {
namespace {

constexpr size_t nowhere = std::string_view::npos;
constexpr int nesting_max = 256;

size_t end_of_code(std::string_view text, size_t at, char close, int depth);

// `at` is behind the opening quote; the result is behind the closing one.
size_t end_of_string(std::string_view text, size_t at, int depth) {
  while (at < text.size()) {
    char c = text[at++];
    if (c == '"') return at;
    if (c != '\\' || at == text.size()) continue;
    if (text[at++] != '(') continue;
    at = end_of_code(text, at, ')', depth + 1);
    if (at == nowhere) return nowhere;
  }
  return nowhere;
}

size_t end_of_code(std::string_view text, size_t at, char close, int depth) {
  if (depth > nesting_max) return nowhere;
  char open = close == '}' ? '{' : '(';
  int level = 0;
  while (at < text.size()) {
    char c = text[at++];
    if (c == '"') {
      at = end_of_string(text, at, depth);
      if (at == nowhere) return nowhere;
    } else if (c == '#') {
      while (at < text.size() && text[at] != '\n') ++at;
    } else if (c == open) {
      ++level;
    } else if (c == close && level-- == 0) {
      return at;
    }
  }
  return nowhere;
}

}  // namespace

size_t end_of_jq(std::string_view text, size_t at, char close) {
  return end_of_code(text, at, close, 0);
}

}  // namespace pawl
