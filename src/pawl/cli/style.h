// How text for people looks: colours where they are wanted, signs that the terminal can show, and
// numbers, times and sizes in words.
//
//   Style style{.colours = true, .unicode = true};
//   style.paint(Colour::red, "failed")  ->  "\x1b[31mfailed\x1b[0m"
//   in_words(Duration::milliseconds(1234))  ->  "1.2s"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/time.h"

namespace pawl::cli {

enum class Colour : uint8_t { plain, bold, dim, red, green, yellow, blue, cyan };

struct Style {
  bool colours = false;
  bool unicode = false;

  std::string paint(Colour colour, std::string_view text) const;
};

// The columns that the text takes: escape sequences take none, each character of UTF-8 one.
size_t columns(std::string_view text);
// At most `width` columns, ending in "~" or "…" where something was cut; sequences stay whole.
std::string clip(std::string_view text, size_t width, const Style& style);
std::string padded(std::string_view text, size_t width);       // left-aligned
std::string padded_left(std::string_view text, size_t width);  // right-aligned
// One line that cannot steer a terminal: control characters become spaces.
std::string tame(std::string_view text);

std::string in_words(Duration duration);       // "870ms", "1.2s", "3m 5s", "2h 10m", "4d 3h"
std::string with_commas(uint64_t number);      // "1,234,567"
std::string rate_in_words(double per_second);  // "0.4/s", "12/s", "3,400/s"
std::string bytes_in_words(uint64_t bytes);    // "1.5 MiB"
std::string local_time(WallTime time);         // "2026-03-01 14:05:09"; "-" for 0

// [#####-----] of `width` columns, done and failed parts of `total`.
std::string bar(uint64_t done, uint64_t failed, uint64_t total, size_t width, const Style& style);

}  // namespace pawl::cli
