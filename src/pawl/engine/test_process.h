// For tests: an engine and a worker in one process, with a clock that is set by hand, over a disk and a view
// that outlive it.
//
//   Machine m;
//   Process p(m.disk, m.view, m.blob, m.clock);
//   ExecutionId id = p.submit(workflow);
//   m.disk.crash();                              // and another Process on the same machine
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/engine/engine.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/sim_disk.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/testing/still_world.h"
#include "pawl/wire/workflow_codec.h"
#include "pawl/worker/worker.h"

namespace pawl {

template <class T>
class Collected final : public Sink<T> {
 public:
  void put(T value) override { values.push_back(std::move(value)); }
  std::vector<T> values;
};

// Every item succeeds with its own index, but items whose first attempts are to fail.
class CountingExecutor final : public Executor {
 public:
  explicit CountingExecutor(Mailbox<ExecutorNews>& news) : news_(news) {}
  uint32_t max_range() const override { return 64; }
  void start(Launch launch) override {
    if (holds) return;
    Finished finished{launch.id, {}};
    const TaskRange& range = launch.grant.range;
    for (ItemIndex item = range.begin; item < range.end; ++item) {
      AttemptReport report;
      report.range = {range.execution, range.node, item, item + 1};
      report.attempt = launch.grant.attempt;
      report.nonce = launch.grant.nonce;
      report.succeeded = launch.grant.attempt > failures;
      if (report.succeeded)
        report.outputs = {Payload::inline_json(output.empty() ? std::to_string(item) : output)};
      else
        report.error = "not yet";
      finished.reports.push_back(std::move(report));
      ++calls;
    }
    news_.put(std::move(finished));
  }
  void stop(uint64_t, StopMode) override {}

  uint32_t failures = 0;
  bool holds = false;  // what starts never ends
  std::string output;  // JSON, instead of the index
  uint64_t calls = 0;

 private:
  Mailbox<ExecutorNews>& news_;
};

// One process: engine and worker, over a disk and a view that outlive it.
struct Process {
  Process(SimDisk& disk, MapView& view, Blob& blob, ManualClock& manual, uint64_t limit = 0,
          uint64_t kept = 1000, Code recovers = Code::ok, uint64_t soft_free_bytes = 0,
          Duration lease = Duration::forever())
      : clock(manual), evaluations(loop), evaluator(evaluations), news(loop), executor(news) {
    WalOptions wal_options;
    wal_options.log_id = {5, 5};
    wal_options.segment_bytes = 1 << 20;
    wal_options.ballast_bytes = 1 << 20;
    wal_options.soft_free_bytes = soft_free_bytes;
    wal_options.hard_free_bytes = 0;
    wal_options.chain = wal::ChainMode::in_line;
    auto opened = Wal::open(disk, clock, wal_options);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    log = std::move(*opened);
    EngineOptions options;
    options.cluster = {9, 9};
    options.limits.ended_executions_kept_max = kept;
    if (limit != 0) options.checkpoint_log_bytes = limit;
    engine = std::make_unique<Engine>(EnginePorts{loop, clock, *log, view, blob, evaluator,
                                                  evaluations, transport, telemetry, clients, note},
                                      options);
    if (Status recovered = engine->recover(); !recovered.ok()) refusal = recovered.error();
    EXPECT_EQ(refusal.code, recovers) << refusal.message;
    loop.add(*engine);
    WorkerOptions worker_options;
    worker_options.spec.slots = 2;
    worker_options.spec.credit = 128;
    worker_options.spec.lease = lease;
    worker = std::make_unique<Worker>(worker_options, Executors{{NodeType::process, &executor}},
                                      clock, loop, transport, news, telemetry);
  }
  ~Process() {
    worker.reset();
    loop.remove(*engine);
  }

  Reply ask(Command command) {
    clients.values.clear();
    engine->put({1, std::move(command)});
    loop.run_until_idle();
    for (Response& response : clients.values) {
      if (auto* reply = std::get_if<Reply>(&response.what); reply && response.ticket == 1)
        return *reply;
    }
    return {Code::internal, "no answer", 0};
  }

  ExecutionId submit(Workflow workflow, std::string request_id = "") {
    EXPECT_TRUE(finish(workflow).ok());
    Reply registered = ask(RegisterWorkflow{encode(workflow)});
    SubmitExecution submit;
    submit.workflow = WorkflowId{registered.number};
    submit.request_id = std::move(request_id);
    submit.input = Payload::inline_json("{}");
    Reply reply = ask(submit);
    EXPECT_EQ(reply.code, Code::ok) << reply.message;
    return ExecutionId{reply.number};
  }

  void settle(SimDisk& disk) {
    do loop.run_until_idle();
    while (disk.complete_one());
  }
  std::vector<std::string> answers_to(Ticket ticket) const {
    std::vector<std::string> messages;
    for (const Response& response : clients.values)
      if (response.ticket == ticket) messages.push_back(std::get<Reply>(response.what).message);
    return messages;
  }

  // Lets every checkpoint that is wanted be taken.
  void checkpoint(MapView& view) {
    while (view.busy()) {
      view.complete_one();
      loop.run_until_idle();
    }
  }

  uint64_t execution_count() { return engine->partition().state().counts.submitted; }
  const Execution& execution(ExecutionId id) {
    return *engine->partition().state().executions.find(id);
  }

  ManualClock& clock;
  TurnLoop loop;
  InprocTransport transport;
  Quiet telemetry;
  MemoryReplayNote note;
  Collected<Response> clients;
  Mailbox<Evaluation> evaluations;
  SimEvaluator evaluator;
  Mailbox<ExecutorNews> news;
  CountingExecutor executor;
  std::unique_ptr<Wal> log;
  std::unique_ptr<Engine> engine;
  Error refusal{Code::ok, ""};  // of recover()
  std::unique_ptr<Worker> worker;
};

struct Machine {
  explicit Machine(Completion completion = Completion::at_once) : disk(1, completion) {}
  SimDisk disk;
  MapView view;
  MemoryBlob blob;
  ManualClock clock;
};

}  // namespace pawl
