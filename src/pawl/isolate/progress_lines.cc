#include "pawl/isolate/progress_lines.h"

namespace pawl {
namespace {

constexpr size_t line_bytes_max = 4096;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<ProgressLine> parse_progress(std::string_view line) {
  size_t at = 0;
  uint32_t whole = 0;
  bool digits = false;
  for (; at < line.size() && is_digit(line[at]); at++) {
    whole = whole * 10 + static_cast<uint32_t>(line[at] - '0');
    digits = true;
    if (whole > 1) return std::nullopt;
  }
  uint32_t permille = whole * 1000;
  if (at < line.size() && line[at] == '.') {
    uint32_t place = 100;
    for (at++; at < line.size() && is_digit(line[at]); at++, place /= 10) {
      permille += static_cast<uint32_t>(line[at] - '0') * place;
      digits = true;
    }
  }
  bool ended = at == line.size() || line[at] == ' ' || line[at] == '\t';
  if (!digits || !ended || permille > 1000) return std::nullopt;
  size_t message = line.find_first_not_of(" \t", at);
  if (message == std::string_view::npos) return ProgressLine{permille, {}};
  return ProgressLine{permille, std::string(line.substr(message))};
}

bool ProgressLines::append(std::string_view bytes) {
  bool completed = false;
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view part = bytes.substr(0, end);
    if (line_.size() < line_bytes_max) line_.append(part.substr(0, line_bytes_max - line_.size()));
    if (end == std::string_view::npos) break;
    if (std::optional<ProgressLine> line = parse_progress(line_)) {
      words.push_back(std::move(*line));
      if (words.size() > progress_words_max) words.pop_front();
    }
    line_.clear();
    completed = true;
    bytes.remove_prefix(end + 1);
  }
  return completed;
}

}  // namespace pawl
