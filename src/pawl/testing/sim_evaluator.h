// port/evaluator.h for tests and the simulator: deterministic, no process, no thread. The answer is
// in the sink when start() returns; whoever wants it late puts a delaying sink in between.
//
// It knows plain paths, and over operands that are plain paths or JSON literals:
//
//   A == B   A != B   A > B   A < B      numbers compare as integers, == and != compare the text
//   A + B                                integers
//   A | length                           of a list, object, string (bytes) or null
//   [range(N)]                           N a literal
//   A, B   empty                         two results, no result: errors as jq has them
//   error("text")
//   def f: f; f                          the endless expression: killed at once
//
// Anything else is a syntax error.
#pragma once

#include "pawl/port/evaluator.h"
#include "pawl/port/sink.h"

namespace pawl {

class SimEvaluator final : public Evaluator {
 public:
  explicit SimEvaluator(Sink<Evaluation>& answers) : answers_(answers) {}

  void start(uint64_t ticket, const std::string& expression,
             std::shared_ptr<const std::string> context, Duration at_most) override;
  void cancel(uint64_t) override {}  // it is answered
  Status check(const std::string& expression) override;

 private:
  Sink<Evaluation>& answers_;
};

}  // namespace pawl
