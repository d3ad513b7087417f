// Reads progress as programs report it: lines of a fraction and, after a blank, a message.
//
//   echo "0.42 two files left" >&$PAWL_PROGRESS     ->  {420, "two files left"}
//
// Lines without a fraction from 0 to 1 are ignored (but count as a sign of life); a line longer
// than 4 KiB is cut. Of more than progress_words_max that nobody has taken, the oldest go.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

constexpr size_t progress_words_max = 100;

struct ProgressLine {
  uint32_t permille = 0;
  std::string message;
};

std::optional<ProgressLine> parse_progress(std::string_view line);

class ProgressLines {
 public:
  // True when at least one line was completed. The valid ones wait in `words`.
  bool append(std::string_view bytes);
  std::deque<ProgressLine> words;  // in their order

 private:
  std::string line_;
};

}  // namespace pawl
