// Reads progress as programs report it: lines of a fraction and, after a blank, a message.
//
//   echo "0.42 two files left" >&$PAWL_PROGRESS     ->  {420, "two files left"}
//
// Lines without a fraction from 0 to 1 are ignored (but count as a sign of life); a line longer
// than 4 KiB is cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

struct ProgressLine {
  uint32_t permille = 0;
  std::string message;
};

std::optional<ProgressLine> parse_progress(std::string_view line);

class ProgressLines {
 public:
  // True when at least one line was completed. The newest valid one waits in `newest`.
  bool append(std::string_view bytes);
  std::optional<ProgressLine> newest;

 private:
  std::string line_;
};

}  // namespace pawl
