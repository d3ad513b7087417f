#include "pawl/api/call_rates.h"

#include <gtest/gtest.h>

#include "pawl/base/random.h"

namespace pawl {
namespace {

Instant at_ms(int64_t ms) {
  return Instant{} + Duration::milliseconds(ms);
}

TEST(CallRates, ABurstAndThenARate) {
  CallRates limiter({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", at_ms(0)).ns, 0);
  EXPECT_EQ(limiter.take("a", at_ms(0)), Duration::milliseconds(100));
  EXPECT_EQ(limiter.take("a", at_ms(99)), Duration::milliseconds(1));
  EXPECT_EQ(limiter.take("a", at_ms(100)).ns, 0);
  EXPECT_EQ(limiter.take("b", at_ms(100)).ns, 0);  // others are not held back
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", at_ms(10'000)).ns, 0);
  EXPECT_NE(limiter.take("a", at_ms(10'000)).ns, 0);
}

TEST(CallRates, NoneIsNone) {
  CallRates limiter({});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.take("a", at_ms(0)).ns, 0);
  EXPECT_EQ(limiter.callers(), 0u);
}

// Whoever waits as long as it was told to may.
TEST(CallRates, TheTimeThatIsToldIsRight) {
  Random dice(7);
  for (int round = 0; round < 200; ++round) {
    CallRates limiter({dice.between(1, 5000), dice.between(1, 50)});
    Instant now = at_ms(static_cast<int64_t>(dice.below(1000)));
    for (int i = 0; i < 200; ++i) {
      Duration wait = limiter.take("a", now);
      if (wait.ns > 0) {
        EXPECT_NE(limiter.take("a", now + wait - Duration{1}).ns, 0);
        now = now + wait;
        EXPECT_EQ(limiter.take("a", now).ns, 0);
      }
      now = now + Duration::microseconds(static_cast<int64_t>(dice.below(200)));
    }
  }
}

// In no window of any length more than its burst and its rate.
TEST(CallRates, NeverMoreThanBurstAndRate) {
  CallRates limiter({.per_second = 100, .burst = 5});
  Random dice(11);
  std::vector<int64_t> taken;
  for (int64_t us = 0; us < 3'000'000; us += static_cast<int64_t>(dice.between(100, 4000)))
    if (limiter.take("a", Instant{us * 1000}).ns == 0) taken.push_back(us);
  for (size_t i = 0; i < taken.size(); ++i)
    for (size_t j = i; j < taken.size(); ++j)
      ASSERT_LE(static_cast<int64_t>(j - i + 1), 5 + (taken[j] - taken[i]) / 10'000 + 1);
  EXPECT_GT(taken.size(), 250u);
}

TEST(CallRates, ItsTableIsBounded) {
  CallRates limiter({.per_second = 1, .burst = 1}, 3);
  for (const char* who : {"a", "b", "c"}) EXPECT_EQ(limiter.take(who, at_ms(0)).ns, 0);
  EXPECT_EQ(limiter.take("d", at_ms(0)), Duration::seconds(1));
  EXPECT_EQ(limiter.callers(), 3u);
  EXPECT_EQ(limiter.take("d", at_ms(1000)).ns, 0);  // the others are full again, and forgotten
  EXPECT_EQ(limiter.callers(), 1u);
}

}  // namespace
}  // namespace pawl
