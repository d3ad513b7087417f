// A machine with a worker: the shipped worker's process, its executors, and its deaths.
#pragma once

#include <memory>

#include "pawl/sim/network.h"
#include "pawl/sim/seams.h"
#include "pawl/sim/sim_executor.h"
#include "pawl/worker/worker.h"

namespace pawl::sim {

class WorkerHost {
 public:
  struct World {
    Universe& universe;
    const WallJump& jump;
    SimNetwork& network;
    Judges& judges;
    Blob& blob;
    Callback<void(ExecutionId)> wrote;
    const Plan& plan;
    const bool& healed;
    Seams& seams;
  };
  WorkerHost(World world, uint64_t number, Random dice);
  ~WorkerHost();

  void start();                            // in a process of its own
  void start_inside(SimProcess& process);  // in the engine's
  void kill();
  void crash(Duration until_back);
  void drain();
  void pause(Duration lasts);
  void slow(Duration lasts);
  void heal();
  bool up() const { return life_ != nullptr; }
  Address address() const { return address_; }

 private:
  struct Life;
  bool takes_everything() const;
  void live_in(SimProcess& process);
  void go(Duration until_back);

  World world_;
  uint64_t number_;
  Random dice_;
  Address address_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t lives_ = 0;
  bool embedded_ = false;
  bool incapable_ = false;  // it promises functions and has no executor for them
  std::unique_ptr<Life> life_;
};

}  // namespace pawl::sim
