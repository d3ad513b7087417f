// The longest turn of the engine while a checkpoint of many changed executions is taken and one
// command per turn goes on changing them. Half of the executions have ended, and leave memory.
//
//   ./dev bench checkpoint       (arguments: [executions] [directory])

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/engine/engine.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/wire/workflow_codec.h"

namespace {

using namespace pawl;

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
    exit(1);
  }
  return std::move(*result);
}

class Counting final : public Telemetry {
 public:
  void count(std::string_view name, uint64_t delta) override {
    if (name == "checkpoints") checkpoints += delta;
  }
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override { std::fprintf(stderr, "%s\n", line.message.c_str()); }
  uint64_t checkpoints = 0;
};

class Answers final : public Sink<Response> {
 public:
  void put(Response) override { ++arrived; }
  uint64_t arrived = 0;
};

double milliseconds(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) / 1e6;
}

struct Longest {
  double processor = 0;  // ms
  double wall = 0;       // ms
  uint64_t turns = 0;
};

class Bench {
 public:
  Bench(const std::string& directory, uint64_t executions)
      : executions_(executions), loop_(must(LinuxLoop::create(clock_))) {
    LinuxDiskOptions disk;
    disk.wake = loop_.get();
    disk_ = must(open_linux_disk(directory, disk));
    WalOptions wal;
    wal.log_id = {1, 1};
    log_ = must(Wal::open(*disk_, clock_, wal));
    view_ = must(RocksdbView::open({.directory = directory + "/view"}, *loop_, telemetry_));
    evaluations_ = std::make_unique<Mailbox<Evaluation>>(*loop_);
    evaluator_ = std::make_unique<SimEvaluator>(*evaluations_);
    EngineOptions options;
    options.cluster = {2, 2};
    options.checkpoint_log_bytes = UINT64_MAX;
    options.checkpoint_executions = executions;
    engine_ = std::make_unique<Engine>(
        EnginePorts{*loop_, clock_, *log_, *view_, blob_, *evaluator_, *evaluations_, transport_,
                    telemetry_, answers_, note_},
        options);
    PAWL_CHECK(engine_->recover().ok(), "an empty directory recovers");
    loop_->add(*engine_);
  }
  ~Bench() { loop_->remove(*engine_); }

  // Every second one ends before the last is submitted.
  void fill() {
    Workflow workflow;
    workflow.name = "waiting";
    Node node;
    node.id = "wait";
    node.type = NodeType::function;
    node.function = "wait";
    workflow.nodes = {node};
    PAWL_CHECK(finish(workflow).ok(), "one node is a workflow");
    ask(RegisterWorkflow{encode(workflow)});
    for (uint64_t id = 1; id < executions_; ++id) {
      submit();
      if (id % 2 == 0) ask(CancelExecution{ExecutionId{id}, "half of them end"});
      if (id % 1000 == 0) turn_until_answered();
    }
    turn_until_answered();
  }

  // From the last submission on, until its checkpoint is applied and some turns have passed.
  Longest measure() {
    constexpr uint64_t turns_after = 2000;
    Longest longest;
    submit();
    uint64_t changed = executions_ - executions_ % 2 + 1;
    for (uint64_t left = turns_after; left > 0; ++longest.turns) {
      if (changed > 2) ask(CancelExecution{ExecutionId{changed -= 2}, "it goes on changing"});
      double processor = milliseconds(CLOCK_THREAD_CPUTIME_ID);
      double wall = milliseconds(CLOCK_MONOTONIC);
      engine_->turn();
      longest.processor =
          std::max(longest.processor, milliseconds(CLOCK_THREAD_CPUTIME_ID) - processor);
      longest.wall = std::max(longest.wall, milliseconds(CLOCK_MONOTONIC) - wall);
      if (telemetry_.checkpoints > 0) --left;
      PAWL_CHECK(!engine_->failure(), "nothing fails in a benchmark");
    }
    return longest;
  }

 private:
  void submit() {
    SubmitExecution submit;
    submit.workflow = WorkflowId{1};
    submit.input = Payload::inline_json("{\"n\":1}");
    ask(std::move(submit));
  }
  void ask(Command command) { engine_->put({++asked_, std::move(command)}); }
  void turn_until_answered() {
    while (answers_.arrived < asked_) engine_->turn();
  }

  uint64_t executions_;
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_;
  Counting telemetry_;
  Answers answers_;
  MemoryBlob blob_;
  MemoryReplayNote note_;
  InprocTransport transport_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Wal> log_;
  std::unique_ptr<RocksdbView> view_;
  std::unique_ptr<Mailbox<Evaluation>> evaluations_;
  std::unique_ptr<SimEvaluator> evaluator_;
  std::unique_ptr<Engine> engine_;
  uint64_t asked_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  uint64_t executions = argc > 1 ? std::stoull(argv[1]) : 500'000;
  std::string directory = std::string(argc > 2 ? argv[2] : std::filesystem::temp_directory_path()) +
                          "/pawl-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  {
    Bench bench(directory, executions);
    bench.fill();
    Longest longest = bench.measure();
    std::printf(
        "checkpoint of %llu changed executions: longest turn %.1f ms of processor time, %.1f ms "
        "in all; %llu turns\n",
        static_cast<unsigned long long>(executions), longest.processor, longest.wall,
        static_cast<unsigned long long>(longest.turns));
  }
  std::filesystem::remove_all(directory);
  return 0;
}
