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

Source::Source(std::string_view text) : text_(text), places_{{0, {}}} {
  constexpr size_t places_apart = 512;
  Mark mark;
  for (size_t at = 0; at < text.size();) {
    size_t length = break_length(text, at);
    if (length != 0) {
      at += length;
      mark = {mark.line + 1, 1};
      places_.push_back({at, mark});
      continue;
    }
    ++at;
    if (at < text.size() && !starts_character(text[at])) continue;
    ++mark.column;
    if (at - places_.back().offset >= places_apart) places_.push_back({at, mark});
  }
}

size_t Source::offset_of(Mark mark) const {
  auto before = [](Mark a, const Place& b) {
    return std::tie(a.line, a.column) < std::tie(b.mark.line, b.mark.column);
  };
  auto after = std::upper_bound(places_.begin(), places_.end(), mark, before);
  if (after == places_.begin()) return 0;
  const Place& place = *(after - 1);
  if (place.mark.line != mark.line) return text_.size();
  size_t at = place.offset;
  for (uint32_t column = place.mark.column; column < mark.column && at < text_.size(); ++column) {
    ++at;
    while (at < text_.size() && !starts_character(text_[at])) ++at;
  }
  return at;
}

Mark Source::mark_of(size_t offset) const {
  offset = std::min(offset, text_.size());
  auto after = std::upper_bound(places_.begin(), places_.end(), offset,
                                [](size_t a, const Place& b) { return a < b.offset; });
  Mark mark = (after - 1)->mark;
  for (size_t at = (after - 1)->offset + 1; at <= offset; ++at)
    if (at == text_.size() || starts_character(text_[at])) ++mark.column;
  return mark;
}

void Problems::add(Mark at, std::string message) {
  if (full()) return;
  // Words of the file stand in messages: they must not steer the terminal.
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  for (const Problem& known : problems_)
    if (known.line == at.line && known.column == at.column && known.message == message) return;
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
