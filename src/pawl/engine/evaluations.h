// Evaluate effects on their way: from an expression and a context to a ReportEvaluation.
//
// Plain paths are followed here (a blob may have to be read, which the pure zone cannot); the rest
// goes to the Evaluator port. Item lists are encoded, results above payload_inline_max are put into
// the blob store, before anything refers to them.
//
//   evaluations.start(effect);            // after the commit gate
//   ...
//   for (Evaluation& e : inbox) if (auto command = evaluations.finish(std::move(e))) run(*command);
//   for (auto& command : evaluations.take_done()) run(command);   // those that needed no evaluator
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/limits.h"
#include "pawl/port/blob.h"
#include "pawl/port/evaluator.h"

namespace pawl {

class Evaluations {
 public:
  Evaluations(Evaluator& evaluator, Blob& blob, const Limits& limits)
      : evaluator_(evaluator), blob_(blob), limits_(limits) {}

  void start(const Evaluate& effect);
  std::optional<ReportEvaluation> finish(Evaluation evaluation);
  std::vector<ReportEvaluation> take_done() { return std::exchange(done_, {}); }
  bool has_done() const { return !done_.empty(); }
  bool waiting() const { return !open_.empty(); }

 private:
  struct Open {
    EvaluationPurpose purpose;
    ExecutionId execution;
    NodeIndex node;
  };
  ReportEvaluation report(const Open& open, Result<std::string> value);
  Status fill(ReportEvaluation& report, std::string value);
  Result<Payload> store(const ReportEvaluation& report, std::string bytes);

  Evaluator& evaluator_;
  Blob& blob_;
  const Limits limits_;
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, Open> open_;
  std::vector<ReportEvaluation> done_;
};

}  // namespace pawl
