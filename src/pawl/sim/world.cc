#include "pawl/sim/world.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pawl/engine/shared_capacity.h"
#include "pawl/sim/clients.h"
#include "pawl/sim/front.h"
#include "pawl/sim/judges.h"
#include "pawl/sim/server.h"
#include "pawl/sim/worker_host.h"

namespace pawl::sim {
namespace {

constexpr uint64_t events_max = 20'000'000;  // of a run; more is a busy loop
constexpr int audits_max = 5;
constexpr Duration glance = Duration::milliseconds(500);

// Acknowledged, and not what is on the disk.
SimFault some_lie(Random& dice) {
  constexpr SimFault lies[] = {SimFault::lost_write, SimFault::misdirected_write,
                               SimFault::flipped_bit};
  return lies[dice.below(3)];
}

class World {
 public:
  World(const Plan& plan, Seams& seams, Universe& universe)
      : universe_(universe),
        plan_(plan),
        dice_(mix64(plan.seed) ^ 0x5eed),
        judges_(universe, plan_.limits, plan_.partitions, plan_.jq.get()),
        network_(universe, judges_, seams, dice_.split()),
        clock_(universe, jump_, {}),
        capacity_(plan_.partitions, clock_) {
    for (uint32_t slot = 0; slot < plan_.partitions; ++slot) add_server(slot, seams);
    front_ = std::make_unique<Front>(servers_, judges_, seams);
    for (uint32_t i = 0; i < plan.workers; ++i)
      workers_.push_back(std::make_unique<WorkerHost>(
          WorkerHost::World{universe, jump_, network_, judges_,
                            plan_.partitions > 1 ? front_->blob() : servers_[0]->blob(),
                            [this](ExecutionId execution) {
                              servers_[slot_of(execution, plan_.partitions)]->outputs().wrote(
                                  execution);
                            },
                            plan_, healed_, seams},
          i + 2, dice_.split()));
    clients_ = std::make_unique<Clients>(universe, *front_, plan_, healed_, dice_.split());
  }
  ~World() {
    // The engine's process before the worker that may live in it is taken down by name.
    if (plan_.embedded) workers_.clear();
  }

  void play() {
    universe_.coverage.reached_if(plan_.faults.empty(), Sometimes::no_faults);
    universe_.coverage.reached_if(plan_.embedded, Sometimes::embedded_worker);
    universe_.coverage.reached_if(plan_.partitions > 1, Sometimes::several_partitions);
    for (auto& server : servers_) server->start();
    if (!plan_.embedded) start_workers();
    clients_->start();
    for (const Fault& fault : plan_.faults)
      universe_.at(fault.at, [this, fault] {
        if (!healed_) inject(fault);
      });
    end_of_load_ = universe_.now() + plan_.load_time;
    watch_load();
    while (!finished_ && universe_.step()) {
      if (universe_.tally.events > events_max)
        universe_.violate("I14", "it does a lot and comes to no end");
    }
    if (!finished_ && !universe_.violated())
      universe_.violate("I14", "nothing happens any more, and the work is not done");
  }

 private:
  // Defects are put into the first partition's world.
  void add_server(uint32_t slot, Seams& seams) {
    Server::World its{universe_,
                      jump_,
                      network_,
                      judges_.at(slot),
                      slot == 0 ? seams : no_seams_,
                      plan_,
                      healed_,
                      {slot, plan_.partitions},
                      plan_.partitions > 1 && seams.capacity_shared() ? &capacity_ : nullptr,
                      [this, slot](Response response) {
                        if (auto whole = front_->answered(slot, std::move(response)))
                          clients_->answer(*std::move(whole));
                      },
                      [this](SimProcess& process) {
                        if (plan_.embedded) workers_[0]->start_inside(process);
                      },
                      [this] {
                        if (plan_.embedded) workers_[0]->kill();
                      }};
    servers_.push_back(std::make_unique<Server>(std::move(its), dice_.split()));
  }
  void start_workers() {
    Random dice(mix64(plan_.seed) ^ 0x1a7e);
    const uint64_t within = static_cast<uint64_t>(plan_.join_within.ns);
    workers_.front()->start();
    for (size_t i = 1; i < workers_.size(); ++i) {
      if (within == 0)
        workers_[i]->start();
      else
        universe_.after({static_cast<int64_t>(dice.below(within))},
                        [this, i] { workers_[i]->start(); });
    }
  }
  Server& some_server(Random& dice) {
    return *servers_[servers_.size() == 1 ? 0 : dice.below(servers_.size())];
  }
  void check_answers() {
    for (auto& server : servers_) server->check_answers();
  }
  bool idle() const {
    return std::all_of(servers_.begin(), servers_.end(),
                       [](const auto& server) { return server->idle(); });
  }
  std::string stuck() {
    for (uint32_t slot = 0; slot < plan_.partitions; ++slot)
      if (std::string one = judges_.at(slot).model().stuck(); !one.empty()) return one;
    return "";
  }

  // While no worker has had a life before: what that one held counts until its lease is over.
  void check_shared() {
    if (!plan_.faults.empty() || plan_.habits.crash_worker > 0) return;
    std::map<std::string, uint64_t> granted;  // by worker
    for (const auto& server : servers_) server->add_granted(granted);
    for (const auto& [worker, items] : granted)
      if (items > plan_.credit)
        universe_.violate("I16", "all partitions together have granted " + worker + " " +
                                     std::to_string(items) + " items of at most " +
                                     std::to_string(plan_.credit));
  }

  void watch_load() {
    check_answers();
    check_shared();
    bool over = universe_.now() >= end_of_load_;
    bool early = clients_->finished() && universe_.now() >= last_fault();
    if (over || early) return heal();
    universe_.after(glance, [this] { watch_load(); });
  }

  Instant last_fault() const {
    return plan_.faults.empty() ? Instant{} : plan_.faults.back().at + Duration::seconds(1);
  }

  void inject(const Fault& fault);
  void inject_network(const Fault& fault, Random& dice);
  void inject_blob(FaultKind kind, Random& dice);

  void heal() {
    universe_.note("heal");
    healed_ = true;
    for (auto& server : servers_) server->heal();
    network_.heal();
    jump_.offset = {};
    for (auto& worker : workers_) worker->heal();
    clients_->operate();
    end_of_calm_ = universe_.now() + plan_.calm_time_max;
    watch_calm();
  }

  // Calm lasts until everything has ended; then the state is audited.
  void watch_calm() {
    check_answers();
    bool done = clients_->finished() && stuck().empty() && idle();
    if (done) return audit();
    if (universe_.now() >= end_of_calm_) {
      std::string what = stuck();
      return universe_.violate("I14", what.empty() ? "it does not come to rest" : what);
    }
    universe_.after(glance, [this] { watch_calm(); });
  }

  // A stop of the machine that was planned for a call which has not come would come within the auditor's own.
  void audit(uint32_t slot = 0) {
    universe_.note("audit");
    if (slot == 0)
      for (auto& server : servers_) server->heal();
    clients_->ask_overview(slot, [this, slot](const Overview& overview) {
      judges_.at(slot).audit(overview);
      check_given(judges_.at(slot).model());
      if (slot + 1 < plan_.partitions) return audit(slot + 1);
      check_at_rest([this] {
        bool first = audits_++ == 0;
        if (first && plan_.forget_all) return forget_everything();
        if (first || leftovers()) return restart();
        finished_ = true;
      });
    });
  }

  void check_given(const LogModel& model) {
    for (const auto& [id, execution] : model.executions())
      if (const Given* given = find_given(plan_.given, execution.definition->name))
        if (std::string what = difference(*given, execution, *plan_.jq); !what.empty())
          universe_.violate("I27", to_text(id) + ": " + what);
  }

  void restart() {
    for (auto& server : servers_) server->crash(Duration::milliseconds(10));
    universe_.after(Duration::seconds(1), [this] { watch_calm(); });
  }

  // In the midst of it the machine stops: within a write of the log, within a removal, or between.
  void forget_everything() {
    to_forget_ = 0;
    for (uint32_t slot = 0; slot < plan_.partitions; ++slot)
      to_forget_ += judges_.at(slot).model().executions().size();
    if (to_forget_ == 0) return restart();
    const uint64_t microseconds = 1000 * to_forget_;
    auto some_time = [&] {
      return Duration::microseconds(static_cast<int64_t>(dice_.below(microseconds)));
    };
    for (uint32_t slot = 0; slot < plan_.partitions; ++slot) {
      for (const auto& [id, execution] : judges_.at(slot).model().executions())
        universe_.after(some_time(), [this, id = id] {
          clients_->forget_at_last(id, [this] {
            if (--to_forget_ == 0) restart();
          });
        });
    }
    uint64_t where = dice_.below(10);
    Server& one = some_server(dice_);
    if (where < 6) return one.crash_in_call(dice_.between(1, to_forget_));
    if (where < 9) return one.crash_in_blob_call(dice_.between(1, to_forget_));
    universe_.after(some_time(), [&one] { one.crash(Duration::milliseconds(10)); });
  }

  // What an attempt wrote after its execution was forgotten goes at a start: some more are allowed.
  bool leftovers() {
    std::optional<ExecutionId> owner;
    for (auto& server : servers_)
      if (!owner) owner = server->left_behind();
    if (!owner) return false;
    if (audits_ >= audits_max)
      universe_.violate("I25", "payloads of " + to_text(*owner) + ", which is nowhere, are kept");
    return true;
  }

  void check_at_rest(Callback<void()> then) {
    if (idle()) {
      for (auto& server : servers_) server->check_state();
      return then();
    }
    universe_.after(Duration::milliseconds(1), [this, then] { check_at_rest(then); });
  }

  WorkerHost& some_worker(Random& dice) { return *workers_[dice.below(workers_.size())]; }

  Universe& universe_;
  const Plan plan_;
  Random dice_;
  WallJump jump_;
  bool healed_ = false;
  bool finished_ = false;
  int audits_ = 0;
  uint64_t to_forget_ = 0;
  Instant end_of_load_;
  Instant end_of_calm_;
  Judges judges_;
  SimNetwork network_;
  Seams no_seams_;
  SimClock clock_;  // of the coordinator
  SharedCapacity capacity_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<Front> front_;
  std::vector<std::unique_ptr<WorkerHost>> workers_;
  std::unique_ptr<Clients> clients_;
};

void World::inject_network(const Fault& fault, Random& dice) {
  if (plan_.embedded) return;
  if (fault.kind == FaultKind::cut_network) {
    Address address = some_worker(dice).address();
    network_.cut(address, true);
    return universe_.after(fault.lasts, [this, address] { network_.cut(address, false); });
  }
  Weather& weather = network_.weather();
  weather.loss_permille = static_cast<uint32_t>(dice.below(600));
  weather.twice_permille = static_cast<uint32_t>(dice.below(400));
  weather.delay_max =
      Duration::milliseconds(static_cast<int64_t>(dice.between(1, 20'000) >> dice.below(8)));
  Random aside = dice;  // so that seeds mean what they meant
  if (aside.chance(300)) weather.bytes_per_second = uint64_t{1000} << aside.below(10);
  universe_.after(fault.lasts, [this] { network_.weather() = {}; });
}

void World::inject_blob(FaultKind kind, Random& dice) {
  Server& server = some_server(dice);
  if (kind == FaultKind::blob_damaged) return server.damage_blob(dice);
  if (kind == FaultKind::blob_write_error) {
    constexpr SimFault errors[] = {SimFault::io_error, SimFault::short_write, SimFault::disk_full,
                                   SimFault::crash};
    return server.fail_blob_write(errors[dice.below(4)], dice.between(1, 10));
  }
  SimFault lie = some_lie(dice);
  // Of the calls that one blob takes, one is a write.
  for (uint64_t call = 1; call <= 5; ++call) server.fail_blob_write(lie, call);
}

void World::inject(const Fault& fault) {
  universe_.note(name(fault.kind), static_cast<uint64_t>(fault.lasts.ns));
  ++universe_.tally.faults;
  Random dice(fault.dice);
  Duration back = Duration::milliseconds(static_cast<int64_t>(dice.below(3000)));
  Server& server = some_server(dice);
  switch (fault.kind) {
    case FaultKind::engine_crash:
      return server.crash(back);
    case FaultKind::crash_in_call:
      return server.crash_in_call(dice.between(1, 6));
    case FaultKind::crash_in_recovery:
      server.fault_at_next_start(SimFault::crash, dice.between(1, 40));
      return server.crash(back);
    case FaultKind::write_error:
      return server.fail_write(SimFault::io_error, dice.between(1, 4));
    case FaultKind::short_write:
      return server.fail_write(SimFault::short_write, dice.between(1, 4));
    case FaultKind::read_error:
      server.fault_at_next_start(SimFault::io_error, dice.between(1, 30));
      return server.crash(back);
    case FaultKind::disk_full:
      return server.fill_disk(fault.lasts, dice.below(1 << dice.between(4, 20)));
    case FaultKind::slow_disk:
      return server.slow_disk(fault.lasts);
    case FaultKind::damage_at_rest:
      server.damage_at_next_stop(dice.next());
      return server.crash(back);
    case FaultKind::log_write_lost: {
      SimFault lie = some_lie(dice);
      return server.lie_in_log(lie, dice.between(1, 6));
    }
    case FaultKind::engine_pause:
      return server.pause(fault.lasts);
    case FaultKind::worker_pause:
      return some_worker(dice).pause(fault.lasts);
    case FaultKind::worker_crash:
      return some_worker(dice).crash(back);
    case FaultKind::worker_drain:
      return some_worker(dice).drain();
    case FaultKind::bad_network:
    case FaultKind::cut_network:
      return inject_network(fault, dice);
    case FaultKind::wall_jump: {
      int64_t days = static_cast<int64_t>(dice.below(7300)) - 3650;
      jump_.offset = Duration::hours(days * 24);
      return universe_.reached(Sometimes::wall_clock_jumped);
    }
    case FaultKind::checkpoint_damaged:
      server.damage_checkpoint();
      return server.crash(back);
    case FaultKind::checkpoint_errors:
      return server.refuse_checkpoints(fault.lasts);
    case FaultKind::slow_evaluator:
      return server.slow_evaluator(fault.lasts);
    case FaultKind::blob_damaged:
    case FaultKind::blob_write_error:
    case FaultKind::blob_write_lost:
      return inject_blob(fault.kind, dice);
    case FaultKind::poison:
      return server.poison(dice.next(), back);
    case FaultKind::worker_slow:
      return some_worker(dice).slow(fault.lasts);
    case FaultKind::count_:
      return;
  }
}

}  // namespace

RunResult run(const Plan& plan, Seams& seams, const RunOptions& options) {
  Universe universe;
  if (options.trace != nullptr) universe.trace.print_everything(options.trace);
  {
    World world(plan, seams, universe);
    world.play();
  }
  universe.tally.simulated = universe.now() - Instant{Duration::seconds(1).ns};
  if (universe.violated() && options.last_words != nullptr)
    universe.trace.print_last(options.last_words);
  return {universe.violation(), universe.trace.hash(), universe.coverage, universe.tally};
}

}  // namespace pawl::sim
