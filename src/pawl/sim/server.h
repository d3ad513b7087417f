// The engine's machine: a disk, checkpoints and blobs that outlive its process, and the process
// with the shipped engine and log, which comes and goes.
//
//   Server server({...});
//   server.start();
//   server.ask(request);                 // the answer arrives at `answers`
//   server.crash(Duration::seconds(1));  // and comes back a second later
//
// It keeps the process alive like a supervisor: whatever ends it, it is started again.
#pragma once

#include <memory>

#include "pawl/adapter/wal/wal.h"
#include "pawl/base/callback.h"
#include "pawl/port/background.h"
#include "pawl/sim/network.h"
#include "pawl/sim/oracle.h"
#include "pawl/sim/plan.h"
#include "pawl/sim/poison.h"
#include "pawl/sim/sim_blob.h"
#include "pawl/sim/sim_outputs.h"
#include "pawl/sim/sim_process.h"

namespace pawl::sim {

class Server {
 public:
  struct World {
    Universe& universe;
    const WallJump& jump;
    SimNetwork& network;
    Oracle& oracle;
    Seams& seams;
    const Plan& plan;
    const bool& healed;
    Slot slot;
    SharedCapacity* capacity;  // null: there is one partition
    Callback<void(Response)> answers;
    Callback<void(SimProcess&)> came_up;
    Callback<void()> goes_down;
  };
  Server(World world, Random dice);
  ~Server();

  void start();
  bool up() const;
  bool idle() const { return up() && !recovering() && engine_idle(); }
  Blob& blob() { return shared_blob_; }
  SimOutputs& outputs() { return outputs_; }
  void know_input(const std::string& text) { world_.oracle.know_input(text); }
  void ask(Request request);  // swallowed when nobody listens

  void crash(Duration until_back);
  void crash_in_call(uint64_t calls_from_now) {
    disk_.plan(disk_.calls() + calls_from_now, SimFault::crash);
  }
  void fail_write(SimFault fault, uint64_t calls_from_now);
  void lie_in_log(SimFault lie, uint64_t calls_from_now) {
    disk_.plan(disk_.calls() + calls_from_now, lie);
  }
  void fault_at_next_start(SimFault fault, uint64_t call);
  void damage_at_next_stop(uint64_t dice);
  void pause(Duration lasts);
  void fill_disk(Duration lasts, uint64_t left);
  void slow_disk(Duration lasts) { slow_until_ = world_.universe.now() + lasts; }
  void slow_evaluator(Duration lasts) { evaluator_slow_until_ = world_.universe.now() + lasts; }
  void refuse_checkpoints(Duration lasts) { refuse_until_ = world_.universe.now() + lasts; }
  void damage_checkpoint();
  void damage_blob(Random& dice);
  void crash_in_blob_call(uint64_t calls_from_now) { blob_.crash_in_call(calls_from_now); }
  void fail_blob_write(SimFault fault, uint64_t calls_from_now);
  void poison(uint64_t dice, Duration until_back);
  void heal();

  // From time to time: no client waits for long while nothing hinders the engine.
  void check_answers();

  // What workers hold now, by their names.
  void add_granted(std::map<std::string, uint64_t>& granted) const;

  // At quiescence: the live state is the replayed one, and what it refers to is there.
  void check_state();
  std::optional<ExecutionId> left_behind() {
    std::optional<ExecutionId> owner = blob_.left_behind();
    return owner ? owner : outputs_.left_behind();
  }

 private:
  struct Life;
  friend class ListeningLog;
  bool recovering() const { return recovering_; }
  bool engine_idle() const;
  void doom(Duration until_back);
  void bury();
  void try_again(Duration after);
  Status open_log(Life& life);
  Status read_log(Life& life);
  class Calls;
  std::unique_ptr<Background> background(Life& life);
  Status build_engine(Life& life);
  bool machine_crashed() const { return disk_.crashed() || blob_.crashed(); }
  void refused_to_start(const Error& error);
  void died_in_replay();
  void after_turn();
  void note_failure();
  void pump_disk();
  void pump_view();
  void view_done();
  void apply_damage();
  bool quiet() const;
  void choose_poison();
  void note_answer(const Response& response);

  World world_;
  Random dice_;
  SimDisk disk_;
  MapView view_;
  SimBlob blob_;
  Blob& shared_blob_;  // blob_, or with a defect before it
  SimOutputs outputs_;
  Belongings& shared_outputs_;  // likewise
  PoisonedNote note_;
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  uint64_t turns_ = 0;
  uint64_t failed_starts_ = 0;
  std::map<Ticket, Instant> asked_at_;  // not those that wait for an execution
  Instant hindered_at_;
  bool recovering_ = false;
  bool write_planned_ = false;
  bool view_planned_ = false;
  bool write_lost_ = false;  // a write was on its way when it stopped
  bool checkpoint_damaged_ = false;
  Duration until_back_;
  SimFault write_fault_ = SimFault::none;  // planned
  SimFault start_fault_ = SimFault::none;
  uint64_t start_fault_call_ = 0;
  std::optional<uint64_t> poison_dice_;  // of an event, at the next start
  std::optional<uint64_t> damage_dice_;
  std::optional<SimDisk::Image> undamaged_;
  Instant started_at_;
  Instant full_until_;
  Instant slow_until_;
  Instant refuse_until_;
  Instant evaluator_slow_until_;
  Instant sealed_at_ = Instant{-1};
};

}  // namespace pawl::sim
