#include "pawl/engine/event_lines.h"

#include <gtest/gtest.h>

#include "pawl/partition/partition.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

class Levels final : public Telemetry {
 public:
  explicit Levels(LogLevel least) : least_(least) {}
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
  bool logs(LogLevel level) const override { return level >= least_; }

 private:
  LogLevel least_;
};

class EventLinesTest : public testing::Test {
 protected:
  EventLinesTest() {
    StepOutput out;
    partition.resume(out);
    partition.begin_group({}, {});
    partition.start_epoch(1, {7, 7}, out);
    Workflow workflow;
    workflow.name = "nightly";
    Node node;
    node.id = "count";
    node.for_each = make_expression("6");
    workflow.nodes = {node};
    EXPECT_TRUE(finish(workflow).ok());
    partition.step(RegisterWorkflow{encode(workflow)}, 1, 1, out);
    SubmitExecution submit;
    submit.workflow = WorkflowId{1};
    submit.input = Payload::inline_json("{\"password\":\"hunter2\"}");
    submit.labels = R"({"day":"hunter2","tenant_id":"default","user_id":"ann"})";
    partition.step(submit, 1, 1, out);
    submitted = out.events;
  }
  std::vector<LogLine> lines(LogLevel least, const std::vector<Event>& events) {
    Levels levels(least);
    EventLines all(levels);
    all.begin(partition.state());
    return all.of(events, partition.state());
  }

  Partition partition{Limits{}};
  ExecutionId id{1};
  std::vector<Event> submitted;
};

TEST_F(EventLinesTest, SuccessesAreLinesOnlyForWhoeverAsks) {
  std::vector<Event> events{AttemptsSucceeded{{id, 0, 0, 4}, 1, {}}};
  EXPECT_TRUE(lines(LogLevel::info, events).empty());
  std::vector<LogLine> all = lines(LogLevel::debug, events);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_STREQ(all[0].event, "attempts_succeeded");
  EXPECT_EQ(all[0].message, "items 0 to 3: succeeded");
  EXPECT_EQ(all[0].node, "count");
  EXPECT_EQ(all[0].item, std::nullopt);
  EXPECT_EQ(all[0].trace, derived_trace({7, 7}, id).id);
}

TEST_F(EventLinesTest, WhatIsAboutAnExecutionSaysWhoseItIs) {
  std::vector<LogLine> all = lines(LogLevel::info, submitted);
  size_t about = 0;
  for (const LogLine& line : all) {
    if (!line.execution) continue;
    ++about;
    EXPECT_EQ(line.name_space, "default");
    EXPECT_EQ(line.user, "ann");
  }
  EXPECT_EQ(about, 1u);
}

TEST_F(EventLinesTest, AWorkerThatGoesOnIsALineWithItsName) {
  Levels levels(LogLevel::info);
  EventLines all(levels);
  StepOutput out;
  WorkerSpec spec;
  spec.name = "w1";
  partition.step(OpenSession{spec}, 1, 1, out);
  all.begin(partition.state());
  LogLine line = all.resumed(SessionId{1});
  EXPECT_STREQ(line.event, "worker_resumed");
  EXPECT_EQ(line.worker, "w1");
  EXPECT_EQ(line.message, "session 1 goes on");
}

TEST_F(EventLinesTest, AFailureSaysHowAndNothingThatAProgramWrote) {
  AttemptFailed failed;
  failed.range = {id, 0, 2, 3};
  failed.attempt = 2;
  failed.kind = FailureKind::exit_code;
  failed.exit_code = 7;
  failed.error = "exit code 7: hunter2";
  failed.disposition = Disposition::park;
  std::vector<LogLine> all = lines(LogLevel::info, {failed});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_STREQ(all[0].event, "attempt_failed");
  EXPECT_STREQ(all[1].event, "dead_letter");
  EXPECT_EQ(all[1].level, LogLevel::warn);
  EXPECT_EQ(all[1].message, "exit code 7");
  EXPECT_EQ(all[1].item, 2u);
  EXPECT_EQ(all[1].attempt, 2u);
  failed.disposition = Disposition::retry;
  EXPECT_TRUE(lines(LogLevel::warn, {failed}).empty());
}

TEST_F(EventLinesTest, ASubmissionIsNamedWithoutItsInput) {
  std::vector<LogLine> all = lines(LogLevel::debug, submitted);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_STREQ(all[1].event, "execution_submitted");
  EXPECT_EQ(all[1].message, "nightly");
  EXPECT_EQ(all[1].execution, id);
}

TEST_F(EventLinesTest, ALostWorkerIsNamedAndALeavingOneIsNoWarning) {
  WorkerSpec worker;
  worker.name = "w1";
  std::vector<LogLine> all = lines(
      LogLevel::warn,
      {SessionOpened{SessionId{4}, worker}, SessionClosed{SessionId{4}, "its lease ran out"},
       SessionOpened{SessionId{5}, worker}, SessionClosed{SessionId{5}, "the worker said goodbye"},
       SessionOpened{SessionId{6}, worker}, SessionClosed{SessionId{6}, process_ended_idle}});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_STREQ(all[0].event, "worker_lost");
  EXPECT_EQ(all[0].worker, "w1");
  EXPECT_EQ(all[0].message, "session 4: its lease ran out");
}

}  // namespace
}  // namespace pawl
