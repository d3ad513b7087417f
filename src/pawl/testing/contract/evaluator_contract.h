// The contract suite of port/evaluator.h.
//
//   struct JqFixture {                        // one new evaluator per test
//     Evaluator& evaluator();
//     Evaluation next();                      // blocks for the next answer
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Jq, EvaluatorContract, JqFixture);
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "pawl/port/evaluator.h"

namespace pawl {

template <class Fixture>
class EvaluatorContract : public ::testing::Test {
 protected:
  Evaluator& evaluator() { return fixture_.evaluator(); }
  Evaluation next() { return fixture_.next(); }

  Result<std::string> evaluate(const std::string& expression) {
    evaluator().start(++ticket_, expression, context_, Duration::forever());
    Evaluation answer = next();
    EXPECT_EQ(answer.ticket, ticket_);
    return answer.value;
  }
  void expect(const std::string& expression, const std::string& value) {
    Result<std::string> got = evaluate(expression);
    ASSERT_TRUE(got.ok()) << expression << ": " << got.error().message;
    EXPECT_EQ(*got, value) << expression;
  }
  void expect_error(const std::string& expression, Code code, const std::string& part) {
    Result<std::string> got = evaluate(expression);
    ASSERT_FALSE(got.ok()) << expression << " gave " << *got;
    EXPECT_EQ(got.error().code, code) << got.error().message;
    EXPECT_NE(got.error().message.find(part), std::string::npos) << got.error().message;
    EXPECT_EQ(got.error().message.find('\n'), std::string::npos);
  }

  Fixture fixture_;
  std::shared_ptr<const std::string> context_ = std::make_shared<const std::string>(
      R"({"input":{"n":41,"list":[3,1,2],"text":"a b"},"item":{"k":true}})");
  uint64_t ticket_ = 0;
};

TYPED_TEST_SUITE_P(EvaluatorContract);

TYPED_TEST_P(EvaluatorContract, GivesCompactJson) {
  this->expect(".input.n", "41");
  this->expect(".input.text", "\"a b\"");
  this->expect(".input", R"({"n":41,"list":[3,1,2],"text":"a b"})");
  this->expect(".input.list | length", "3");
  this->expect(".input.n == 41", "true");
  this->expect(".input.n > 100", "false");
}

TYPED_TEST_P(EvaluatorContract, AbsentStepsAreNull) {
  this->expect(".nodes.x.output", "null");
  this->expect(".input.list[9]", "null");
}

TYPED_TEST_P(EvaluatorContract, ExpectsExactlyOneValue) {
  this->expect_error("empty", Code::invalid_argument, "expected one value, got 0");
  this->expect_error(".input, .item", Code::invalid_argument, "expected one value, got 2");
}

TYPED_TEST_P(EvaluatorContract, ErrorsOfTheExpressionAreOneLine) {
  this->expect_error("error(\"no\\nsuch\")", Code::invalid_argument, "no such");
  this->expect_error(".input.[", Code::invalid_argument, "syntax error");
}

TYPED_TEST_P(EvaluatorContract, AnEndlessExpressionIsKilledAndOthersAreNot) {
  this->evaluator().start(1, ".input.n", this->context_, Duration::forever());
  this->evaluator().start(2, "def f: f; f", this->context_, Duration::forever());
  this->evaluator().start(3, ".input.n", this->context_, Duration::forever());
  std::map<uint64_t, Result<std::string>> answers;
  for (int i = 0; i < 3; ++i) {
    Evaluation one = this->next();
    EXPECT_TRUE(answers.emplace(one.ticket, one.value).second) << "two answers for one ticket";
  }
  EXPECT_TRUE(answers.at(1).ok());
  EXPECT_TRUE(answers.at(3).ok());
  ASSERT_FALSE(answers.at(2).ok());
  EXPECT_EQ(answers.at(2).error().code, Code::deadline_exceeded);
  EXPECT_NE(answers.at(2).error().message.find("longer than"), std::string::npos);
}

TYPED_TEST_P(EvaluatorContract, WhoeverAsksMaySetAShorterLimit) {
  this->evaluator().start(1, "def f: f; f", this->context_, Duration::milliseconds(3));
  Evaluation killed = this->next();
  ASSERT_FALSE(killed.value.ok());
  EXPECT_EQ(killed.value.error().code, Code::deadline_exceeded);
  EXPECT_NE(killed.value.error().message.find("longer than 3 ms"), std::string::npos)
      << killed.value.error().message;
}

TYPED_TEST_P(EvaluatorContract, WhatIsCancelledIsAnsweredOnceAtMost) {
  this->evaluator().cancel(1);  // never asked
  this->evaluator().start(1, "def f: f; f", this->context_, Duration::forever());
  this->evaluator().start(2, ".input.n", this->context_, Duration::forever());
  this->evaluator().cancel(1);
  this->evaluator().start(3, ".input.n", this->context_, Duration::forever());
  std::map<uint64_t, Result<std::string>> answers;
  while (!answers.contains(2) || !answers.contains(3)) {
    Evaluation one = this->next();
    EXPECT_TRUE(answers.emplace(one.ticket, one.value).second) << "two answers for one ticket";
  }
  EXPECT_EQ(answers.at(2).value(), "41");
  EXPECT_EQ(answers.at(3).value(), "41");
  this->evaluator().cancel(3);  // answered
}

TYPED_TEST_P(EvaluatorContract, CheckCompilesOnly) {
  EXPECT_TRUE(this->evaluator().check(".input.n").ok());
  EXPECT_TRUE(this->evaluator().check("def f: f; f").ok());
  Status bad = this->evaluator().check(".input.[");
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("syntax error"), std::string::npos);
  EXPECT_EQ(bad.error().message.find('\n'), std::string::npos);
}

REGISTER_TYPED_TEST_SUITE_P(EvaluatorContract, GivesCompactJson, AbsentStepsAreNull,
                            ExpectsExactlyOneValue, ErrorsOfTheExpressionAreOneLine,
                            AnEndlessExpressionIsKilledAndOthersAreNot,
                            WhoeverAsksMaySetAShorterLimit, WhatIsCancelledIsAnsweredOnceAtMost,
                            CheckCompilesOnly);

}  // namespace pawl
