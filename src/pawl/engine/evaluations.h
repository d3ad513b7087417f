// Evaluate effects on their way: from an expression and a context to a ReportEvaluation.
//
// Plain paths are followed here (a blob may have to be read, which the pure zone cannot); the rest
// goes to the Evaluator port. Item lists are encoded, results above payload_inline_max are put into
// the blob store, before anything refers to them. While the disk has no room for one (RESOURCE_EXHAUSTED)
// it is kept here and tried again every store_retry_pause: a full disk fails no execution.
//
//   evaluations.start(effect);            // after the commit gate
//   ...
//   for (Evaluation& e : inbox) if (auto command = evaluations.finish(std::move(e))) run(*command);
//   evaluations.store_again();            // at deadline()
//   for (auto& command : evaluations.take_done()) run(command);   // what else is ready
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/limits.h"
#include "pawl/port/blob.h"
#include "pawl/port/clock.h"
#include "pawl/port/evaluator.h"

namespace pawl {

class Evaluations {
 public:
  static constexpr Duration store_retry_pause = Duration::seconds(1);

  Evaluations(Evaluator& evaluator, Blob& blob, Clock& clock, const Limits& limits)
      : evaluator_(evaluator), blob_(blob), clock_(clock), limits_(limits) {}

  void start(const Evaluate& effect);
  std::optional<ReportEvaluation> finish(Evaluation evaluation);
  std::vector<ReportEvaluation> take_done() { return std::exchange(done_, {}); }
  bool has_done() const { return !done_.empty(); }
  void store_again();
  Instant deadline() const { return store_again_at_; }
  bool waiting() const { return !open_.empty() || !unstored_.empty(); }

 private:
  struct Open {
    EvaluationPurpose purpose;
    ExecutionId execution;
    NodeIndex node;
  };
  struct Unstored {
    ReportEvaluation report;
    std::string bytes;
  };
  std::optional<ReportEvaluation> report(const Open& open, Result<std::string> value);
  Status fill(ReportEvaluation& report, std::string& value);
  std::optional<ReportEvaluation> stored(ReportEvaluation report, std::string bytes);

  Evaluator& evaluator_;
  Blob& blob_;
  Clock& clock_;
  const Limits limits_;
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, Open> open_;
  std::vector<ReportEvaluation> done_;
  std::vector<Unstored> unstored_;
  Instant store_again_at_ = Instant::never();
};

}  // namespace pawl
