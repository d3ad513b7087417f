#include "pawl/adapter/jq/jq_evaluator.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "pawl/adapter/jq/lane.h"
#include "pawl/testing/contract/evaluator_contract.h"

namespace pawl {
namespace {

class Answers final : public Sink<Evaluation> {
 public:
  void put(Evaluation value) override {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_.push_back(std::move(value));
    changed_.notify_one();
  }
  Evaluation next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !answers_.empty(); });
    Evaluation first = std::move(answers_.front());
    answers_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Evaluation> answers_;
};

JqOptions options() {
  JqOptions made;
  made.helper = PAWL_JQ;
  made.time_limit =
      Duration::seconds(5);  // a busy machine needs seconds for what takes milliseconds
  made.quick_limit = made.time_limit;
  made.memory_limit_bytes = 128 << 20;
  made.programs_max = 3;
  return made;
}

struct JqFixture {
  Evaluator& evaluator() { return jq; }
  Evaluation next() { return answers.next(); }
  Answers answers;
  JqEvaluator jq{options(), answers};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Jq, EvaluatorContract, JqFixture);

class Jq : public testing::Test, protected JqFixture {
 protected:
  Result<std::string> evaluate(const std::string& expression, const std::string& context = "{}") {
    jq.start(1, expression, std::make_shared<const std::string>(context), Duration::forever());
    return next().value;
  }
};

TEST_F(Jq, StartsNoHelperBeforeTheFirstUse) {
  EXPECT_EQ(jq.helpers_started(), 0u);
  ASSERT_TRUE(evaluate("1").ok());
  ASSERT_TRUE(evaluate("2").ok());
  EXPECT_EQ(jq.helpers_started(), 1u);
}

TEST_F(Jq, MemoryHasALimitAndTheNextExpressionANewHelper) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need more address space than any limit";
#endif
  auto greedy = evaluate("reduce range(20) as $i (\"x\" * 10000; . + .)");
  ASSERT_FALSE(greedy.ok());
  EXPECT_EQ(greedy.error().code, Code::resource_exhausted) << greedy.error().message;
  EXPECT_NE(greedy.error().message.find("128 MiB"), std::string::npos);
  EXPECT_EQ(evaluate("1 + 1").value(), "2");
  EXPECT_EQ(jq.helpers_started(), 2u);
}

TEST_F(Jq, ACrashOfTheHelperFailsOnlyItsExpression) {
  auto deep = evaluate("reduce range(300000) as $i (0; [.])");
  ASSERT_FALSE(deep.ok());
  EXPECT_NE(deep.error().code, Code::invalid_argument) << deep.error().message;
  EXPECT_EQ(evaluate("1 + 1").value(), "2");
}

TEST_F(Jq, TheWorldIsOutOfReach) {
  setenv("PAWL_TEST_SECRET", "canary", 1);
  EXPECT_EQ(evaluate("env").value(), "{}");
  EXPECT_EQ(evaluate("$ENV").value(), "{}");
  EXPECT_EQ(evaluate("input").error().message, "input: there is none");
  EXPECT_EQ(evaluate("[inputs]").value(), "[]");
  EXPECT_FALSE(evaluate("import \"x\" as x; 1").ok());
  EXPECT_FALSE(evaluate("include \"x\"; 1").ok());
  EXPECT_FALSE(evaluate("import \"package\" as $d {search: \"/usr/share\"}; $d").ok());
  EXPECT_EQ(evaluate("1 | debug | stderr").value(), "1");
  EXPECT_FALSE(evaluate("halt").ok());
  EXPECT_EQ(evaluate("2 | halt_error").error().message, "halt has no meaning here");
  EXPECT_EQ(evaluate("1").value(), "1");
}

TEST_F(Jq, RepeatedResultsAreCountedUpToABound) {
  EXPECT_EQ(evaluate("repeat(1)").error().message, "expected one value, got 1000 or more");
  EXPECT_EQ(evaluate("range(3)").error().message, "expected one value, got 3");
}

TEST_F(Jq, AContextThatIsNotJsonIsAnError) {
  EXPECT_EQ(evaluate(".", "{\"a\":").error().message, "the context is no JSON document");
  EXPECT_EQ(evaluate(".", "{\"a\":1}").value(), "{\"a\":1}");
}

TEST_F(Jq, OneContextServesManyExpressions) {
  auto context = std::make_shared<const std::string>("{\"n\":2}");
  jq.start(1, ".n + 1", context, Duration::forever());
  jq.start(2, ".n + 2", context, Duration::forever());
  jq.start(3, ".n + 3", std::make_shared<const std::string>("{\"n\":10}"), Duration::forever());
  EXPECT_EQ(next().value.value(), "3");
  EXPECT_EQ(next().value.value(), "4");
  EXPECT_EQ(next().value.value(), "13");
}

TEST_F(Jq, MoreProgramsThanTheCacheHolds) {
  for (int i : {1, 2, 3, 4, 1, 3, 5, 1})
    ASSERT_EQ(evaluate(std::to_string(i) + " + 1").value(), std::to_string(i + 1));
  EXPECT_EQ(jq.helpers_started(), 1u);
}

// One expression without end, and no limit to it but what a test asks for.
class JqLanes : public testing::Test {
 protected:
  static JqOptions patient(Duration quick_limit) {
    JqOptions made = options();
    made.time_limit = Duration::hours(1);
    made.quick_limit = quick_limit;
    return made;
  }
  void ask(JqEvaluator& jq, uint64_t ticket, const std::string& expression) {
    jq.start(ticket, expression, std::make_shared<const std::string>("{\"x\":1}"),
             Duration::forever());
  }
  const std::string endless_ = "last(repeat(1)) == 2";
  Answers answers_;
};

TEST_F(JqLanes, AnEndlessExpressionHoldsUpOnlyItself) {
  JqEvaluator jq(patient(Duration::seconds(1)), answers_);
  for (uint64_t ticket : {1, 2, 3, 4, 5, 6}) ask(jq, ticket, endless_);
  ask(jq, 7, ".x + 1");
  EXPECT_EQ(answers_.next().ticket, 7u);
  ask(jq, 8, endless_);
  ask(jq, 9, ".x + 2");
  EXPECT_EQ(answers_.next().ticket, 9u);
  EXPECT_EQ(jq.helpers_started(), 3u) << "it was tried once as a quick one";
}

TEST_F(JqLanes, WhatIsSlowIsAnsweredAllTheSame) {
  JqEvaluator jq(patient(Duration()), answers_);  // everything is
  ask(jq, 1, ".x + 1");
  EXPECT_EQ(answers_.next().value.value(), "2");
  ask(jq, 2, ".x + 1");
  EXPECT_EQ(answers_.next().value.value(), "2");
  EXPECT_EQ(jq.helpers_started(), 2u) << "known to be slow, it is not tried as a quick one again";
}

TEST_F(JqLanes, WhatHasBecomeQuickIsQuickAgain) {
  JqEvaluator jq(patient(Duration::seconds(1)), answers_);
  const std::string sometimes = "if .n then last(range(.n)) else .x end";
  const auto endless = std::make_shared<const std::string>("{\"n\":1e12}");
  jq.start(1, sometimes, endless, Duration::forever());
  while (jq.helpers_started() < 2) std::this_thread::yield();
  jq.cancel(1);
  ask(jq, 2, sometimes);
  EXPECT_EQ(answers_.next().ticket, 2u);
  jq.start(3, sometimes, endless, Duration::forever());
  ask(jq, 4, sometimes + " + 1");
  EXPECT_EQ(answers_.next().ticket, 4u);
  EXPECT_EQ(jq.helpers_started(), 5u) << "the third was tried as a quick one";
}

TEST_F(JqLanes, WhatIsCancelledIsKilledOrNotBegun) {
  JqEvaluator jq(patient(Duration()), answers_);
  for (uint64_t ticket : {1, 2, 3}) ask(jq, ticket, endless_);
  ask(jq, 4, ".x + 1");
  for (uint64_t ticket : {3, 1, 2}) jq.cancel(ticket);
  EXPECT_EQ(answers_.next().ticket, 4u);
}

TEST_F(JqLanes, ACheckWaitsForNoEvaluation) {
  JqEvaluator jq(patient(Duration::hours(1)), answers_);
  ask(jq, 1, endless_);
  EXPECT_TRUE(jq.check(".x").ok());
  EXPECT_FALSE(jq.check(".x.[").ok());
}

TEST(JqTurns, OfOneExpressionOneAtATime) {
  jq::Turns turns;
  for (uint64_t ticket : {1, 2, 3}) turns.push({ticket, "many", nullptr});
  turns.push({4, "one", nullptr});
  std::vector<uint64_t> order;
  while (!turns.empty()) order.push_back(turns.pop().ticket);
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 4, 2, 3}));
}

TEST(JqWithoutHelper, SaysWhatIsMissing) {
  Answers answers;
  JqEvaluator jq({"/nonexistent/pawl-jq"}, answers);
  jq.start(1, ".", std::make_shared<const std::string>("{}"), Duration::forever());
  Evaluation answer = answers.next();
  ASSERT_FALSE(answer.value.ok());
  EXPECT_EQ(answer.value.error().code, Code::failed_precondition);
  EXPECT_NE(answer.value.error().message.find("/nonexistent/pawl-jq"), std::string::npos);
  EXPECT_FALSE(jq.check(".").ok());
}

TEST(JqShutdown, DoesNotWaitForAnEndlessExpression) {
  Answers answers;
  JqOptions patient = options();
  patient.time_limit = Duration::hours(1);
  JqEvaluator jq(patient, answers);
  jq.start(1, "1", std::make_shared<const std::string>("{}"), Duration::forever());
  answers.next();
  jq.start(2, "def f: f; f", std::make_shared<const std::string>("{}"), Duration::forever());
}

}  // namespace
}  // namespace pawl
