#include "pawl/cli/style.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace pawl::cli {
namespace {

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::plain:
      return "0";
    case Colour::bold:
      return "1";
    case Colour::dim:
      return "2";
    case Colour::red:
      return "31";
    case Colour::green:
      return "32";
    case Colour::yellow:
      return "33";
    case Colour::blue:
      return "34";
    case Colour::cyan:
      return "36";
  }
  return "0";
}

// The bytes of the escape sequence at `at`; 0 if there is none.
size_t sequence_at(std::string_view text, size_t at) {
  if (text[at] != '\x1b' || at + 1 >= text.size() || text[at + 1] != '[') return 0;
  size_t end = at + 2;
  while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
  return std::min(end + 1, text.size()) - at;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0u) == 0x80;
}

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string Style::paint(Colour colour, std::string_view text) const {
  if (!colours || colour == Colour::plain || text.empty()) return std::string(text);
  return std::string("\x1b[") + code_of(colour) + "m" + std::string(text) + "\x1b[0m";
}

size_t columns(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    if (size_t skip = sequence_at(text, at); skip > 0) {
      at += skip;
      continue;
    }
    if (!continues(text[at])) ++count;
    ++at;
  }
  return count;
}

std::string clip(std::string_view text, size_t width, const Style& style) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string kept;
  size_t taken = 0;
  bool painted = false;
  for (size_t at = 0; at < text.size();) {
    if (size_t skip = sequence_at(text, at); skip > 0) {
      kept.append(text.substr(at, skip));
      painted = true;
      at += skip;
      continue;
    }
    if (!continues(text[at]) && taken++ == width - 1) break;
    kept.push_back(text[at++]);
  }
  kept += style.unicode ? "…" : "~";
  if (painted) kept += "\x1b[0m";
  return kept;
}

std::string padded(std::string_view text, size_t width) {
  size_t have = columns(text);
  return std::string(text) + std::string(have < width ? width - have : 0, ' ');
}

std::string padded_left(std::string_view text, size_t width) {
  size_t have = columns(text);
  return std::string(have < width ? width - have : 0, ' ') + std::string(text);
}

std::string tame(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

std::string in_words(Duration duration) {
  if (duration < Duration{}) return "-" + in_words(Duration{-duration.ns});
  if (duration < Duration::seconds(1)) {
    return std::to_string(duration.ns / 1'000'000) + "ms";
  }
  if (duration < Duration::seconds(10)) {
    return printed("%.1fs", static_cast<double>(duration.ns) / 1e9);
  }
  int64_t seconds = duration.ns / 1'000'000'000;
  auto pair = [](int64_t big, const char* big_unit, int64_t small, const char* small_unit) {
    std::string text = std::to_string(big) + big_unit;
    if (small > 0) text += " " + std::to_string(small) + small_unit;
    return text;
  };
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return pair(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86'400) return pair(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return pair(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string with_commas(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string rate_in_words(double per_second) {
  if (!(per_second > 0) || !std::isfinite(per_second)) return "0/s";
  if (per_second < 10) return printed("%.1f/s", per_second);
  return with_commas(static_cast<uint64_t>(per_second + 0.5)) + "/s";
}

std::string bytes_in_words(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    ++unit;
  }
  return printed(value < 10 ? "%.1f " : "%.0f ", value) + units[unit];
}

std::string local_time(WallTime time) {
  if (time.ns == 0) return "-";
  std::time_t seconds = time.ns / 1'000'000'000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string bar(uint64_t done, uint64_t failed, uint64_t total, size_t width, const Style& style) {
  auto share = [&](uint64_t part) {
    if (total == 0) return size_t{0};
    uint64_t least = part > 0 ? 1 : 0;  // what exists can be seen
    auto cells = static_cast<uint64_t>(static_cast<double>(part) / static_cast<double>(total) *
                                       static_cast<double>(width));
    return static_cast<size_t>(std::min<uint64_t>(std::max(cells, least), width));
  };
  size_t red = share(failed);
  size_t full = std::min(share(done), width - red);
  auto cells = [](const char* cell, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += cell;
    return text;
  };
  size_t rest = width - red - full;
  return style.paint(Colour::green, cells(style.unicode ? "━" : "#", full)) +
         style.paint(Colour::red, cells(style.unicode ? "━" : "x", red)) +
         style.paint(Colour::dim, cells(style.unicode ? "─" : "-", rest));
}

}  // namespace pawl::cli
