#include "pawl/base/histogram.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(Histogram, AValueOnABoundIsWithinIt) {
  Histogram histogram;
  for (Duration bound : Histogram::bounds) histogram.observe(bound);
  for (size_t i = 0; i < Histogram::bounds.size(); ++i) EXPECT_EQ(histogram.at_most(i), i + 1);
  EXPECT_EQ(histogram.count(), Histogram::bounds.size());
}

TEST(Histogram, WhatIsBeyondTheLastBoundIsCountedAlone) {
  Histogram histogram;
  histogram.observe(Duration::hours(2));
  EXPECT_EQ(histogram.at_most(Histogram::bounds.size() - 1), 0u);
  EXPECT_EQ(histogram.count(), 1u);
}

TEST(Histogram, TheSumIsExactWhereNanosecondsWouldOverflow) {
  Histogram histogram;
  histogram.observe(Duration::hours(1) + Duration::nanoseconds(7), 16'000'000);
  EXPECT_EQ(histogram.sum_seconds(), 3600ull * 16'000'000);
  EXPECT_EQ(histogram.sum_rest_ns(), 7ull * 16'000'000);
  histogram.observe(Duration::nanoseconds(-5));
  EXPECT_EQ(histogram.sum_rest_ns(), 7ull * 16'000'000);
  EXPECT_EQ(histogram.count(), 16'000'001u);
}

TEST(Histogram, TwoTogetherAreAsIfOneHadSeenAll) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (Duration value : {Duration::milliseconds(700), Duration::hours(2), Duration::seconds(3)}) {
    one.observe(value);
    other.observe(value + value, 3);
    both.observe(value);
    both.observe(value + value, 3);
  }
  one.add(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.sum_seconds(), both.sum_seconds());
  EXPECT_EQ(one.sum_rest_ns(), both.sum_rest_ns());
  for (size_t i = 0; i < Histogram::bounds.size(); ++i) EXPECT_EQ(one.at_most(i), both.at_most(i));
}

}  // namespace
}  // namespace pawl
