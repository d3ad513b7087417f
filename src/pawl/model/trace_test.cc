#include "pawl/model/trace.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

constexpr const char* known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, WhatIsGivenIsWhatIsSaid) {
  Result<Trace> trace = parse_traceparent(known);
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace_id_text(trace->id), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span, 0x00f067aa0ba902b7u);
  EXPECT_EQ(trace->flags, 1);
  EXPECT_EQ(traceparent(*trace, trace->span), known);
}

TEST(Trace, ALaterVersionIsReadAsFarAsItIsKnown) {
  std::string later = std::string("42") + (known + 2);
  EXPECT_EQ(*parse_traceparent(later), *parse_traceparent(known));
  EXPECT_EQ(*parse_traceparent(later + "-more"), *parse_traceparent(known));
  EXPECT_FALSE(parse_traceparent(later + "more").ok());
}

TEST(Trace, WhatIsNoneIsRefusedWithItsShape) {
  for (std::string bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    Result<Trace> trace = parse_traceparent(bad);
    ASSERT_FALSE(trace.ok()) << bad;
    EXPECT_EQ(trace.error().code, Code::invalid_argument);
    EXPECT_NE(trace.error().message.find("32 hex digits"), std::string::npos);
  }
}

TEST(Trace, OneThatNobodyGaveFollowsFromTheLogAndTheExecution) {
  Trace trace = derived_trace({1, 2}, ExecutionId{3});
  EXPECT_EQ(trace, derived_trace({1, 2}, ExecutionId{3}));
  EXPECT_NE(trace.id, derived_trace({1, 2}, ExecutionId{4}).id);
  EXPECT_NE(trace.id, derived_trace({1, 3}, ExecutionId{3}).id);
  EXPECT_EQ(trace.span, 0u);
  TaskKey task{ExecutionId{3}, 0, 7};
  EXPECT_NE(span_of({1, 2}, task, 1), span_of({1, 2}, task, 2));
  EXPECT_EQ(span_of({1, 2}, {ExecutionId{17}, 2, 42}, 3), 0xe8fc7c2c67769381)
      << "in every language";
  EXPECT_TRUE(parse_traceparent(traceparent(trace, span_of({1, 2}, task, 1))).ok());
}

}  // namespace
}  // namespace pawl
