// Runs nodes of type process: each attempt is one process with its own group, output and limits.
//
//   auto executor = ProcessExecutor::create(loop, clock, options, renderer, payloads, news).value();
//   executor->start({1, grant});         // news receives Progressed..., then Finished
//
// What a program finds in its environment, over that of the client:
//   PAWL_EXECUTION        e17                     PAWL_ATTEMPT          1, 2, 3 ...
//   PAWL_NODE             id of the node          PAWL_IDEMPOTENCY_KEY  the same for every attempt
//   TRACEPARENT           W3C Trace Context: the execution's trace, a span for this attempt
//   PAWL_ITEM             index of the item       PAWL_PROGRESS         3: descriptor for progress
//   lines
// What its output becomes: process_output.h. Output and errors are kept under
// <output_root>/<execution>/<node>/<item>.<attempt>.{out,err} where there is more than rides in the
// event: stdout above 4 KiB, of a failure, or of a program older than 250 ms; stderr always.
//
// With `copies` an attempt is reported once what it wrote has been taken there, or at the latest after
// copies_patience: whoever sees it ended can read all of it.
//
// How an attempt failed:
//   exit code > 0      exit_code, with the last line of stderr
//   signal             signal, with the limit of the node that may be why; out_of_memory where the kernel's OOM killer sent it
//   time               timeout, after SIGTERM and, kill_grace later, SIGKILL
//   could not start    spawn, or declined when this machine has no room for a process now
//   bad output         output: not JSON, not UTF-8, too large, a declared file is missing
//   bad expression     expression
//   stop()             declined (nobody waits for it any more)
// Threading: the loop's thread, which must outlive the processes; the sink is put on it too.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "pawl/isolate/process_runner.h"
#include "pawl/isolate/renderer.h"
#include "pawl/model/limits.h"
#include "pawl/port/executor.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/payload_store.h"

namespace pawl {

constexpr Duration copies_patience = Duration::seconds(2);

class ProcessExecutor final : public Executor, public Actor, public Sink<ProcessNews> {
 public:
  static Result<std::unique_ptr<ProcessExecutor>> create(
      LinuxLoop& loop, Clock& clock, ProcessRunnerOptions options, Renderer& renderer,
      PayloadStore& payloads, Sink<ExecutorNews>& news,
      uint64_t output_bytes_max = Limits{}.output_bytes_max);
  ~ProcessExecutor() override;

  uint32_t max_slots() const { return runner_->max_slots(); }

  uint32_t max_range() const override { return 1; }
  void start(Launch launch) override;
  void stop(uint64_t launch, StopMode mode) override;
  std::optional<LaunchUsage> usage(uint64_t launch) const override {
    return runner_->usage(launch);
  }

  bool turn() override;  // commands rendered later, reports held back
  Instant deadline() const override {
    return held_.empty() ? Instant::never() : held_.front().until;
  }
  void put(ProcessNews news) override;  // the runner's

 private:
  enum class Phase : uint8_t { rendering, running };
  struct Run {
    Grant grant;
    Phase phase = Phase::rendering;
    std::vector<std::pair<std::string, std::string>> files;
    std::string directory;
    uint64_t copied = 0;  // parts that are to be settled before it is reported
  };
  struct Held {
    uint64_t copied = 0;
    Instant until;
    Finished finished;
  };

  ProcessExecutor(LinuxLoop& loop, Clock& clock, const ProcessRunnerOptions& options,
                  Renderer& renderer, PayloadStore& payloads, Sink<ExecutorNews>& news,
                  uint64_t output_bytes_max);
  void run(uint64_t launch, Result<ProcessCommand> command);
  void complete(ProcessCommand& command, const Grant& grant) const;
  void ended(ProcessEnded ended);
  void judge(ProcessEnded ended);
  void report(uint64_t launch, AttemptReport report);
  void release_held();
  void fail(uint64_t launch, FailureKind kind, int32_t code, std::string error);

  LinuxLoop& loop_;
  Clock& clock_;
  std::string directory_;
  OutputCopies* copies_;  // null: the files stay
  Renderer& renderer_;
  PayloadStore& payloads_;
  Sink<ExecutorNews>& news_;
  uint64_t output_bytes_max_;
  std::unique_ptr<ProcessRunner> runner_;
  Mailbox<RenderedCommand> rendered_;
  std::vector<RenderedCommand> batch_;
  std::unordered_map<uint64_t, Run> runs_;
  std::deque<Held> held_;  // ascending in both
};

}  // namespace pawl
