#include "pawl/api/exposition.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(Exposition, WritesFamiliesAndSamples) {
  Exposition page;
  page.family("failures_total", Exposition::counter, "Failed");
  page.sample({{"kind", "a"}, {"queue", "b"}}, 3);
  page.sample({}, 18'446'744'073'709'551'615u);
  EXPECT_EQ(page.take(),
            "# HELP failures_total Failed\n# TYPE failures_total counter\n"
            "failures_total{kind=\"a\",queue=\"b\"} 3\nfailures_total 18446744073709551615\n");
}

TEST(Exposition, NoValueOfALabelEndsIt) {
  Exposition page;
  page.family("depth", Exposition::gauge, "Depth");
  page.sample({{"queue", "a\"b\\c\nd}"}}, 0);
  EXPECT_NE(page.take().find("depth{queue=\"a\\\"b\\\\c\\nd}\"} 0\n"), std::string::npos);
}

TEST(Exposition, TimesAreExactSeconds) {
  Exposition page;
  page.measured("age_seconds", "Age", Duration::nanoseconds(2'500'000));
  page.seconds({}, Duration::seconds(3));
  page.seconds({}, Duration::milliseconds(-1500));
  std::string text = page.take();
  EXPECT_NE(text.find("\nage_seconds 0.0025\nage_seconds 3\nage_seconds -1.5\n"), std::string::npos)
      << text;
}

TEST(Exposition, AHistogramIsCumulative) {
  Histogram wait;
  wait.observe(Duration::microseconds(300), 2);
  wait.observe(Duration::hours(2));
  Exposition page;
  page.timed("wait_seconds", "Wait", wait);
  std::string text = page.take();
  for (const char* line :
       {"# TYPE wait_seconds histogram\n", "wait_seconds_bucket{le=\"0.00025\"} 0\n",
        "wait_seconds_bucket{le=\"0.0005\"} 2\n", "wait_seconds_bucket{le=\"3600\"} 2\n",
        "wait_seconds_bucket{le=\"+Inf\"} 3\n", "wait_seconds_sum 7200.0006\n",
        "wait_seconds_count 3\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

}  // namespace
}  // namespace pawl
