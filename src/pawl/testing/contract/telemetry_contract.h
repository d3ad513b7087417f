// The contract suite of port/telemetry.h, for one that keeps what it is told; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pawl/port/telemetry.h"

namespace pawl {

class TelemetryHarness {
 public:
  virtual ~TelemetryHarness() = default;
  virtual Telemetry& telemetry() = 0;
  virtual int64_t value(std::string_view name) = 0;  // of a count or gauge; 0: never heard of
  virtual std::vector<std::string> lines() = 0;      // kept so far, oldest first
  virtual void lose_place() = 0;                     // from now on no line can be kept
  // From now on whoever takes the lines takes none, and stays; false: nobody does, they go to a file.
  virtual bool stop_reading() = 0;
};

using TelemetryHarnessFactory = std::unique_ptr<TelemetryHarness> (*)();

class TelemetryContract : public testing::TestWithParam<TelemetryHarnessFactory> {
 protected:
  static constexpr LogLevel levels[] = {LogLevel::debug, LogLevel::info, LogLevel::warn,
                                        LogLevel::error};

  void SetUp() override { harness_ = GetParam()(); }
  Telemetry& telemetry() { return harness_->telemetry(); }
  void fill() {
    for (int i = 0; i < 10'000; ++i) telemetry().log(line("one of many " + std::to_string(i)));
    telemetry().log(line(std::string(200'000, 'x')));
  }
  static LogLine line(std::string message) {
    return {.level = LogLevel::error, .event = "tested", .message = std::move(message)};
  }
  template <class Body>
  static void on_threads(Body body) {
    std::latch all_run{3};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        all_run.arrive_and_wait();
        body(t);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::unique_ptr<TelemetryHarness> harness_;
};

TEST_P(TelemetryContract, CountsAddUpFromEveryThread) {
  on_threads([&](int) {
    for (int i = 0; i < 1000; ++i) {
      telemetry().count("alone", 1);
      telemetry().count("several", 3);
    }
  });
  EXPECT_EQ(harness_->value("alone"), 3000);
  EXPECT_EQ(harness_->value("several"), 9000);
  EXPECT_EQ(harness_->value("never"), 0);
}

TEST_P(TelemetryContract, AGaugeIsWhatWasSaidLast) {
  for (int64_t value : {int64_t{7}, int64_t{-3}, int64_t{1} << 40}) {
    telemetry().gauge("level", value);
    EXPECT_EQ(harness_->value("level"), value);
  }
}

TEST_P(TelemetryContract, LinesOfTheLevelsThatItLogsAreKept) {
  size_t kept = 0;
  bool lower = false;
  for (LogLevel level : levels) {
    const bool logs = telemetry().logs(level);
    EXPECT_TRUE(logs || !lower) << "of lower levels it keeps lines";
    lower = logs;
    const std::string word = "level " + std::to_string(static_cast<int>(level));
    telemetry().log({.level = level, .event = "tested", .message = word});
    kept += logs;
    std::vector<std::string> lines = harness_->lines();
    ASSERT_EQ(lines.size(), kept);
    if (logs) {
      EXPECT_NE(lines.back().find(word), std::string::npos) << lines.back();
    }
    EXPECT_EQ(telemetry().logs(level), logs) << "the same for life";
  }
  EXPECT_GT(kept, 0u);
}

TEST_P(TelemetryContract, LinesOfThreadsDoNotMix) {
  on_threads([&](int thread) {
    for (int i = 0; i < 200; ++i)
      telemetry().log(line("<" + std::to_string(thread) + "." + std::to_string(i) + ">"));
  });
  std::vector<std::string> lines = harness_->lines();
  ASSERT_EQ(lines.size(), 600u);
  for (int thread = 0; thread < 3; ++thread) {
    for (int i = 0; i < 200; ++i) {
      const std::string word = "<" + std::to_string(thread) + "." + std::to_string(i) + ">";
      EXPECT_EQ(std::count_if(
                    lines.begin(), lines.end(),
                    [&](const std::string& one) { return one.find(word) != std::string::npos; }),
                1)
          << word;
    }
  }
}

TEST_P(TelemetryContract, AMessageIsOneLineWhateverIsInIt) {
  telemetry().log(line("two\nlines\r\nand a bell\a"));
  telemetry().log(line("the next"));
  std::vector<std::string> lines = harness_->lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("bell"), std::string::npos);
  EXPECT_EQ(lines[0].find('\r'), std::string::npos);
}

TEST_P(TelemetryContract, WithoutAPlaceForLinesNothingFails) {
  harness_->lose_place();
  fill();
  telemetry().count("alone", 1);
  EXPECT_EQ(harness_->value("alone"), 1);
}

TEST_P(TelemetryContract, WhereNobodyTakesTheLinesNothingWaits) {
  if (!harness_->stop_reading()) GTEST_SKIP() << "a file takes what it is given";
  fill();
  telemetry().count("alone", 1);
  EXPECT_EQ(harness_->value("alone"), 1);
}

}  // namespace pawl
