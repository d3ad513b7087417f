// The executors under the one contract.
#include "pawl/testing/contract/executor_contract.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/isolate/function_executor.h"
#include "pawl/isolate/process_executor.h"
#include "pawl/isolate/transform.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/sim_evaluator.h"

namespace pawl {
namespace {

// Literal templates only.
class LiteralRenderer final : public Renderer {
 public:
  std::optional<Result<ProcessCommand>> command(uint64_t, const Grant& grant,
                                                Sink<RenderedCommand>&) override {
    const ProcessSpec& spec = grant.context->definition().process;
    ProcessCommand command;
    command.shell = spec.shell;
    for (const Template& word : spec.argv) command.argv.push_back(word.parts.at(0).literal);
    return command;
  }
  std::optional<Result<FunctionInputs>> inputs(uint64_t, const Grant&,
                                               Sink<RenderedInputs>&) override {
    return Error{Code::unimplemented, "no templates here"};
  }
};

class LoopHarness : public ExecutorHarness {
 public:
  std::vector<ExecutorNews> wait() override {
    std::vector<ExecutorNews> batch;
    while (batch.empty()) {
      loop_->run_once(Duration::forever());
      news_.take_all(batch);
    }
    return batch;
  }

 protected:
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_ = LinuxLoop::create(clock_).value();
  Mailbox<ExecutorNews> news_{*loop_};
  MemoryBlob blob_;
  LiteralRenderer renderer_;
};

class ProcessHarness final : public LoopHarness {
 public:
  ProcessHarness() {
    ProcessRunnerOptions options;
    options.environment = {"PATH=/usr/bin:/bin"};
    options.kill_grace = Duration::milliseconds(20);
    executor_ = std::move(
        ProcessExecutor::create(*loop_, clock_, options, renderer_, blob_, news_).value());
  }
  Executor& executor() override { return *executor_; }
  Node node(Behaviour behaviour) override {
    Node node;
    node.process.shell = true;
    node.process.output = OutputMode::none;
    if (behaviour == Behaviour::seven) node.process.output = OutputMode::json;
    Template line;
    line.parts.push_back({lines.at(behaviour), {}});
    node.process.argv.push_back(line);
    return node;
  }

 private:
  const std::map<Behaviour, std::string> lines = {
      {Behaviour::null, "true"},
      {Behaviour::seven, "echo 7"},
      {Behaviour::fail, "echo one >&2; echo two >&2; exit 3"},
      {Behaviour::progress, "echo 0.5 half >&$PAWL_PROGRESS"},
      {Behaviour::wait, "sleep 1000"},
      {Behaviour::stubborn, "trap '' TERM; sleep 1000; sleep 1000"},
  };
  std::unique_ptr<ProcessExecutor> executor_;
};

class FunctionHarness final : public LoopHarness {
 public:
  FunctionHarness() {
    auto until_cancelled = [](FunctionCall& call) -> Result<std::string> {
      while (!call.cancelled()) std::this_thread::yield();
      return Error{Code::cancelled, "cancelled"};
    };
    auto none = [](FunctionCall&) -> Result<std::string> { return std::string(); };
    auto seven = [](FunctionCall&) -> Result<std::string> { return std::string("7"); };
    auto fail = [](FunctionCall&) -> Result<std::string> {
      return Error{Code::internal, "it broke"};
    };
    auto progress = [](FunctionCall& call) -> Result<std::string> {
      call.progress(500, "half");
      return std::string();
    };
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::null), none).ok());
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::seven), seven).ok());
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::fail), fail).ok());
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::progress), progress).ok());
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::wait), until_cancelled).ok());
    EXPECT_TRUE(functions_.add(workflow_name(Behaviour::stubborn), until_cancelled).ok());
  }
  Executor& executor() override { return executor_; }
  Node node(Behaviour behaviour) override {
    Node node;
    node.type = NodeType::function;
    node.function = workflow_name(behaviour);
    return node;
  }

 private:
  FunctionRegistry functions_;
  FunctionExecutor executor_{functions_, 2, *loop_, clock_, renderer_, blob_, news_};
};

class TransformHarness final : public LoopHarness {
 public:
  Executor& executor() override { return executor_; }
  bool progress_is_told() const override { return false; }
  Node node(Behaviour behaviour) override {
    Node node;
    node.type = NodeType::transform;
    node.transform = make_expression(expressions_of.at(behaviour));
    return node;
  }

 private:
  const std::map<Behaviour, std::string> expressions_of = {
      {Behaviour::null, "null"},
      {Behaviour::seven, "3 + 4"},
      {Behaviour::fail, R"(error("it broke"))"},
      {Behaviour::wait, "def f: f; f"},
      {Behaviour::stubborn, "def f: f; f"},
  };
  Mailbox<Evaluation> evaluations_{*loop_};
  SimEvaluator evaluator_{evaluations_};
  Expressions expressions_{evaluator_, evaluations_, blob_, *loop_};
  TransformExecutor executor_{expressions_, blob_, news_};
};

std::unique_ptr<ExecutorHarness> processes() {
  return std::make_unique<ProcessHarness>();
}
std::unique_ptr<ExecutorHarness> functions() {
  return std::make_unique<FunctionHarness>();
}
std::unique_ptr<ExecutorHarness> transforms() {
  return std::make_unique<TransformHarness>();
}
INSTANTIATE_TEST_SUITE_P(Process, ExecutorContract, testing::Values(&processes));
INSTANTIATE_TEST_SUITE_P(Function, ExecutorContract, testing::Values(&functions));
INSTANTIATE_TEST_SUITE_P(Transform, ExecutorContract, testing::Values(&transforms));

}  // namespace
}  // namespace pawl
