// Runs nodes of type transform: the value of one jq expression is the output.
//
//   TransformExecutor executor(expressions, payloads, news);
//   executor.start({1, grant});      // up to max_range() items
//
// Plain paths are followed at once, everything else goes through the evaluator, whose limits of
// time and memory hold, and timeout.run where it is shorter; there are no heartbeats. An error fails
// its item as `expression`, or as `timeout` if time was up and the node has a timeout.run. An output above 64 KiB goes to the blob
// store. stop() ends the launch at once, as `declined`: an evaluation under way has no effects.
// Threading: the loop's thread; the sink is put on it too.
#pragma once

#include <cstdint>
#include <map>

#include "pawl/port/executor.h"
#include "pawl/port/payload_store.h"
#include "pawl/worker/expressions.h"

namespace pawl {

class TransformExecutor final : public Executor, public Sink<ExpressionValues> {
 public:
  TransformExecutor(Expressions& expressions, PayloadStore& payloads, Sink<ExecutorNews>& news)
      : expressions_(expressions), payloads_(payloads), news_(news) {}

  uint32_t max_range() const override { return 256; }
  void start(Launch launch) override;
  void stop(uint64_t launch, StopMode mode) override;

  void put(ExpressionValues values) override;

 private:
  void finish(uint64_t launch, const Grant& grant, ItemValues items);

  Expressions& expressions_;
  PayloadStore& payloads_;
  Sink<ExecutorNews>& news_;
  std::map<uint64_t, Grant> waiting_;  // by launch
};

}  // namespace pawl
