// The contract suite of port/executor.h. An executor is wrapped in a harness and gets every test:
//
//   class MyHarness final : public ExecutorHarness { ... };
//   std::unique_ptr<ExecutorHarness> make() { return std::make_unique<MyHarness>(); }
//   INSTANTIATE_TEST_SUITE_P(Mine, ExecutorContract, testing::Values(&make));
//
// The header holds tests: include it in one .cc file of a test binary.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pawl/port/executor.h"

namespace pawl {

enum class Behaviour : uint8_t {
  null,      // succeeds with null
  seven,     // succeeds with 7
  fail,      // fails
  progress,  // reports progress 500 permille, "half", then succeeds with null
  wait,      // runs until it is stopped, or its timeout is over
  stubborn,  // like wait, but does not hear a polite request (where the executor can end such ones)
};

class ExecutorHarness {
 public:
  virtual ~ExecutorHarness() = default;
  virtual Executor& executor() = 0;
  // A node that behaves so, with these timeouts; the suite makes the grants.
  virtual Node node(Behaviour behaviour) = 0;
  // False: nothing that it runs can tell how far it is.
  virtual bool progress_is_told() const { return true; }
  // Waits until there is news, and takes it out.
  virtual std::vector<ExecutorNews> wait() = 0;
};

inline std::string workflow_name(Behaviour behaviour) {
  return "behaviour-" + std::to_string(static_cast<int>(behaviour));
}

using ExecutorHarnessFactory = std::unique_ptr<ExecutorHarness> (*)();

class ExecutorContract : public testing::TestWithParam<ExecutorHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  Executor& executor() { return harness_->executor(); }

  Launch launch(uint64_t id, Behaviour behaviour, uint32_t items = 1, Timeouts timeout = {}) {
    auto workflow = std::make_shared<Workflow>();
    workflow->name = workflow_name(behaviour);
    workflow->nodes.push_back(harness_->node(behaviour));
    Node& node = workflow->nodes.back();
    node.id = "node";
    node.for_each.text = ".input";
    node.timeout = timeout;
    auto context = std::make_shared<RunContext>();
    context->execution = ExecutionId{17};
    context->workflow = workflow;
    context->items_count = 1'000'000;
    Grant grant;
    grant.session = SessionId{1};
    grant.attempt = 3;
    grant.nonce = 99 + id;
    auto begin = static_cast<ItemIndex>(id * 1'000);
    grant.range = {context->execution, 0, begin, begin + items};
    grant.context = std::move(context);
    return {id, std::move(grant)};
  }

  const Finished& finished(uint64_t id) {
    while (!finished_.contains(id)) receive();
    return finished_.at(id);
  }
  // With what was reported ahead.
  void receive() {
    for (ExecutorNews& news : harness_->wait()) {
      if (auto* end = std::get_if<Finished>(&news)) {
        Finished& whole = reported_[end->launch];
        whole.launch = end->launch;
        for (AttemptReport& report : end->reports) whole.reports.push_back(std::move(report));
        EXPECT_TRUE(finished_.emplace(end->launch, whole).second) << "finished twice";
      } else if (auto* piece = std::get_if<Reported>(&news)) {
        EXPECT_FALSE(finished_.contains(piece->launch)) << "a report after the end";
        if (piece->worked) begun_.insert(piece->launch);
        Finished& whole = reported_[piece->launch];
        for (AttemptReport& report : piece->reports) whole.reports.push_back(std::move(report));
      } else {
        auto& progressed = std::get<Progressed>(news);
        EXPECT_FALSE(finished_.contains(progressed.launch)) << "progress after the end";
        progress_.push_back(progressed);
      }
    }
  }
  // The one report of a launch of one item; checks that it is about that attempt.
  const AttemptReport& only_report(uint64_t id) {
    const Finished& end = finished(id);
    EXPECT_EQ(end.reports.size(), 1u);
    const AttemptReport& report = end.reports.at(0);
    EXPECT_EQ(report.range.begin, id * 1'000);
    EXPECT_EQ(report.attempt, 3u);
    EXPECT_EQ(report.nonce, 99 + id);
    return report;
  }

  std::map<uint64_t, Finished> reported_;
  std::map<uint64_t, Finished> finished_;
  std::set<uint64_t> begun_;  // by what came ahead
  std::vector<Progressed> progress_;
  std::unique_ptr<ExecutorHarness> harness_;
};

TEST_P(ExecutorContract, SuccessWithNullHasNoOutputs) {
  executor().start(launch(1, Behaviour::null));
  const AttemptReport& report = only_report(1);
  EXPECT_TRUE(report.succeeded) << report.error;
  EXPECT_TRUE(report.outputs.empty());
}

TEST_P(ExecutorContract, SuccessCarriesTheOutput) {
  executor().start(launch(1, Behaviour::seven));
  const AttemptReport& report = only_report(1);
  ASSERT_TRUE(report.succeeded) << report.error;
  ASSERT_EQ(report.outputs.size(), 1u);
  EXPECT_EQ(report.outputs[0].text(), "7");
}

TEST_P(ExecutorContract, FailureSaysWhy) {
  executor().start(launch(1, Behaviour::fail));
  const AttemptReport& report = only_report(1);
  EXPECT_FALSE(report.succeeded);
  EXPECT_FALSE(report.error.empty());
  EXPECT_EQ(report.error.find('\n'), std::string::npos);
}

TEST_P(ExecutorContract, ManyLaunchesEachFinishOnce) {
  constexpr uint64_t launches = 40;
  for (uint64_t id = 1; id <= launches; id++) {
    executor().start(launch(id, id % 3 == 0 ? Behaviour::fail : Behaviour::null));
  }
  for (uint64_t id = 1; id <= launches; id++) EXPECT_EQ(only_report(id).succeeded, id % 3 != 0);
}

TEST_P(ExecutorContract, AReportCoversTheWholeRangeInOrder) {
  uint32_t items = std::min(executor().max_range(), 500u);
  executor().start(launch(1, Behaviour::seven, items));
  ItemIndex next = 1'000;
  for (const AttemptReport& report : finished(1).reports) {
    EXPECT_EQ(report.range.begin, next);
    EXPECT_EQ(report.outputs.size(), report.range.size());
    next = report.range.end;
  }
  EXPECT_EQ(next, 1'000 + items);
}

TEST_P(ExecutorContract, ProgressComesBeforeTheEnd) {
  if (!harness_->progress_is_told()) GTEST_SKIP() << "there is no progress";
  executor().start(launch(1, Behaviour::progress));
  EXPECT_TRUE(only_report(1).succeeded);
  ASSERT_EQ(progress_.size(), 1u);
  EXPECT_EQ(progress_[0].progress.permille, 500u);
  EXPECT_EQ(progress_[0].progress.message, "half");
  EXPECT_EQ(progress_[0].progress.task.item, 1'000u);
  EXPECT_EQ(progress_[0].progress.attempt, 3u);
}

TEST_P(ExecutorContract, StopEndsALaunchInBothModes) {
  executor().start(launch(1, Behaviour::wait));
  executor().start(launch(2, Behaviour::stubborn));
  executor().stop(1, StopMode::terminate);
  executor().stop(2, StopMode::kill);
  EXPECT_FALSE(only_report(1).succeeded);
  EXPECT_FALSE(only_report(2).succeeded);
}

TEST_P(ExecutorContract, StopAfterTheEndOrOfAnUnknownLaunchDoesNothing) {
  executor().start(launch(1, Behaviour::null));
  EXPECT_TRUE(only_report(1).succeeded);
  executor().stop(1, StopMode::terminate);
  executor().stop(1, StopMode::kill);
  executor().stop(77, StopMode::kill);
  executor().start(launch(2, Behaviour::null));
  EXPECT_TRUE(only_report(2).succeeded);
}

TEST_P(ExecutorContract, WhatIsWithdrawnIsNotHeardOfAgain) {
  constexpr uint64_t launches = 40;
  for (uint64_t id = 1; id <= launches; id++) executor().start(launch(id, Behaviour::wait));
  EXPECT_FALSE(executor().withdraw(77)) << "there is none";
  bool withdrawn = executor().withdraw(launches);
  EXPECT_EQ(withdrawn, executor().ahead() > 0);
  EXPECT_FALSE(withdrawn && executor().withdraw(launches)) << "only once";
  for (uint64_t id = 1; id <= launches; id++) executor().stop(id, StopMode::kill);
  for (uint64_t id = 1; id < launches; id++) EXPECT_FALSE(only_report(id).succeeded);
  executor().start(launch(launches + 1, Behaviour::null));
  EXPECT_TRUE(only_report(launches + 1).succeeded);
  EXPECT_FALSE(executor().withdraw(launches + 1)) << "it is over";
  if (withdrawn)
    EXPECT_FALSE(finished_.contains(launches));
  else
    EXPECT_FALSE(only_report(launches).succeeded);
}

// So that a launch which can be withdrawn does not count as begun, and one which cannot does.
TEST_P(ExecutorContract, WhoeverWorksAheadSaysWhatHasBegun) {
  if (executor().ahead() == 0) GTEST_SKIP() << "what is started has begun";
  constexpr uint64_t launches = 40;
  for (uint64_t id = 1; id <= launches; id++) executor().start(launch(id, Behaviour::wait));
  while (!begun_.contains(1)) receive();
  EXPECT_FALSE(executor().withdraw(1));
  EXPECT_TRUE(executor().withdraw(launches));
  EXPECT_FALSE(begun_.contains(launches));
  for (uint64_t id = 1; id < launches; id++) executor().stop(id, StopMode::kill);
  for (uint64_t id = 1; id < launches; id++) EXPECT_FALSE(only_report(id).succeeded);
}

TEST_P(ExecutorContract, RunTimeoutEndsAnAttempt) {
  executor().start(launch(1, Behaviour::wait, 1,
                          {.queue = {}, .run = Duration::milliseconds(30), .heartbeat = {}}));
  const AttemptReport& report = only_report(1);
  EXPECT_FALSE(report.succeeded);
  EXPECT_EQ(report.kind, FailureKind::timeout);
}

TEST_P(ExecutorContract, HeartbeatTimeoutEndsASilentAttempt) {
  if (!harness_->progress_is_told()) GTEST_SKIP() << "there is no progress";
  executor().start(launch(1, Behaviour::wait, 1,
                          {.queue = {}, .run = {}, .heartbeat = Duration::milliseconds(30)}));
  const AttemptReport& report = only_report(1);
  EXPECT_FALSE(report.succeeded);
  EXPECT_EQ(report.kind, FailureKind::timeout);
}

}  // namespace pawl
