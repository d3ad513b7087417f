// Time as integers, in nanoseconds. Two clocks, never mixed by accident:
//
//   Duration  a length of time
//   Instant   a point on the *duration clock*: nanoseconds of running time added up in the log.
//             Timers, leases and back-off live on it; it never jumps and never runs backwards.
//   WallTime  nanoseconds since 1970 UTC, for calendars and for people only
//
// Arithmetic saturates instead of overflowing: "for ever" stays for ever.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace pawl {

struct Duration {
  int64_t ns = 0;

  static constexpr Duration nanoseconds(int64_t n) { return {n}; }
  static constexpr Duration microseconds(int64_t n) { return {n * 1'000}; }
  static constexpr Duration milliseconds(int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }
  static constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(int64_t n) { return seconds(n * 3600); }
  static constexpr Duration forever() { return {std::numeric_limits<int64_t>::max()}; }

  constexpr int64_t whole_milliseconds() const { return ns / 1'000'000; }
  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;
};

constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

constexpr Duration operator+(Duration a, Duration b) {
  return {saturating_add(a.ns, b.ns)};
}
constexpr Duration operator-(Duration a, Duration b) {
  return {saturating_add(a.ns, -b.ns)};
}

// How many `unit`s cover it.
constexpr int64_t rounded_up(Duration d, Duration unit) {
  return d.ns / unit.ns + (d.ns % unit.ns > 0 ? 1 : 0);
}

struct Instant {
  int64_t ns = 0;

  static constexpr Instant never() { return {std::numeric_limits<int64_t>::max()}; }
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
};

constexpr Instant operator+(Instant t, Duration d) {
  return {saturating_add(t.ns, d.ns)};
}
constexpr Instant operator-(Instant t, Duration d) {
  return {saturating_add(t.ns, -d.ns)};
}
constexpr Duration operator-(Instant a, Instant b) {
  return {saturating_add(a.ns, -b.ns)};
}

struct WallTime {
  int64_t ns = 0;

  friend constexpr auto operator<=>(const WallTime&, const WallTime&) = default;
};

}  // namespace pawl
