#include "pawl/definition/quantity.h"

#include <optional>

namespace pawl {
namespace {

__extension__ using Wide = unsigned __int128;

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr Unit time_units[] = {{"ns", 1},
                               {"us", 1'000},
                               {"ms", 1'000'000},
                               {"s", 1'000'000'000},
                               {"m", 60'000'000'000},
                               {"h", 3'600'000'000'000},
                               {"d", 86'400'000'000'000}};

constexpr Unit size_units[] = {{"B", 1},
                               {"KB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"TB", 1'000'000'000'000},
                               {"KiB", 1ull << 10},
                               {"MiB", 1ull << 20},
                               {"GiB", 1ull << 30},
                               {"TiB", 1ull << 40}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number as an integer over a power of ten: 1.25 is 125 / 100.
struct Decimal {
  uint64_t digits = 0;
  uint64_t scale = 1;
};

// Takes the number from the front of `text`; at most 15 digits.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal decimal;
  int count = 0;
  bool behind_point = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !behind_point && count > 0) {
      behind_point = true;
      continue;
    }
    if (!is_digit(text[at])) break;
    if (++count > 15) return std::nullopt;
    decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(text[at] - '0');
    if (behind_point) decimal.scale *= 10;
  }
  if (count == 0 || text[at - 1] == '.') return std::nullopt;
  text.remove_prefix(at);
  return decimal;
}

template <size_t n>
std::optional<uint64_t> factor_of(const Unit (&units)[n], std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return unit.factor;
  return std::nullopt;
}

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message)};
}

std::string quote(std::string_view text) {
  return "\"" + std::string(text.substr(0, 40)) + "\"";
}

// In the smallest unit, rounded down; nothing above 2^63 - 1.
template <size_t n>
Result<uint64_t> parse(std::string_view text, const Unit (&units)[n], const char* what,
                       const char* example, const char* unit_hint) {
  std::string_view rest = text;
  auto decimal = take_decimal(rest);
  if (!decimal) return invalid(quote(text) + " is not " + what + " such as " + example);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest.empty())
    return invalid(quote(text) + " has no unit; did you mean \"" + std::string(text.substr(0, 40)) +
                   unit_hint + "\"?");
  auto factor = factor_of(units, rest);
  if (!factor) {
    std::string known;
    for (const Unit& unit : units) known.append(known.empty() ? "" : ", ").append(unit.name);
    return invalid("unknown unit " + quote(rest) + "; use one of " + known);
  }
  auto product = static_cast<Wide>(decimal->digits) * *factor / decimal->scale;
  if (product == 0) return invalid(quote(text) + " must be more than nothing");
  if (product >> 63 != 0) return invalid(quote(text) + " is too much");
  return static_cast<uint64_t>(product);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  PAWL_ASSIGN(uint64_t ns, parse(text, time_units, "a duration", "10ms, 30s or 5m", "s"));
  Duration duration = Duration::nanoseconds(static_cast<int64_t>(ns));
  if (duration > quantity_duration_max) return invalid(quote(text) + " is more than 36500d");
  return duration;
}

Result<uint64_t> parse_size(std::string_view text) {
  return parse(text, size_units, "a size", "64KiB or 10MB", "MiB");
}

Result<uint32_t> parse_permille(std::string_view text, uint32_t max_permille) {
  std::string_view rest = text;
  auto decimal = take_decimal(rest);
  if (!decimal || !rest.empty()) return invalid(quote(text) + " is not a number such as 1.5");
  auto scaled = static_cast<Wide>(decimal->digits) * 1000;
  if (scaled % decimal->scale != 0)
    return invalid(quote(text) + " has more than three digits behind the point");
  scaled /= decimal->scale;
  if (scaled > max_permille)
    return invalid(quote(text) + " is above " + std::to_string(max_permille / 1000));
  return static_cast<uint32_t>(scaled);
}

}  // namespace pawl
