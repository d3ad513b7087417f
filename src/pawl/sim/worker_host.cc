#include "pawl/sim/worker_host.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "pawl/sim/sim_background.h"
#include "pawl/sim/sim_payloads.h"
#include "pawl/testing/random_workflow.h"
#include "pawl/worker/held_news.h"
#include "pawl/worker/payload_desk.h"

namespace pawl::sim {
namespace {

class WorkerTelemetry final : public Telemetry {
 public:
  explicit WorkerTelemetry(Universe& universe) : universe_(universe) {}
  void count(std::string_view name, uint64_t) override {
    if (name == "worker_self_stops") universe_.reached(Sometimes::worker_stopped_itself);
  }
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override {
    if (line.message.find("its lease ran out") != std::string::npos)
      universe_.reached(Sometimes::lease_expired_while_worker_alive);
  }

 private:
  Universe& universe_;
};

}  // namespace

struct WorkerHost::Life {
  Life(const World& world, SimProcess& its, Random dice)
      : telemetry(world.universe),
        news(its),
        judged(world.universe, world.judges, news),
        remote(world.blob, dice.split(), world.plan.payloads_lost_permille, world.healed),
        process(&its) {
    if (world.plan.payload_time == Duration{}) return;
    desk.emplace(remote, its,
                 std::make_unique<SimBackground>(its, dice.split(), world.plan.payload_time),
                 PayloadDeskOptions{world.plan.payloads_kept_bytes, 1 + dice.below(64 << 10)});
    if (world.seams.reports_wait_for_payloads()) held.emplace(*desk, its, judged);
  }
  PayloadStore& payloads() { return desk ? static_cast<PayloadStore&>(*desk) : remote; }
  Sink<ExecutorNews>& news_of_executor() {
    return held ? static_cast<Sink<ExecutorNews>&>(*held) : judged;
  }

  std::unique_ptr<SimProcess> own;  // first: it outlives what runs in it
  WorkerTelemetry telemetry;
  Mailbox<ExecutorNews> news;
  JudgedNews judged;
  SimPayloads remote;
  std::optional<PayloadDesk> desk;
  std::optional<HeldNews> held;
  std::unique_ptr<SimExecutor> executor;
  std::unique_ptr<Worker> worker;
  SimProcess* process;
};

WorkerHost::WorkerHost(World world, uint64_t number, Random dice)
    : world_(world), number_(number), dice_(dice) {}

WorkerHost::~WorkerHost() {
  kill();
}

void WorkerHost::start() {
  auto own = std::make_unique<SimProcess>(world_.universe, world_.jump, dice_.split());
  SimProcess& process = *own;
  live_in(process);
  life_->own = std::move(own);
  process.after_each_turn([this] {
    if (life_->worker->gone()) go(Duration::milliseconds(static_cast<int64_t>(dice_.below(3000))));
  });
}

void WorkerHost::start_inside(SimProcess& process) {
  embedded_ = true;
  live_in(process);
}

// Somebody has to, so that all can end: the first (1 is the engine), or everyone if some are refused.
bool WorkerHost::takes_everything() const {
  const Limits& limits = world_.plan.limits;
  return number_ == 2 || world_.plan.workers > std::min(limits.sessions_max, limits.peers_max);
}

// A worker that comes back has a new address, or the old one in a later incarnation.
void WorkerHost::live_in(SimProcess& process) {
  ++lives_;
  if (address_ == 0 || dice_.chance(500)) {
    address_ = number_ * 1000 + lives_;
    incarnation_ = 1;
  } else {
    ++incarnation_;
    world_.universe.reached(Sometimes::worker_restarted_at_same_address);
  }
  life_ = std::make_unique<Life>(world_, process,
                                 Random(mix64(address_) ^ incarnation_ ^ world_.plan.seed));
  life_->executor = std::make_unique<SimExecutor>(
      SimExecutor::World{world_.universe, process, &world_.judges, life_->payloads(), world_.plan,
                         world_.healed, world_.wrote},
      life_->news_of_executor(), life_->judged, dice_.split(),
      [this] { crash(Duration::milliseconds(static_cast<int64_t>(dice_.below(3000)))); });
  WorkerOptions options;
  options.address = address_;
  options.incarnation = incarnation_;
  options.spec.name = "w" + std::to_string(number_);
  options.spec.slots = world_.plan.slots;
  options.spec.credit = world_.plan.credit;
  offer_anything(options.spec, dice_, takes_everything());
  std::set<std::string> functions{"work"};
  for (const Given& given : world_.plan.given)
    functions.insert(given.functions.begin(), given.functions.end());
  options.spec.functions.assign(functions.begin(), functions.end());
  options.spec.lease = world_.plan.lease;
  options.stop_grace = world_.plan.stop_grace;
  options.progress_interval = world_.plan.progress_interval;
  options.hello_interval = world_.plan.hello_interval;
  options.stretch = world_.plan.stretch;
  options.link = world_.plan.worker_link;
  incapable_ = !world_.healed && !embedded_ && dice_.chance(40);
  Executors executors;
  if (!incapable_) executors[NodeType::function] = life_->executor.get();
  if (!world_.plan.given.empty())
    executors[NodeType::process] = executors[NodeType::transform] = life_->executor.get();
  life_->worker = std::make_unique<Worker>(options, executors, process.clock(), process,
                                           world_.network, life_->news, life_->telemetry);
}

void WorkerHost::kill() {
  if (life_) life_->process->die();
  life_.reset();
}

// Ends the process now; what it owns goes once the current event is over.
void WorkerHost::go(Duration until_back) {
  life_->process->die();
  world_.universe.after(Duration{}, [this, until_back] {
    life_.reset();
    world_.universe.after(until_back, [this] { start(); });
  });
}

void WorkerHost::crash(Duration until_back) {
  if (!life_ || embedded_ || life_->process->dead()) return;
  world_.universe.note("worker crash", number_);
  go(until_back);
}

void WorkerHost::drain() {
  if (!life_ || embedded_ || life_->process->dead()) return;
  world_.universe.reached(Sometimes::worker_drained);
  life_->worker->drain();
}

void WorkerHost::pause(Duration lasts) {
  if (!life_ || embedded_) return;
  life_->process->pause_until(world_.universe.now() + lasts);
  world_.universe.coverage.reached_if(lasts > world_.plan.lease,
                                      Sometimes::worker_paused_beyond_lease);
}

void WorkerHost::slow(Duration lasts) {
  if (life_) life_->executor->slow_until(world_.universe.now() + lasts);
}

void WorkerHost::heal() {
  if (life_) life_->executor->heal();
  if (incapable_) crash(Duration::milliseconds(10));
}

}  // namespace pawl::sim
