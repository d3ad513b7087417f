#include "pawl/isolate/process_executor.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

// Answers with what the test put there; without it, later.
class FixedRenderer final : public Renderer {
 public:
  std::optional<Result<ProcessCommand>> command(uint64_t, const Grant&,
                                                Sink<RenderedCommand>& later) override {
    sink = &later;
    return answer;
  }
  std::optional<Result<FunctionInputs>> inputs(uint64_t, const Grant&,
                                               Sink<RenderedInputs>&) override {
    return Error{Code::unimplemented, "no functions here"};
  }
  std::optional<Result<ProcessCommand>> answer;
  Sink<RenderedCommand>* sink = nullptr;
};

class ProcessExecutorTest : public testing::Test {
 protected:
  ProcessExecutorTest() {
    std::string pattern = testing::TempDir() + "pawl-executor-XXXXXX";
    root = mkdtemp(pattern.data());
    options.environment = {"PATH=/usr/bin:/bin", "FROM_CLIENT=yes"};
    options.directory = root;
    options.output_root = root + "/output";
    options.kill_grace = Duration::milliseconds(20);
    node.id = "pack";
  }
  ~ProcessExecutorTest() override {
    executor_.reset();
    std::filesystem::remove_all(root);
  }
  void start(uint64_t id) {
    if (!executor_) {
      executor_ = std::move(
          ProcessExecutor::create(*loop, clock, options, renderer, blob, news, output_max).value());
    }
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.push_back(node);
    auto context = std::make_shared<RunContext>();
    context->execution = ExecutionId{17};
    context->workflow = workflow;
    context->trace = trace;
    Launch launch;
    launch.id = id;
    launch.grant.range = {context->execution, 0, 777, 778};
    launch.grant.attempt = 3;
    launch.grant.context = context;
    executor_->start(std::move(launch));
  }
  const AttemptReport& report(uint64_t id) {
    std::vector<ExecutorNews> batch;
    while (!finished_.contains(id)) {
      loop->run_once(Duration::forever());
      news.take_all(batch);
      for (ExecutorNews& n : batch) {
        if (auto* end = std::get_if<Finished>(&n)) finished_[end->launch] = end->reports.at(0);
      }
    }
    return finished_.at(id);
  }
  const AttemptReport& shell(const std::string& line) {
    ProcessCommand command;
    command.shell = true;
    command.argv = {line};
    command.limits = node.process.limits;
    renderer.answer = std::move(command);
    start(++last_);
    return report(last_);
  }
  void expect_failure(const std::string& line, FailureKind kind, int32_t code,
                      const std::string& error) {
    const AttemptReport& failed = shell(line);
    EXPECT_FALSE(failed.succeeded) << line;
    EXPECT_EQ(failed.kind, kind) << line;
    EXPECT_EQ(failed.exit_code, code) << line;
    EXPECT_EQ(failed.error, error) << line;
  }

  std::string root;
  Trace trace = derived_trace({1, 2}, ExecutionId{17});
  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
  Mailbox<ExecutorNews> news{*loop};
  MemoryBlob blob;
  FixedRenderer renderer;
  ProcessRunnerOptions options;
  uint64_t output_max = 1 << 20;
  Node node;
  std::unique_ptr<ProcessExecutor> executor_;

 private:
  std::map<uint64_t, AttemptReport> finished_;
  uint64_t last_ = 0;
};

TEST_F(ProcessExecutorTest, AProgramFindsItsAttemptInItsEnvironment) {
  node.process.output = OutputMode::lines;
  const AttemptReport& ended = shell(
      "echo $PAWL_EXECUTION; echo $PAWL_NODE; echo $PAWL_ITEM; echo $PAWL_ATTEMPT; "
      "echo $PAWL_PROGRESS; echo $FROM_CLIENT; echo $PAWL_IDEMPOTENCY_KEY; "
      "echo $TRACEPARENT; pwd");
  ASSERT_TRUE(ended.succeeded) << ended.error;
  TaskKey task{ExecutionId{17}, 0, 777};
  std::string key = idempotency_key({}, task);
  std::string parent = traceparent(trace, span_of({}, task, 3));
  EXPECT_EQ(ended.outputs.at(0).text(), R"(["e17","pack","777","3","3","yes",")" + key + R"(",")" +
                                            parent + R"(",")" + root + R"("])");
}

TEST_F(ProcessExecutorTest, WhatALimitEndsSaysSo) {
  node.process.limits.cpu_seconds = 1;
  expect_failure("while :; do :; done", FailureKind::signal, SIGXCPU, "used up limits.cpu (1s)");
  expect_failure("exit 152", FailureKind::exit_code, 152,  // what a shell makes of its child's XCPU
                 "exit code 152: used up limits.cpu (1s)");
  expect_failure("kill -KILL $$", FailureKind::signal, 9,
                 "killed by signal 9 (Killed); set: limits.cpu (1s)");
  node.process.limits = {.memory_bytes = 256 << 20};
  expect_failure("kill -SEGV $$", FailureKind::signal, 11,
                 "killed by signal 11 (Segmentation fault); set: limits.memory (256MiB)");
  expect_failure("no-such-thing", FailureKind::spawn, 0,
                 "no such program: \"no-such-thing\" (looked in PATH)");
}

TEST_F(ProcessExecutorTest, FailuresSayTheirCause) {
  expect_failure("echo first >&2; echo 'cannot open x' >&2; exit 3", FailureKind::exit_code, 3,
                 "exit code 3: cannot open x");
  expect_failure("exit 4", FailureKind::exit_code, 4, "exit code 4");
  expect_failure("kill -SEGV $$", FailureKind::signal, 11,
                 "killed by signal 11 (Segmentation fault)");
  expect_failure("no-such-thing", FailureKind::spawn, 0,
                 "no such program: \"no-such-thing\" (looked in PATH)");
  node.process.output = OutputMode::json;
  const AttemptReport& output = shell("echo hello");
  EXPECT_EQ(output.kind, FailureKind::output);
  EXPECT_EQ(output.error.substr(0, 19), "stdout is not JSON:");
  node.timeout.run = Duration::milliseconds(15);
  const AttemptReport& late = shell("sleep 1000; true");
  EXPECT_EQ(late.kind, FailureKind::timeout);
  EXPECT_EQ(late.error, "ran longer than 15 ms (timeout.run)");
}

TEST_F(ProcessExecutorTest, OutputIsKeptWhereItWillBeLookedFor) {
  shell("echo out; echo err >&2; exit 1");
  EXPECT_TRUE(std::filesystem::exists(root + "/output/e17/pack/777.3.out"));
  EXPECT_TRUE(std::filesystem::exists(root + "/output/e17/pack/777.3.err"));
}

TEST_F(ProcessExecutorTest, LargeOutputBecomesABlobAndTooLargeFails) {
  const AttemptReport& large = shell("head -c 100000 /dev/zero | tr '\\0' x");
  ASSERT_TRUE(large.succeeded) << large.error;
  ASSERT_TRUE(large.outputs.at(0).is_blob());
  EXPECT_EQ(*blob.get(large.outputs[0].ref()), "\"" + std::string(100'000, 'x') + "\"");
  const AttemptReport& huge = shell("head -c 2000000 /dev/zero");
  EXPECT_EQ(huge.kind, FailureKind::output);
  EXPECT_NE(huge.error.find("2000000 bytes"), std::string::npos);
}

TEST_F(ProcessExecutorTest, CommandsMayBeRenderedLaterOrNotAtAll) {
  ProcessCommand echo;
  echo.argv = {"echo", "late"};
  start(1);
  start(2);
  start(3);
  executor_->stop(3, StopMode::terminate);
  renderer.sink->put({2, Error{Code::invalid_argument, "null has no keys"}});
  renderer.sink->put({1, echo});
  renderer.sink->put({3, echo});
  EXPECT_EQ(report(1).outputs.at(0).text(), "\"late\"");
  EXPECT_EQ(report(2).kind, FailureKind::expression);
  EXPECT_EQ(report(2).error, "null has no keys");
  EXPECT_EQ(report(3).kind, FailureKind::declined);
}

TEST_F(ProcessExecutorTest, DeclaredFilesArePartOfTheOutput) {
  ProcessCommand command;
  command.shell = true;
  command.argv = {"echo x > made.txt; echo done"};
  command.output_files = {{"made", "made.txt"}};
  renderer.answer = command;
  start(1);
  EXPECT_EQ(report(1).outputs.at(0).text(),
            R"({"stdout":"done","files":{"made":")" + root + R"(/made.txt"}})");
  command.output_files = {{"made", "other.txt"}};
  renderer.answer = command;
  start(2);
  EXPECT_EQ(report(2).kind, FailureKind::output);
}

}  // namespace
}  // namespace pawl
