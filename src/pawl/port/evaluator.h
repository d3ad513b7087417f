// jq expressions outside plain paths.
//
// Contract (testing/contract/evaluator_contract.h): one answer per start(), through the sink given at
// construction, from any thread. An expression that runs longer than `at_most` or than the adapter's limit
// (DEADLINE_EXCEEDED), or needs more memory than allowed, is killed and answers with an error that says
// so. Its time begins when the evaluator turns to it, not when it is asked. `context` is one JSON
// document. More than one result, or none, is an error (`expected one value, got 2`). cancel(): nobody waits for
// this answer any more; it may come all the same, or never. check() compiles only, and blocks, but for no
// evaluation; its error is jq's own, in one line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl {

struct Evaluation {
  uint64_t ticket = 0;
  Result<std::string> value = std::string();  // JSON text
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual void start(uint64_t ticket, const std::string& expression,
                     std::shared_ptr<const std::string> context, Duration at_most) = 0;
  virtual void cancel(uint64_t ticket) = 0;
  virtual Status check(const std::string& expression) = 0;
};

}  // namespace pawl
