// Evaluate effects on their way: from an expression and a context to a ReportEvaluation.
//
// Paths are followed here (a blob may have to be read, which the pure zone cannot), and what is composed of them
// is put together (context/draft.h); the rest goes to the Evaluator port. Item lists are encoded, results above
// payload_inline_max are put into the blob store, before anything refers to them. While the disk has no room for one (RESOURCE_EXHAUSTED)
// it is kept here and tried again every store_retry_pause: a full disk fails no execution.
//
// What takes time (payloads in the blob store, outputs of mapped nodes, large results) is done in the background, if
// there is one, and comes back through the loop: contexts do not change.
//
//   evaluations.start(effect);            // after the commit gate
//   ...
//   for (Evaluation& e : inbox) evaluations.finish(std::move(e));
//   evaluations.store_again();            // at deadline()
//   for (auto& command : evaluations.take_done()) run(command);   // what is ready
//   evaluations.give_up(execution);       // it has ended
//
// Threading: the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/context/draft.h"
#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/limits.h"
#include "pawl/port/background.h"
#include "pawl/port/blob.h"
#include "pawl/port/clock.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/mailbox.h"

namespace pawl {

class Evaluations {
 public:
  static constexpr Duration store_retry_pause = Duration::seconds(1);

  // Without a background, everything is done at once.
  Evaluations(Evaluator& evaluator, Blob& blob, Clock& clock, Loop& loop, const Limits& limits,
              std::unique_ptr<Background> background)
      : evaluator_(evaluator),
        blob_(blob),
        clock_(clock),
        limits_(limits),
        made_(loop),
        background_(std::move(background)) {}

  void start(const Evaluate& effect);
  void finish(Evaluation evaluation);
  std::vector<ReportEvaluation> take_done();
  bool has_done() const { return !done_.empty() || !made_.empty(); }
  void store_again();
  Instant deadline() const { return store_again_at_; }
  void give_up(ExecutionId execution);

 private:
  struct Open {
    ReportEvaluation about;  // what is known of the report
    Draft draft;             // while the evaluator is asked
  };
  struct Unstored {
    ReportEvaluation report;
    std::string bytes;
  };
  using Outcome = std::variant<ReportEvaluation, Unstored, Draft>;  // Draft: for the evaluator
  struct Made {
    uint64_t ticket = 0;
    Outcome outcome;
  };

  void in_background(uint64_t ticket, Callback<Outcome()> work);
  void take(Made made);

  // From any thread.
  Outcome make(const ReportEvaluation& about, const Evaluate& effect) const;
  Outcome of_value(ReportEvaluation report, Result<std::string> value) const;
  Status fill(ReportEvaluation& report, std::string& value) const;
  Outcome stored(ReportEvaluation report, std::string bytes) const;

  Evaluator& evaluator_;
  Blob& blob_;
  Clock& clock_;
  const Limits limits_;
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, Open> open_;
  std::set<std::pair<ExecutionId, uint64_t>> open_of_;  // the same, by execution
  std::vector<ReportEvaluation> done_;
  std::map<uint64_t, Unstored> unstored_;
  Instant store_again_at_ = Instant::never();
  Mailbox<Made> made_;
  std::vector<Made> batch_;
  std::unique_ptr<Background> background_;  // last: its calls use all of the above
};

}  // namespace pawl
