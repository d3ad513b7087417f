// port/evaluator.h by libjq 1.6, in a helper process that can be killed.
//
//   JqEvaluator evaluator({.helper = "/usr/lib/pawl/pawl-jq"}, evaluations);
//   evaluator.start(7, ".input.n + 1", context);      // evaluations gets {7, "42"}
//   evaluator.check(".input.[")  ->  INVALID_ARGUMENT "syntax error, unexpected '['  .input.["
//
// What runs longer than quick_limit is begun again by a second helper, and so is the same expression from then on,
// until it is quick again: the others wait for it no longer than that. Expressions take turns, however often each is
// asked for. check() has a helper of its own, and waits for none of this.
//
// Errors: INVALID_ARGUMENT what jq says; DEADLINE_EXCEEDED over time_limit; RESOURCE_EXHAUSTED
// over memory_limit_bytes; INTERNAL the helper crashed on it; UNAVAILABLE there is no helper to
// start. Whatever ends the helper fails the one request that it was working on; those that wait go
// to the next helper.
// Threading: start(), cancel() and check() from any thread; answers are put from threads of the evaluator's
// own, which start with the first request. Destruction kills the helpers and drops what waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pawl/base/time.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/sink.h"

namespace pawl {

struct JqOptions {
  std::string helper;  // path of pawl-jq; empty: beside the running program
  Duration time_limit = Duration::seconds(5);
  Duration quick_limit = Duration::milliseconds(250);
  uint32_t slow_expressions_max = 1024;        // known to run longer than that
  uint64_t memory_limit_bytes = 512ull << 20;  // address space of a helper; 0: no limit
  uint32_t programs_max = 64;  // compiled expressions kept, about a megabyte each; at least 1
};

class JqEvaluator final : public Evaluator {
 public:
  JqEvaluator(JqOptions options, Sink<Evaluation>& answers);
  ~JqEvaluator() override;
  JqEvaluator(const JqEvaluator&) = delete;
  JqEvaluator& operator=(const JqEvaluator&) = delete;

  void start(uint64_t ticket, const std::string& expression,
             std::shared_ptr<const std::string> context, Duration at_most) override;
  void cancel(uint64_t ticket) override;
  Status check(const std::string& expression) override;

  uint64_t helpers_started() const;  // for evaluations

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace pawl
