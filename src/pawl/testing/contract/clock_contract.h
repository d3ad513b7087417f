// The contract suite of port/clock.h; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "pawl/port/clock.h"

namespace pawl {

class ClockHarness {
 public:
  virtual ~ClockHarness() = default;
  virtual Clock& clock() = 0;
  virtual void pass(Duration time) = 0;    // so much at least, while the process runs
  virtual bool set_wall(Duration by) = 0;  // forward or back; false: that may not be done here
  virtual bool any_thread() const { return true; }  // false: its world has only one
};

using ClockHarnessFactory = std::unique_ptr<ClockHarness> (*)();

class ClockContract : public testing::TestWithParam<ClockHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  Clock& clock() { return harness_->clock(); }
  std::unique_ptr<ClockHarness> harness_;
};

TEST_P(ClockContract, MonotonicNeverRunsBackwards) {
  Instant last = clock().monotonic();
  for (int i = 0; i < 10'000; ++i) {
    if (i % 1000 == 0) harness_->pass(Duration::microseconds(10));
    const Instant now = clock().monotonic();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST_P(ClockContract, MonotonicCountsTheTimeThatPasses) {
  const Instant before = clock().monotonic();
  harness_->pass(Duration::milliseconds(3));
  EXPECT_GE(clock().monotonic() - before, Duration::milliseconds(3));
}

TEST_P(ClockContract, MonotonicDoesNotFollowTheWall) {
  for (Duration by : {Duration::hours(-90'000), Duration::hours(180'000), Duration::forever(),
                      Duration{-Duration::forever().ns}}) {
    const Instant before = clock().monotonic();
    const WallTime wall = clock().wall();
    if (!harness_->set_wall(by)) GTEST_SKIP() << "the wall clock may not be set here";
    EXPECT_NE(clock().wall(), wall);
    EXPECT_EQ(clock().monotonic(), before) << "no time has passed";
    harness_->pass(Duration::milliseconds(1));
    EXPECT_GT(clock().monotonic(), before);
  }
}

TEST_P(ClockContract, MonotonicNeverRunsBackwardsFromThreadToThread) {
  if (!harness_->any_thread()) GTEST_SKIP() << "its world has one thread";
  std::atomic<int64_t> latest{clock().monotonic().ns};
  std::atomic<int> backwards{0};
  auto read = [&] {
    for (int i = 0; i < 10'000; ++i) {
      int64_t seen = latest.load();
      const int64_t now = clock().monotonic().ns;
      if (now < seen) ++backwards;
      while (seen < now && !latest.compare_exchange_weak(seen, now)) {
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backwards, 0);
}

}  // namespace pawl
