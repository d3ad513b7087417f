// No-op calls per second, and what a hand-off to an idle pool and back costs.
//
//   function_bench [CALLS [STEPS]]
//
// The first figure: launches of 1,024 items, four in flight, two threads. The second: one
// launch of one item at a time, after each answer a pause as long as a commit (60 us), as a
// chain of nodes has.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/isolate/function_executor.h"

namespace pawl {
namespace {

class NoRenderer final : public Renderer {
 public:
  std::optional<Result<ProcessCommand>> command(uint64_t, const Grant&,
                                                Sink<RenderedCommand>&) override {
    return Error{Code::unimplemented, "not here"};
  }
  std::optional<Result<FunctionInputs>> inputs(uint64_t, const Grant&,
                                               Sink<RenderedInputs>&) override {
    return Error{Code::unimplemented, "not here"};
  }
};

class NoPayloads final : public PayloadStore {
 public:
  Status put(const BlobRef&, ByteView) override { return {}; }
  Result<Bytes> get(const BlobRef&) override { return Bytes(); }
  Result<Bytes> part(const BlobRef&, uint64_t, uint64_t) override { return Bytes(); }
};

// Stands for the worker: an actor that counts what comes.
class Bench final : public Actor {
 public:
  explicit Bench(uint32_t threads) {
    Status added =
        functions_.add("noop", [](FunctionCall&) -> Result<std::string> { return std::string(); });
    if (!added.ok()) abort();
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.resize(1);
    workflow->nodes[0].function = "noop";
    workflow->nodes[0].for_each.text = ".input";
    auto context = std::make_shared<RunContext>();
    context->workflow = std::move(workflow);
    context_ = std::move(context);
    executor_ = std::make_unique<FunctionExecutor>(functions_, threads, *loop_, clock_, renderer_,
                                                   payloads_, news_);
    loop_->add(*this);
  }
  ~Bench() override { loop_->remove(*this); }

  bool turn() override {
    news_.take_all(batch_);
    for (ExecutorNews& news : batch_) finished_ += std::holds_alternative<Finished>(news) ? 1 : 0;
    return false;
  }
  Instant deadline() const override { return Instant::never(); }

  double calls_per_second(uint64_t calls) {
    constexpr uint32_t items = 1024;
    uint64_t launches = calls / items;
    uint64_t started = 0;
    finished_ = 0;
    Instant began = clock_.monotonic();
    while (finished_ < launches) {
      for (; started < launches && started - finished_ < 4; started++) start(items);
      loop_->run_once(Duration::forever());
    }
    return static_cast<double>(launches * items) * 1e9 /
           static_cast<double>((clock_.monotonic() - began).ns);
  }

  double hand_off_us(int steps) {
    std::vector<int64_t> took;
    for (int i = 0; i < steps; i++) {
      finished_ = 0;
      Instant began = clock_.monotonic();
      start(1);
      while (finished_ == 0) loop_->run_once(Duration::forever());
      Instant ended = clock_.monotonic();
      took.push_back((ended - began).ns);
      while (clock_.monotonic() < ended + Duration::microseconds(60)) {
      }
    }
    std::sort(took.begin(), took.end());
    return static_cast<double>(took[took.size() / 2]) / 1e3;
  }

 private:
  void start(uint32_t items) {
    Launch launch;
    launch.id = ++id_;
    launch.grant.range = {ExecutionId{1}, 0, 0, items};
    launch.grant.context = context_;
    executor_->start(std::move(launch));
  }

  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_ = LinuxLoop::create(clock_).value();
  Mailbox<ExecutorNews> news_{*loop_};
  NoRenderer renderer_;
  NoPayloads payloads_;
  FunctionRegistry functions_;
  RunContextRef context_;
  std::unique_ptr<FunctionExecutor> executor_;
  std::vector<ExecutorNews> batch_;
  uint64_t finished_ = 0;
  uint64_t id_ = 0;
};

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  uint64_t calls = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000'000;
  int steps = argc > 2 ? std::atoi(argv[2]) : 5'000;
  pawl::Bench bench(2);
  std::printf("no-op calls          %10.2f M/s\n", bench.calls_per_second(calls) / 1e6);
  std::printf("hand-off, both ways  %10.2f us (p50)\n", bench.hand_off_us(steps));
  return 0;
}
