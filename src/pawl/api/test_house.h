// For tests: engines and a worker on a real event loop, over logs, views and blobs in memory, and a
// gateway before them. What processes do is up to the test.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/api/gateway.h"
#include "pawl/api/local_client.h"
#include "pawl/engine/engine.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_outputs.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/sim_disk.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/worker/worker.h"

namespace pawl {

// Succeeds with `output` unless it is told otherwise.
class ScriptedExecutor final : public Executor {
 public:
  explicit ScriptedExecutor(Mailbox<ExecutorNews>& news) : news_(news) {}
  uint32_t max_range() const override { return 64; }
  void start(Launch launch) override {
    held_.push_back(std::move(launch));
    if (!holding) release();
  }
  void stop(uint64_t launch, StopMode) override {
    for (Launch& held : held_) {
      if (held.id == launch) held.grant.range.end = held.grant.range.begin;
    }
  }
  void release() {
    while (!held_.empty()) {
      finish(held_.front());
      held_.pop_front();
    }
  }
  bool has_held() const { return !held_.empty(); }
  void progress(uint32_t permille, std::string message) {
    const Grant& grant = held_.front().grant;
    news_.put(Progressed{
        held_.front().id,
        {grant.range.at(grant.range.begin), grant.attempt, permille, std::move(message)}});
  }

  bool holding = false;
  uint32_t failures = 0;  // of each task, before it succeeds
  std::string output = "\"done\"";

 private:
  void finish(const Launch& launch) {
    Finished finished{launch.id, {}};
    const TaskRange& range = launch.grant.range;
    for (ItemIndex item = range.begin; item < range.end; ++item) {
      AttemptReport report;
      report.range = {range.execution, range.node, item, item + 1};
      report.attempt = launch.grant.attempt;
      report.nonce = launch.grant.nonce;
      report.succeeded = launch.grant.attempt > failures;
      if (report.succeeded)
        report.outputs = {Payload::inline_json(output)};
      else
        report.error = "not yet";
      finished.reports.push_back(std::move(report));
    }
    news_.put(std::move(finished));
  }

  Mailbox<ExecutorNews>& news_;
  std::deque<Launch> held_;
};

class Silence final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};

// A directory of its own, gone with the object.
class OwnDirectory {
 public:
  OwnDirectory() {
    std::string name = testing::TempDir() + "pawl_api_XXXXXX";
    path = mkdtemp(name.data());
  }
  ~OwnDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

// One engine over a log and a view of its own.
class HouseEngine {
 public:
  HouseEngine(LinuxLoop& its_loop, Clock& clock, Blob& blob, Transport& transport, Slot slot,
              Sink<Response>& answers)
      : loop(its_loop), evaluations(loop), evaluator(evaluations) {
    WalOptions wal_options;
    wal_options.log_id = {5, 5 + slot.slot};
    wal_options.segment_bytes = 16 << 20;
    wal_options.ballast_bytes = 1 << 20;
    wal_options.soft_free_bytes = 0;
    wal_options.hard_free_bytes = 0;
    wal_options.chain = wal::ChainMode::in_line;
    log = Wal::open(disk, clock, wal_options).value();
    EngineOptions engine_options;
    engine_options.cluster = {9, 9};
    engine_options.slot = slot;
    engine_options.address = engine_address(slot.slot);
    engine = std::make_unique<Engine>(EnginePorts{loop, clock, *log, view, blob, evaluator,
                                                  evaluations, transport, telemetry, answers, note},
                                      engine_options);
    EXPECT_TRUE(engine->recover().ok());
    loop.add(*engine);
  }
  ~HouseEngine() { loop.remove(*engine); }

  LinuxLoop& loop;
  SimDisk disk{7};
  MapView view;
  MemoryReplayNote note;
  Mailbox<Evaluation> evaluations;
  SimEvaluator evaluator;
  Silence telemetry;
  std::unique_ptr<Wal> log;
  std::unique_ptr<Engine> engine;
};

class House {
 public:
  explicit House(GatewayOptions options = {}, uint32_t partitions = 1)
      : loop_owner(LinuxLoop::create(clock).value()),
        loop(*loop_owner),
        answers(partitions),
        engines(open_engines(partitions)),
        disk(engines[0]->disk),
        evaluator(engines[0]->evaluator),
        news(loop),
        executor(news) {
    WorkerOptions worker_options;
    worker_options.spec.name = "house";
    worker_options.spec.slots = 2;
    worker_options.spec.credit = 128;
    worker_options.spec.lease = Duration::forever();
    worker = std::make_unique<Worker>(worker_options, Executors{{NodeType::process, &executor}},
                                      clock, loop, transport, news, telemetry);
    open_gateway(std::move(options));
  }
  ~House() {
    gateway.reset();
    worker.reset();
  }

  // A new one that knows nothing, as after a restart.
  void open_gateway(GatewayOptions options, std::unique_ptr<Background> background = nullptr) {
    gateway.reset();
    std::vector<Sink<Request>*> doors;
    for (const auto& one : engines) doors.push_back(one->engine.get());
    router = std::make_unique<Router>(std::move(doors));
    gateway =
        std::make_unique<Gateway>(GatewayPorts{loop, *router, blob, outputs, evaluator, &clock,
                                               nullptr, nullptr, std::move(background)},
                                  answers, std::move(options));
  }

  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop_owner;
  LinuxLoop& loop;
  MemoryBlob blob;
  MemoryOutputs outputs;
  InprocTransport transport;
  Silence telemetry;
  AnswerInbox answers;
  std::vector<std::unique_ptr<HouseEngine>> engines;
  SimDisk& disk;            // of the first partition
  SimEvaluator& evaluator;  // the same
  Mailbox<ExecutorNews> news;
  ScriptedExecutor executor;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<Router> router;
  std::unique_ptr<Gateway> gateway;

 private:
  std::vector<std::unique_ptr<HouseEngine>> open_engines(uint32_t partitions) {
    std::vector<std::unique_ptr<HouseEngine>> opened;
    for (uint32_t slot = 0; slot < partitions; ++slot)
      opened.push_back(std::make_unique<HouseEngine>(loop, clock, blob, transport,
                                                     Slot{slot, partitions}, answers.of(slot)));
    return opened;
  }
};

inline const char* const one_node = "name: one\nnodes:\n  work: {command: [work]}\n";

}  // namespace pawl
