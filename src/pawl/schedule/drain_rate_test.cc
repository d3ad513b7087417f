#include "pawl/schedule/drain_rate.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

Instant at_ms(int64_t ms) {
  return Instant{} + Duration::milliseconds(ms);
}

// `per_second` in each second, in ten parts.
Instant drain(DrainRate& rate, Instant from, int64_t seconds, uint64_t per_second) {
  for (int64_t part = 0; part < seconds * 10; ++part) {
    rate.take(per_second / 10, from);
    from = from + Duration::milliseconds(100);
  }
  return from;
}

TEST(DrainRate, ASteadyDrainTellsTheTime) {
  DrainRate rate;
  rate.begin(at_ms(0));
  Instant now = drain(rate, at_ms(0), 10, 200);
  EXPECT_EQ(rate.time_for(100, now), Duration::milliseconds(500));
  EXPECT_EQ(rate.time_for(0, now), Duration{});
}

TEST(DrainRate, TheFirstSecondCountsAlready) {
  DrainRate rate;
  rate.begin(at_ms(5000));
  rate.take(50, at_ms(5100));
  EXPECT_EQ(rate.time_for(100, at_ms(5200)), Duration::seconds(2))
      << "50 a second, as far as known";
}

TEST(DrainRate, WhatIsNewerCountsMore) {
  DrainRate rate;
  rate.begin(at_ms(0));
  Instant now = drain(rate, at_ms(0), 20, 1000);
  now = drain(rate, now, 2, 100);
  Duration mixed = rate.time_for(1000, now);
  EXPECT_GT(mixed, Duration::seconds(1));
  EXPECT_LT(mixed, Duration::seconds(10));
  now = drain(rate, now, 60, 100);
  EXPECT_NEAR(static_cast<double>(rate.time_for(1000, now).ns), 10e9, 0.1e9);
}

TEST(DrainRate, WhileNothingLeavesItTakesAsLongAgain) {
  DrainRate rate;
  rate.begin(at_ms(0));
  EXPECT_EQ(rate.time_for(1, at_ms(3000)), Duration::seconds(3));
  Instant now = drain(rate, at_ms(3000), 5, 100);
  EXPECT_EQ(rate.time_for(1'000'000'000'000, now + Duration::hours(1)) > Duration::hours(1), true);
  rate.take(0, now + Duration::hours(1));
  EXPECT_EQ(rate.time_for(1, now + Duration::hours(3)), Duration::hours(2));
}

TEST(DrainRate, BeyondAllMeasureStaysSo) {
  DrainRate rate;
  rate.begin(at_ms(0));
  rate.take(1, at_ms(10));
  EXPECT_EQ(rate.time_for(UINT64_MAX, at_ms(20)).ns, INT64_MAX);
  rate.take(UINT64_MAX - 1, at_ms(30));
  EXPECT_EQ(rate.time_for(UINT64_MAX / 2, at_ms(2000)), rate.time_for(UINT64_MAX / 2, at_ms(2000)));
}

}  // namespace
}  // namespace pawl
