#include "pawl/partition/admission.h"

#include <gtest/gtest.h>

#include <map>

namespace pawl {
namespace {

TEST(Admission, AHigherPriorityMayFillMore) {
  EXPECT_EQ(share_of(18, 0), 9u);
  EXPECT_EQ(share_of(18, 5), 14u);
  EXPECT_EQ(share_of(18, 9), 18u);
  for (uint64_t limit :
       {uint64_t{1}, uint64_t{2}, uint64_t{7}, uint64_t{1000}, UINT64_MAX - 5, UINT64_MAX}) {
    EXPECT_EQ(share_of(limit, 9), limit);
    EXPECT_GE(share_of(limit, 0), limit / 2);
    EXPECT_GE(share_of(limit, 0), 1u);
    for (uint8_t priority = 1; priority < 10; ++priority)
      EXPECT_GE(share_of(limit, priority), share_of(limit, priority - 1)) << limit;
  }
}

TEST(Admission, EverythingAdmitsBelowItsShareAndNothingElseIsAsked) {
  DrainRate drain;
  for (uint8_t priority = 0; priority < 10; ++priority) {
    for (uint64_t used = 0; used <= 36; ++used) {
      Admission admission(priority, {});
      admission.consider({Shed::executions, "open_executions_max", "", used, 36, drain});
      admission.consider({Shed::queue, "waiting_max", "free", 1'000'000, 0, drain});
      EXPECT_EQ(admission.refused().has_value(), used * 18 >= 36 * (9u + priority));
    }
  }
}

TEST(Admission, WhatTakesLongestIsNamed) {
  DrainRate fast, slow;
  fast.take(1000, {});
  slow.take(1, {});
  Instant now = Instant{} + Duration::seconds(1);
  Admission admission(9, now);
  admission.consider({Shed::executions, "open_executions_max", "", 10, 10, fast});
  admission.consider({Shed::queue, "waiting_max", "mail", 13, 10, slow});
  admission.consider({Shed::memory, "open_bytes_max", "", 11, 10, fast});
  ASSERT_TRUE(admission.refused());
  Random dice(1);
  Reply told = admission.refusal(dice);
  EXPECT_EQ(told.code, Code::resource_exhausted);
  EXPECT_EQ(told.message.find("the limit waiting_max (10) of queue \"mail\" is reached: priority 9 "
                              "may fill 10, and 13 are taken; try again in 5 s"),
            0u)
      << told.message;
  EXPECT_GE(told.retry_after, Duration::seconds(4));
  EXPECT_LT(told.retry_after, Duration::seconds(5));
}

TEST(Admission, ThoseRefusedTogetherDoNotComeBackTogether) {
  DrainRate drain;
  drain.take(10, {});
  Admission admission(0, Instant{} + Duration::seconds(1));
  admission.consider({Shed::executions, "open_executions_max", "", 100, 100, drain});
  std::map<int64_t, int> times;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random dice(seed);
    Duration told = admission.refusal(dice).retry_after;
    EXPECT_GE(told, Duration::milliseconds(5100));
    EXPECT_LE(told, Duration::milliseconds(6375));
    ++times[told.whole_milliseconds() / 100];
  }
  EXPECT_GT(times.size(), 8u);
}

TEST(Admission, TheTimeStaysWithinItsBounds) {
  DrainRate drain;
  Random dice(1);
  Admission at_once(9, {});
  at_once.consider({Shed::inbox, "inbox_depth_max", "", 1, 1, drain});
  EXPECT_GE(at_once.refusal(dice).retry_after, retry_after_min);
  EXPECT_LE(at_once.refusal(dice).retry_after, Duration::milliseconds(125));
  Admission stuck(9, Instant{} + Duration::hours(5));
  stuck.consider({Shed::inbox, "inbox_depth_max", "", 1, 1, drain});
  EXPECT_EQ(stuck.refusal(dice).retry_after, retry_after_max);
}

}  // namespace
}  // namespace pawl
