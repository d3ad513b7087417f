#include "pawl/worker/pace.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(Pace, KnowsNothingOfWhatHasNotRun) {
  Pace pace;
  pace.took("a", 10, Duration::microseconds(30));
  EXPECT_EQ(pace.each("a"), Duration::microseconds(3));
  EXPECT_EQ(pace.each("b"), std::nullopt);
}

TEST(Pace, FollowsWhatItemsTakeNow) {
  Pace pace;
  pace.took("a", 1, Duration::microseconds(4));
  pace.took("a", 1, Duration::microseconds(8));
  EXPECT_EQ(pace.each("a"), Duration::microseconds(5));
  for (int i = 0; i < 100; ++i) pace.took("a", 1, Duration::seconds(10));
  EXPECT_GT(*pace.each("a"), Duration::seconds(9));
  for (int i = 0; i < 200; ++i) pace.took("a", 1000, Duration{});
  EXPECT_LT(*pace.each("a"), Duration::microseconds(1));
  EXPECT_GE(*pace.each("a"), Duration{1});
}

TEST(Pace, NamesOfFunctionsAreBounded) {
  Pace pace;
  for (size_t i = 0; i < Pace::functions_max; ++i)
    pace.took(std::to_string(i), 1, Duration::seconds(1));
  EXPECT_TRUE(pace.each("0"));
  pace.took("7", 1, Duration::seconds(1));
  EXPECT_TRUE(pace.each("0"));
  pace.took("one more", 1, Duration::seconds(1));
  EXPECT_FALSE(pace.each("0"));
  EXPECT_TRUE(pace.each("one more"));
}

}  // namespace
}  // namespace pawl
