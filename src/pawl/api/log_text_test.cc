#include "pawl/api/log_text.h"

#include <gtest/gtest.h>

#include "pawl/base/json.h"

namespace pawl {
namespace {

LogLine whole_line() {
  return {.level = LogLevel::warn,
          .event = "attempt_failed",
          .message = "exit code 7",
          .execution = ExecutionId{3},
          .node = "count",
          .item = 4,
          .attempt = 2,
          .worker = "w1",
          .trace = Hash128{0x22, 0x11},
          .name_space = "team-a",
          .user = "ann"};
}

TEST(LogText, JsonHasEveryMemberThatApplies) {
  EXPECT_EQ(log_text(whole_line(), LogFormat::json, WallTime{1'500'000'000}),
            "{\"ts\":\"1970-01-01T00:00:01.500Z\",\"level\":\"warn\",\"event\":\"attempt_failed\","
            "\"message\":\"exit code "
            "7\",\"execution\":\"e3\",\"node\":\"count\",\"item\":4,\"attempt\":2,"
            "\"worker\":\"w1\",\"trace_id\":\"00000000000000110000000000000022\","
            "\"namespace\":\"team-a\",\"user\":\"ann\"}\n");
  EXPECT_EQ(log_text({.event = "server_ready", .message = "serving"}, LogFormat::json, WallTime{}),
            "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"server_ready\","
            "\"message\":\"serving\"}\n");
}

TEST(LogText, WhateverAMessageHoldsItIsOneLine) {
  LogLine line{.event = "e", .message = "two\nlines\x01 and \xff no text \"quoted\""};
  for (LogFormat format : {LogFormat::json, LogFormat::text, LogFormat::plain}) {
    std::string text = log_text(line, format, WallTime{});
    EXPECT_EQ(text.find('\n'), text.size() - 1);
  }
  EXPECT_TRUE(json_validate(log_text(line, LogFormat::json, WallTime{})).ok());
}

TEST(LogText, TextIsForPeopleAndGrep) {
  EXPECT_EQ(
      log_text(whole_line(), LogFormat::text, WallTime{}),
      "1970-01-01T00:00:00.000Z warn attempt_failed exit code 7 execution=e3 node=count item=4 "
      "attempt=2 worker=w1 trace_id=00000000000000110000000000000022 namespace=team-a user=ann\n");
  EXPECT_EQ(log_text(whole_line(), LogFormat::plain, WallTime{}), "pawl: exit code 7\n");
}

TEST(LogText, ChoicesAreReadAndOthersRefused) {
  EXPECT_FALSE(read_log_options("", "")->chosen);
  EXPECT_EQ(read_log_options("json", "")->format, LogFormat::json);
  EXPECT_EQ(read_log_options("json", "")->level, LogLevel::info);
  EXPECT_EQ(read_log_options("", "debug")->format, LogFormat::text);
  EXPECT_EQ(read_log_options("text", "error")->level, LogLevel::error);
  EXPECT_FALSE(read_log_options("xml", "").ok());
  EXPECT_FALSE(read_log_options("json", "loud").ok());
}

}  // namespace
}  // namespace pawl
