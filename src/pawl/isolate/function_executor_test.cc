#include "pawl/isolate/function_executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/isolate/progress_lines.h"
#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

// Answers later, when the test says so.
class LateRenderer final : public Renderer {
 public:
  std::optional<Result<ProcessCommand>> command(uint64_t, const Grant&,
                                                Sink<RenderedCommand>&) override {
    return Error{Code::unimplemented, "no processes here"};
  }
  std::optional<Result<FunctionInputs>> inputs(uint64_t launch, const Grant&,
                                               Sink<RenderedInputs>& later) override {
    asked.push_back(launch);
    sink = &later;
    return std::nullopt;
  }
  std::vector<uint64_t> asked;
  Sink<RenderedInputs>* sink = nullptr;
};

// Stands almost still: threads that spin for a time must see its end.
class SlowClock final : public Clock {
 public:
  Instant monotonic() override { return {now_ns_.fetch_add(1'000)}; }
  WallTime wall() override { return {}; }
  void pass(Duration time) { now_ns_ += time.ns; }

 private:
  std::atomic<int64_t> now_ns_{int64_t{1} << 62};  // far from the time by which the loop waits
};

class FunctionExecutorTest : public testing::Test {
 protected:
  FunctionExecutorTest() {
    node.id = "node";
    node.type = NodeType::function;
    node.for_each.text = ".input";
    context.execution = ExecutionId{17};
    add("echo",
        [](FunctionCall& call) -> Result<std::string> { return std::string(call.input()); });
    add("noop", [](FunctionCall&) -> Result<std::string> { return std::string(); });
  }
  template <class F>
  void add(const std::string& name, F f) {
    ASSERT_TRUE(functions.add(name, f).ok());
  }
  void start(uint64_t id, const std::string& function, ItemIndex begin, ItemIndex end) {
    auto workflow = std::make_shared<Workflow>();
    node.function = function;
    workflow->nodes.push_back(node);
    auto shared = std::make_shared<RunContext>(context);
    shared->workflow = workflow;
    Launch launch;
    launch.id = id;
    launch.grant.range = {context.execution, 0, begin, end};
    launch.grant.attempt = 2;
    launch.grant.context = shared;
    executor().start(std::move(launch));
  }
  const std::vector<AttemptReport>& reports(uint64_t id) {
    std::vector<ExecutorNews> batch;
    while (!finished_.contains(id)) {
      // Not for ever: what the executor waits for by its own clock, the loop does not see.
      loop->run_once(Duration::milliseconds(10));
      news.take_all(batch);
      for (ExecutorNews& n : batch) {
        if (auto* piece = std::get_if<Reported>(&n)) append(ahead_[piece->launch], piece->reports);
        if (auto* said = std::get_if<Progressed>(&n)) words.push_back(said->progress.permille);
        auto* end = std::get_if<Finished>(&n);
        if (end == nullptr) continue;
        finished_[end->launch] = ahead_[end->launch];
        append(finished_[end->launch], end->reports);
      }
    }
    return finished_.at(id);
  }
  FunctionExecutor& executor() {
    if (!executor_) {
      executor_ =
          std::make_unique<FunctionExecutor>(functions, 2, *loop, slow_clock, renderer, blob, news);
    }
    return *executor_;
  }
  void close() { executor_.reset(); }

  LinuxClock clock;
  SlowClock slow_clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
  Mailbox<ExecutorNews> news{*loop};
  MemoryBlob blob;
  LateRenderer renderer;
  FunctionRegistry functions;
  Node node;
  RunContext context;
  std::vector<uint32_t> words;  // all that was said about progress before what reports() gave

 private:
  using Gathered = std::map<uint64_t, std::vector<AttemptReport>>;

  static void append(std::vector<AttemptReport>& to, const std::vector<AttemptReport>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  Gathered ahead_;
  Gathered finished_;
  std::unique_ptr<FunctionExecutor> executor_;
};

std::vector<std::string> texts(const AttemptReport& report) {
  std::vector<std::string> all;
  for (const Payload& output : report.outputs) all.push_back(output.text());
  return all;
}

TEST_F(FunctionExecutorTest, ARangeOfNullsIsOneReportWithoutOutputs) {
  start(1, "noop", 1000, 2024);
  ASSERT_EQ(reports(1).size(), 1u);
  EXPECT_EQ(reports(1)[0].range.size(), 1024u);
  EXPECT_TRUE(reports(1)[0].succeeded);
  EXPECT_TRUE(reports(1)[0].outputs.empty());
}

TEST_F(FunctionExecutorTest, EachWordIsPassedOnAndOfTooManyTheFirstAndTheNewest) {
  add("says", [&](FunctionCall& call) -> Result<std::string> {
    for (uint32_t i = 0; i < 400; ++i) {
      if (i == 50 || i == 250) slow_clock.pass(Duration::milliseconds(100));
      call.progress(i, "");
    }
    return std::string();
  });
  start(1, "says", 0, 1);
  reports(1);
  std::vector<uint32_t> expected;
  for (uint32_t i = 0; i < 50 + progress_words_max; ++i) expected.push_back(i);
  expected.push_back(249);  // before what is said in the next 100 ms
  for (uint32_t i = 0; i < progress_words_max; ++i) expected.push_back(250 + i);
  expected.push_back(399);  // before the end
  EXPECT_EQ(words, expected);
}

TEST_F(FunctionExecutorTest, ALongLaunchReportsWhatHasEndedWhileACallRuns) {
  std::atomic<bool> inside{false};
  std::atomic<bool> gate{false};
  add("gated", [&](FunctionCall& call) -> Result<std::string> {
    if (call.task().item == 7) return Error{Code::internal, "seven"};
    if (call.task().item != 13) return std::string();
    inside = true;
    inside.notify_one();
    gate.wait(false);
    return std::string("13");
  });
  start(1, "gated", 5, 15);
  inside.wait(false);
  std::vector<ExecutorNews> batch;
  executor().turn();
  news.take_all(batch);
  EXPECT_TRUE(batch.empty()) << "short launches are one report";
  slow_clock.pass(Duration::milliseconds(10));
  for (int turns = 0; turns < 2; turns++) executor().turn();
  news.take_all(batch);
  ASSERT_EQ(batch.size(), 1u) << "and nothing is told twice";
  const auto& ahead = std::get<Reported>(batch[0]).reports;
  ASSERT_EQ(ahead.size(), 3u);
  EXPECT_EQ(ahead[0].range.begin, 5u);
  EXPECT_EQ(ahead[1].error, "seven");
  EXPECT_TRUE(ahead[2].succeeded);
  EXPECT_EQ(ahead[2].range.begin, 8u);
  EXPECT_EQ(ahead[2].range.end, 13u);
  gate = true;
  gate.notify_one();
  const auto& rest = reports(1);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].range.begin, 13u);
  EXPECT_EQ(rest[0].range.end, 15u);
  EXPECT_EQ(texts(rest[0]), (std::vector<std::string>{"13", "null"}));
}

TEST_F(FunctionExecutorTest, PiecesEndWithTheirLaunches) {
  EXPECT_EQ(executor().deadline(), Instant::never());
  start(1, "noop", 0, 3);
  EXPECT_NE(executor().deadline(), Instant::never());
  reports(1);
  slow_clock.pass(Duration::milliseconds(10));
  executor().turn();
  EXPECT_EQ(executor().deadline(), Instant::never());
}

// Each item once, however the pieces fall.
TEST_F(FunctionExecutorTest, PiecesAndTheRestCoverEveryItemOnce) {
  std::atomic<uint32_t> pieces{0};
  add("pass", [&](FunctionCall& call) -> Result<std::string> {
    if (call.task().item == 500) pieces.wait(0);
    slow_clock.pass(Duration::milliseconds(3));
    return std::string("1");
  });
  std::map<uint64_t, ItemIndex> next;
  std::map<uint64_t, bool> finished;
  for (uint64_t id = 1; id <= 4; id++) start(id, "pass", 0, 1000);
  auto cover = [&](uint64_t id, const std::vector<AttemptReport>& reports) {
    EXPECT_FALSE(finished[id]);
    for (const AttemptReport& report : reports) {
      EXPECT_EQ(report.range.begin, next[id]);
      EXPECT_EQ(report.outputs.size(), report.range.size());
      next[id] = report.range.end;
    }
  };
  std::vector<ExecutorNews> batch;
  for (int left = 4; left > 0;) {
    executor().turn();
    news.take_all(batch);
    for (const ExecutorNews& one : batch) {
      if (auto* piece = std::get_if<Reported>(&one)) {
        pieces++;
        pieces.notify_all();
        cover(piece->launch, piece->reports);
      } else if (auto* end = std::get_if<Finished>(&one)) {
        cover(end->launch, end->reports);
        finished[end->launch] = true;
        left--;
      }
    }
  }
  for (uint64_t id = 1; id <= 4; id++) EXPECT_EQ(next[id], 1000u);
}

TEST_F(FunctionExecutorTest, ItemsAreNumbersOrTextsAndAPlainNodeGetsTheInput) {
  using Texts = std::vector<std::string>;
  start(1, "echo", 7, 9);
  EXPECT_EQ(texts(reports(1)[0]), (Texts{"7", "8"}));
  context.items = Payload::inline_json(encode_items(R"(["a",{"b":1},[2]])"));
  start(2, "echo", 1, 3);
  EXPECT_EQ(texts(reports(2)[0]), (Texts{R"({"b":1})", "[2]"}));
  node.for_each = {};
  context.input = Payload::inline_json(R"({"x":1})");
  start(3, "echo", 0, 1);
  EXPECT_EQ(texts(reports(3)[0]), (Texts{R"({"x":1})"}));
}

TEST_F(FunctionExecutorTest, AFailingItemDoesNotStopTheOthers) {
  add("picky", [](FunctionCall& call) -> Result<std::string> {
    switch (call.task().item) {
      case 2:
        return Error{Code::internal, "no twos"};
      case 4:
        throw std::runtime_error("four");
      case 5:
        throw 5;
      case 6:
        return std::string("not json");
      case 7:
        return std::string("77");
      default:
        return std::string();
    }
  });
  start(1, "picky", 0, 9);
  const auto& all = reports(1);
  ASSERT_EQ(all.size(), 7u);
  std::vector<std::string> errors;
  ItemIndex next = 0;
  for (const AttemptReport& report : all) {
    EXPECT_EQ(report.range.begin, next);
    next = report.range.end;
    if (!report.succeeded) errors.push_back(report.error);
  }
  EXPECT_EQ(next, 9u);
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors[0], "no twos");
  EXPECT_EQ(errors[1], "exception: four");
  EXPECT_EQ(errors[2], "exception of an unknown type");
  EXPECT_EQ(errors[3].substr(0, 17), "returned no JSON:");
  EXPECT_EQ(all[1].kind, FailureKind::function);
  EXPECT_EQ(all[5].kind, FailureKind::output);
  EXPECT_EQ(texts(all[6]), (std::vector<std::string>{"77", "null"}));
}

TEST_F(FunctionExecutorTest, NullsAfterAnOutputKeepTheirPlaces) {
  add("sometimes", [](FunctionCall& call) -> Result<std::string> {
    return call.task().item == 1 ? std::string("1") : std::string();
  });
  start(1, "sometimes", 0, 4);
  ASSERT_EQ(reports(1).size(), 1u);
  EXPECT_EQ(texts(reports(1)[0]), (std::vector<std::string>{"null", "1", "null", "null"}));
}

TEST_F(FunctionExecutorTest, LargeOutputsGoToTheBlobStore) {
  add("large", [](FunctionCall&) -> Result<std::string> {
    return "\"" + std::string(payload_inline_max, 'x') + "\"";
  });
  start(1, "large", 0, 1);
  const Payload& output = reports(1)[0].outputs.at(0);
  ASSERT_TRUE(output.is_blob());
  EXPECT_EQ(output.ref().owner, context.execution);
  EXPECT_TRUE(blob.get(output.ref()).ok());
}

TEST_F(FunctionExecutorTest, AnUnknownFunctionIsNamed) {
  start(1, "nowhere", 0, 3);
  ASSERT_EQ(reports(1).size(), 1u);
  EXPECT_EQ(reports(1)[0].kind, FailureKind::spawn);
  EXPECT_EQ(reports(1)[0].error, "no function \"nowhere\" in this worker");
}

TEST_F(FunctionExecutorTest, InputsMayBeRenderedLater) {
  node.with.parts.push_back({"", make_expression(".item")});
  start(1, "echo", 0, 2);
  start(2, "echo", 0, 2);
  start(3, "echo", 0, 1);
  ASSERT_EQ(renderer.asked, (std::vector<uint64_t>{1, 2, 3}));
  executor().stop(3, StopMode::terminate);
  std::thread other([&] {
    renderer.sink->put({2, Error{Code::invalid_argument, "null has no keys"}});
    renderer.sink->put({1, FunctionInputs{std::string("10"), std::string("20")}});
    renderer.sink->put({3, FunctionInputs{std::string("too late")}});
  });
  EXPECT_EQ(texts(reports(1)[0]), (std::vector<std::string>{"10", "20"}));
  EXPECT_EQ(reports(2)[0].kind, FailureKind::expression);
  EXPECT_EQ(reports(2)[0].error, "null has no keys");
  EXPECT_EQ(reports(3)[0].kind, FailureKind::declined);
  other.join();
}

TEST_F(FunctionExecutorTest, AnInputThatFailsFailsItsItemAlone) {
  node.with.parts.push_back({"", make_expression(".item")});
  start(1, "echo", 0, 3);
  renderer.sink->put(
      {1, FunctionInputs{std::string("1"), Error{Code::invalid_argument, "no such key"},
                         std::string("3")}});
  const auto& all = reports(1);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(texts(all[0]), (std::vector<std::string>{"1"}));
  EXPECT_EQ(all[1].kind, FailureKind::expression);
  EXPECT_EQ(all[1].error, "no such key");
  EXPECT_EQ(texts(all[2]), (std::vector<std::string>{"3"}));
}

TEST_F(FunctionExecutorTest, TheKeyIsTheSameForEveryAttemptAndDiffersByItem) {
  std::mutex mutex;
  std::set<std::string> keys;
  add("key", [&](FunctionCall& call) -> Result<std::string> {
    std::lock_guard<std::mutex> lock(mutex);
    keys.insert(call.idempotency_key());
    EXPECT_EQ(call.attempt(), 2u);
    return std::string();
  });
  start(1, "key", 0, 10);
  start(2, "key", 0, 10);
  reports(1);
  reports(2);
  EXPECT_EQ(keys.size(), 10u);
}

TEST_F(FunctionExecutorTest, ClosingWaitsForTheCallsThatRun) {
  std::atomic<int> inside{0};
  std::atomic<int> left{0};
  add("busy", [&](FunctionCall& call) -> Result<std::string> {
    inside++;
    while (!call.cancelled()) std::this_thread::yield();
    left++;
    return std::string();
  });
  for (uint64_t id = 1; id <= 10; id++) start(id, "busy", 0, 5);
  while (inside.load() < 2) loop->run_once(Duration::milliseconds(1));
  close();
  EXPECT_EQ(inside.load(), left.load());
  EXPECT_EQ(inside.load(), 2);
}

TEST_F(FunctionExecutorTest, ManySmallLaunchesFromAnIdlePoolAllFinish) {
  for (uint64_t id = 1; id <= 3'000; id++) {
    start(id, "noop", 0, 1);
    EXPECT_TRUE(reports(id)[0].succeeded);
  }
}

}  // namespace
}  // namespace pawl
