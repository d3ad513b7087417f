#include "pawl/definition/source.h"

#include <algorithm>
#include <tuple>

namespace pawl {
namespace {

// Length of the line break at `at`, as YAML 1.1 (and so libyaml) sees them; 0 if there is none.
size_t break_length(std::string_view text, size_t at) {
  std::string_view rest = text.substr(at, 3);
  if (rest.starts_with("\r\n")) return 2;
  if (rest.starts_with('\n') || rest.starts_with('\r')) return 1;
  if (rest.starts_with("\xc2\x85")) return 2;
  if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) return 3;
  return 0;
}

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

Source::Source(std::string_view text) : text_(text), lines_{0} {
  for (size_t at = 0; at < text.size();) {
    size_t length = break_length(text, at);
    at += length == 0 ? 1 : length;
    if (length != 0) lines_.push_back(at);
  }
}

size_t Source::offset_of(Mark mark) const {
  if (mark.line == 0 || mark.line > lines_.size()) return text_.size();
  size_t at = lines_[mark.line - 1];
  for (uint32_t column = 1; column < mark.column && at < text_.size(); ++column) {
    ++at;
    while (at < text_.size() && !starts_character(text_[at])) ++at;
  }
  return at;
}

Mark Source::mark_of(size_t offset) const {
  offset = std::min(offset, text_.size());
  auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  size_t begin = *(after - 1);
  auto characters = std::count_if(text_.begin() + static_cast<ptrdiff_t>(begin),
                                  text_.begin() + static_cast<ptrdiff_t>(offset), starts_character);
  return {static_cast<uint32_t>(after - lines_.begin()), static_cast<uint32_t>(characters + 1)};
}

void Problems::add(Mark at, std::string message) {
  if (full()) return;
  problems_.push_back({file_, at.line, at.column, std::move(message)});
}

std::vector<Problem> Problems::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(problems_);
}

std::string to_text(const Problem& problem) {
  return problem.file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) +
         ": error: " + problem.message;
}

}  // namespace pawl
