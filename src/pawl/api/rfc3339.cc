#include "pawl/api/rfc3339.h"

namespace pawl {
namespace {

constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t day_seconds = 86'400;

// Days since 1970-01-01 in the proleptic Gregorian calendar.
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct Civil {
  int64_t year, month, day;
};

Civil civil_from_days(int64_t days) {
  days += 719'468;
  int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  int64_t day_of_era = days - era * 146'097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;
  int64_t month = shifted + (shifted < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted + 2) / 5 + 1};
}

// Takes `digits` digits and the character `after` (0: none) from the front.
bool take_number(std::string_view& text, size_t digits, char after, int64_t& value) {
  if (text.size() < digits + (after != 0 ? 1 : 0)) return false;
  value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  if (after != 0 && text[digits] != after) return false;
  text.remove_prefix(digits + (after != 0 ? 1 : 0));
  return true;
}

bool take_fraction(std::string_view& text, int64_t& ns) {
  ns = 0;
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  int64_t unit = second_ns;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits == 9) return false;
    unit /= 10;
    ns += (text[digits] - '0') * unit;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

// With leading zeros. printf() costs several times as much, and answers are full of times.
void put_number(std::string& text, int64_t value, size_t digits) {
  text.append(digits, '0');
  for (auto at = text.end(); digits > 0; --digits, value /= 10)
    *--at = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string rfc3339(WallTime time) {
  int64_t ns = time.ns % second_ns;
  if (ns < 0) ns += second_ns;
  int64_t seconds = (time.ns - ns) / second_ns;
  int64_t second_of_day = seconds % day_seconds;
  if (second_of_day < 0) second_of_day += day_seconds;
  Civil date = civil_from_days((seconds - second_of_day) / day_seconds);
  std::string text;
  text.reserve(sizeof "2262-04-11T23:47:16.854775807Z");  // the last there is
  put_number(text, date.year, 4);
  put_number(text += '-', date.month, 2);
  put_number(text += '-', date.day, 2);
  put_number(text += 'T', second_of_day / 3600, 2);
  put_number(text += ':', second_of_day / 60 % 60, 2);
  put_number(text += ':', second_of_day % 60, 2);
  if (ns != 0) {
    put_number(text += '.', ns, 9);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text += 'Z';
}

std::optional<WallTime> wall_time_from_rfc3339(std::string_view text) {
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ns = 0;
  bool read = take_number(text, 4, '-', year) && take_number(text, 2, '-', month) &&
              take_number(text, 2, 'T', day) && take_number(text, 2, ':', hour) &&
              take_number(text, 2, ':', minute) && take_number(text, 2, 0, second) &&
              take_fraction(text, ns) && text == "Z";
  if (!read || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second > 60)
    return std::nullopt;
  int64_t seconds =
      days_from_civil(year, month, day) * day_seconds + hour * 3600 + minute * 60 + second;
  int64_t whole = 0;
  if (__builtin_mul_overflow(seconds, second_ns, &whole) ||
      __builtin_add_overflow(whole, ns, &whole))
    return std::nullopt;
  return WallTime{whole};
}

}  // namespace pawl
