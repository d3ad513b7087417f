// Runs nodes of type function on a pool of threads.
//
//   FunctionExecutor executor(functions, 2, loop, clock, renderer, payloads, news);
//   executor.start({1, grant});       // up to max_range() items in one go, on one thread
//
// The items of a launch run one after the other on one thread, and its report says "all of these
// succeeded, with null" in one line, so that an item costs its call and little more. A launch that
// takes longer reports every 10 ms what has ended since. Launches wait for a thread in the order of their
// start: a thread that takes the next one by itself saves two hand-offs. An item that fails does not stop those
// after it. stop() is seen before the next item and by
// FunctionCall::cancelled(); items that were not called, or returned after it, are reported
// `declined`.
// Timeouts are per item and cooperative: an item that returns late fails as `timeout`.
//
// Idle threads spin for about 120 us before they sleep, one at a time, as long as that pays off: a
// hand-off then takes below a microsecond instead of a scheduling.
// Inputs: `with`, rendered; without it the item, or the execution's input.
// Threading: start/stop on the loop's thread; the sink is put from the pool's threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "pawl/isolate/function.h"
#include "pawl/isolate/renderer.h"
#include "pawl/port/clock.h"
#include "pawl/port/executor.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/payload_store.h"

namespace pawl {

class FunctionExecutor final : public Executor, public Actor {
 public:
  FunctionExecutor(const FunctionRegistry& functions, uint32_t threads, Loop& loop, Clock& clock,
                   Renderer& renderer, PayloadStore& payloads, Sink<ExecutorNews>& news);
  ~FunctionExecutor() override;  // waits for the calls that run; what waits is not run nor reported

  uint32_t max_range() const override { return 1024; }
  uint32_t ahead() const override { return 15; }
  void start(Launch launch) override;
  void stop(uint64_t launch, StopMode mode) override;
  bool withdraw(uint64_t launch) override;

  bool turn() override;
  Instant deadline() const override;

 private:
  struct Job;
  class Pool;
  using JobRef = std::shared_ptr<Job>;

  void submit(const JobRef& job, Result<FunctionInputs> inputs);
  bool take_back(const JobRef& job);
  void report_pieces();
  void forget_finished();
  void push(const JobRef& job);

  const FunctionRegistry& functions_;
  Loop& loop_;
  Clock& clock_;
  Renderer& renderer_;
  PayloadStore& payloads_;
  Sink<ExecutorNews>& news_;
  Mailbox<RenderedInputs> rendered_;
  std::vector<RenderedInputs> batch_;
  std::unordered_map<uint64_t, JobRef> jobs_;  // may hold finished ones for a while
  size_t jobs_sweep_at_ = 64;
  Instant pieces_at_ = Instant::never();  // when running launches report what has ended
  bool pushed_ = false;                   // and nobody woken for it yet
  std::unique_ptr<Pool> pool_;
};

}  // namespace pawl
