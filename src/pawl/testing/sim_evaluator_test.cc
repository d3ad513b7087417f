#include "pawl/testing/sim_evaluator.h"

#include <deque>
#include <utility>

#include "pawl/testing/contract/evaluator_contract.h"

namespace pawl {
namespace {

class Kept final : public Sink<Evaluation> {
 public:
  void put(Evaluation value) override { answers.push_back(std::move(value)); }
  std::deque<Evaluation> answers;
};

struct SimFixture {
  Evaluator& evaluator() { return simulated; }
  Evaluation next() {
    Evaluation first = std::move(answers.answers.front());
    answers.answers.pop_front();
    return first;
  }
  Kept answers;
  SimEvaluator simulated{answers};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, EvaluatorContract, SimFixture);

TEST(SimEvaluator, KnowsItsSmallLanguage) {
  SimFixture fixture;
  auto context = std::make_shared<const std::string>(R"({"input":{"n":4}})");
  auto value = [&](const std::string& expression) {
    fixture.simulated.start(1, expression, context, Duration::forever());
    return fixture.next().value.value();
  };
  EXPECT_EQ(value("[range(3)]"), "[0,1,2]");
  EXPECT_EQ(value(".input.n + 38"), "42");
  EXPECT_EQ(value("\"x\" != .input.n"), "true");
  EXPECT_EQ(value("3 < .input.n"), "true");
  EXPECT_EQ(value("{\"a\": 1}"), "{\"a\":1}");
}

}  // namespace
}  // namespace pawl
