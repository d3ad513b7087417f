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

}  // namespace
}  // namespace pawl
