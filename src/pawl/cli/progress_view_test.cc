#include "pawl/cli/progress_view.h"

#include <gtest/gtest.h>

namespace pawl::cli {
namespace {

constexpr Instant at_second(int64_t s) {
  return {s * 1'000'000'000};
}

ExecutionDetail half_done() {
  ExecutionDetail detail;
  detail.summary.id = ExecutionId{17};
  detail.summary.workflow = "nightly";
  NodeDetail list;
  list.id = "list";
  list.status = NodeStatus::succeeded;
  list.tasks = {.total = 1, .succeeded = 1};
  NodeDetail count;
  count.id = "count";
  count.mapped = true;
  count.status = NodeStatus::active;
  count.tasks = {.total = 100, .ready = 47, .running = 2, .parked = 1, .succeeded = 50};
  count.error = "exit code 3";
  NodeDetail total;
  total.id = "total";
  detail.nodes = {list, count, total};
  detail.summary.tasks = {.total = 101, .running = 2, .parked = 1, .succeeded = 51};
  return detail;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(RateMeter, IsTheAverageFirstAndForgetsLater) {
  RateMeter meter;
  EXPECT_EQ(meter.per_second(), 0);
  meter.add(0, at_second(0));
  meter.add(100, at_second(1));
  EXPECT_NEAR(meter.per_second(), 100, 0.01);
  for (int s = 2; s < 60; ++s) meter.add(100 + 10 * static_cast<uint64_t>(s), at_second(s));
  EXPECT_NEAR(meter.per_second(), 10, 1);
}

TEST(ProgressView, ALinePerNodeWithCountsRateAndTimeLeft) {
  ProgressView view;
  ExecutionDetail detail = half_done();
  detail.nodes[1].tasks.succeeded = 0;
  view.update(detail, at_second(0));
  view.update(half_done(), at_second(5));
  EXPECT_EQ(joined(view.lines(at_second(5), Style{}, 80, 24)),
            "+ list   done\n"
            "> count  ###########x----------  50/100  2 running, 1 failed  10/s, 4.9s left  exit "
            "code 3\n"
            ". total  waiting\n"
            "e17 nightly: 1/3 nodes, 51 tasks, 1 failed, 5.0s\n");
}

TEST(ProgressView, WhatTasksSayIsShownWhileTheyRun) {
  ProgressView view;
  view.update(half_done(), at_second(0));
  view.say("count", 300, "reading\x1b[2J");
  EXPECT_NE(joined(view.lines(at_second(1), Style{}, 80, 24)).find("reading [2J"),
            std::string::npos);
  ExecutionDetail detail = half_done();
  detail.nodes[1].tasks.running = 0;
  view.update(detail, at_second(2));
  EXPECT_EQ(joined(view.lines(at_second(2), Style{}, 80, 24)).find("reading"), std::string::npos);
}

TEST(ProgressView, ASmallWindowShowsWhatIsGoingOn) {
  ProgressView view;
  view.update(half_done(), at_second(0));
  std::vector<std::string> lines = view.lines(at_second(0), Style{}, 80, 4);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0].find("count"), std::string::npos);
  EXPECT_NE(lines[1].find("2 more nodes"), std::string::npos);
}

TEST(ProgressView, ChangesAreToldOnce) {
  ProgressView view;
  view.update(half_done(), at_second(0));
  EXPECT_EQ(joined(view.changes()),
            "list: done\ncount: running, 50/100, 2 running, 1 failed: exit code 3\n");
  EXPECT_TRUE(view.changes().empty());
}

}  // namespace
}  // namespace pawl::cli
