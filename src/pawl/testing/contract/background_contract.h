// The contract suite of port/background.h; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "pawl/base/callback.h"
#include "pawl/port/background.h"

namespace pawl {

class BackgroundHarness {
 public:
  virtual ~BackgroundHarness() = default;
  virtual Background& background() = 0;
  virtual void until(Callback<bool()> happened) = 0;  // time passes
  virtual void end() = 0;                             // of the background
};

using BackgroundHarnessFactory = std::unique_ptr<BackgroundHarness> (*)();

class BackgroundContract : public testing::TestWithParam<BackgroundHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  std::unique_ptr<BackgroundHarness> harness_;
  std::atomic<int> made_{0};
};

TEST_P(BackgroundContract, MakesEachCallOnceAndNotWithinRun) {
  thread_local bool within = false;
  std::atomic<int> made_within{0};
  within = true;
  for (int i = 0; i < 100; ++i)
    harness_->background().run([&] {
      made_within += within;
      ++made_;
    });
  within = false;
  harness_->until([&] { return made_ >= 100; });
  EXPECT_EQ(made_, 100);
  EXPECT_EQ(made_within, 0);
}

TEST_P(BackgroundContract, ACallMayRunAnother) {
  harness_->background().run([&] { harness_->background().run([&] { ++made_; }); });
  harness_->until([&] { return made_ == 1; });
}

TEST_P(BackgroundContract, WhatIsForLaterHoldsUpNothing) {
  std::atomic<bool> later{false};
  for (int i = 0; i < 10; ++i)
    harness_->background().run([&] { later = true; }, Duration::minutes(60));
  harness_->background().run([&] { made_ += 10; }, Duration::milliseconds(10));
  harness_->background().run([&] { ++made_; });
  harness_->until([&] { return made_ == 11; });
  EXPECT_FALSE(later);
}

TEST_P(BackgroundContract, AfterItsEndNothingIsMade) {
  for (int i = 0; i < 1000; ++i) harness_->background().run([&] { ++made_; });
  harness_->background().run([&] { ++made_; }, Duration::minutes(60));
  harness_->end();
  const int made = made_;
  int looks = 0;
  harness_->until([&] { return ++looks == 100; });
  EXPECT_EQ(made_, made);
}

}  // namespace pawl
