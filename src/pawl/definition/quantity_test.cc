#include "pawl/definition/quantity.h"

#include <gtest/gtest.h>

#include "pawl/definition/nearest.h"

namespace pawl {
namespace {

int64_t ns(std::string_view text) {
  Result<Duration> parsed = parse_duration(text);
  return parsed.ok() ? parsed->ns : -1;
}

std::string duration_error(std::string_view text) {
  Result<Duration> parsed = parse_duration(text);
  return parsed.ok() ? "" : parsed.error().message;
}

TEST(Quantity, Durations) {
  EXPECT_EQ(ns("1ns"), 1);
  EXPECT_EQ(ns("10ms"), 10'000'000);
  EXPECT_EQ(ns("1.5s"), 1'500'000'000);
  EXPECT_EQ(ns("5m"), 300'000'000'000);
  EXPECT_EQ(ns("2h"), 7'200'000'000'000);
  EXPECT_EQ(ns("1d"), 86'400'000'000'000);
  EXPECT_EQ(ns("3 s"), 3'000'000'000);
  EXPECT_EQ(ns("36500d"), quantity_duration_max.ns);
}

TEST(Quantity, WhatIsNoDuration) {
  EXPECT_EQ(duration_error("soon"), "\"soon\" is not a duration such as 10ms, 30s or 5m");
  EXPECT_EQ(duration_error("30"), "\"30\" has no unit; did you mean \"30s\"?");
  EXPECT_EQ(duration_error("30sec"), "unknown unit \"sec\"; use one of ns, us, ms, s, m, h, d");
  EXPECT_EQ(duration_error("0s"), "\"0s\" must be more than nothing");
  EXPECT_EQ(duration_error("36501d"), "\"36501d\" is more than 36500d");
  EXPECT_EQ(duration_error("999999999999999d"), "\"999999999999999d\" is too much");
  EXPECT_EQ(duration_error("9999999999999999s"),
            "\"9999999999999999s\" is not a duration such as 10ms, 30s or 5m");
  for (const char* text : {"", "-1s", ".5s", "1.s", "1e3s", "s"}) EXPECT_EQ(ns(text), -1) << text;
}

TEST(Quantity, Sizes) {
  EXPECT_EQ(*parse_size("64KiB"), 65'536u);
  EXPECT_EQ(*parse_size("10MB"), 10'000'000u);
  EXPECT_EQ(*parse_size("1.5GiB"), 1'610'612'736u);
  EXPECT_EQ(*parse_size("7B"), 7u);
  EXPECT_EQ(parse_size("64K").error().message,
            "unknown unit \"K\"; use one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB");
  EXPECT_EQ(parse_size("64").error().message, "\"64\" has no unit; did you mean \"64MiB\"?");
}

TEST(Quantity, Permille) {
  EXPECT_EQ(*parse_permille("2", 5000), 2000u);
  EXPECT_EQ(*parse_permille("0.125", 1000), 125u);
  EXPECT_EQ(*parse_permille("0", 1000), 0u);
  EXPECT_EQ(*parse_permille("1.5000", 5000), 1500u);
  EXPECT_EQ(parse_permille("1.0001", 5000).error().message,
            "\"1.0001\" has more than three digits behind the point");
  EXPECT_EQ(parse_permille("1.1", 1000).error().message, "\"1.1\" is above 1");
  EXPECT_EQ(parse_permille("x", 1000).error().message, "\"x\" is not a number such as 1.5");
}

TEST(Nearest, Distances) {
  EXPECT_EQ(edit_distance("list", "list", 9), 0u);
  EXPECT_EQ(edit_distance("list", "LIST", 9), 0u);
  EXPECT_EQ(edit_distance("lst", "list", 9), 1u);
  EXPECT_EQ(edit_distance("lsit", "list", 9), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting", 9), 3u);
  EXPECT_EQ(edit_distance("", "abc", 9), 3u);
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3u);
}

TEST(Nearest, OnlyWhatIsNear) {
  EXPECT_EQ(nearest("comand", {"run", "command"}), "command");
  EXPECT_EQ(nearest("Run", {"run", "command"}), "run");
  EXPECT_EQ(nearest("attempts", {"backoff", "max_attempts"}), "max_attempts");
  EXPECT_EQ(nearest("rate", {"strategy", "rate_permille"}), "rate_permille");
  EXPECT_EQ(hint("zebra", {"run", "command"}), "; known: run, command");
  EXPECT_EQ(nearest("zebra", {"run", "command"}), "");
  EXPECT_EQ(nearest("b", {"a"}), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), {"a"}), "");
  EXPECT_EQ(did_you_mean("timout", {"timeout"}), "; did you mean \"timeout\"?");
  EXPECT_EQ(did_you_mean("timout", {}), "");
}

}  // namespace
}  // namespace pawl
