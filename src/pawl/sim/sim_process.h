// One simulated operating system process: its loop and clocks, its pauses and its death.
//
//   SimProcess process(universe, wall, dice);
//   Engine engine({process, process.clock(), ...});
//   process.add(engine);
//   process.pause_until(later);     // SIGSTOP: its timers and messages wait
//   process.die();                  // kill -9: no turn ever again
//
// Every turn takes a little time, so that processes interleave in ways that depend on the seed.
#pragma once

#include <memory>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/base/random.h"
#include "pawl/port/clock.h"
#include "pawl/port/loop.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

// The wall clock of the machines: right at first, then wherever faults put it.
struct WallJump {
  Duration offset;
};

class SimClock final : public Clock {
 public:
  SimClock(const Universe& universe, const WallJump& jump, Duration origin)
      : universe_(universe), jump_(jump), origin_(origin) {}
  Instant monotonic() override { return universe_.now() + origin_; }
  WallTime wall() override;

 private:
  const Universe& universe_;
  const WallJump& jump_;
  Duration origin_;  // differs from life to life, as after a reboot
};

class SimProcess final : public Loop {
 public:
  SimProcess(Universe& universe, const WallJump& jump, Random dice);
  ~SimProcess() override;

  void add(Actor& actor) override;
  void remove(Actor& actor) override;
  void wake() override { plan_turn(); }

  Clock& clock() { return clock_; }
  // Deadlines are read on `clock`, where a defect stands between.
  void read_deadlines_on(Clock& clock) { deadline_clock_ = &clock; }
  void after_each_turn(Callback<void()> hook) { after_turn_ = std::move(hook); }
  void pause_until(Instant until);
  bool paused() const { return universe_.now() < paused_until_; }
  void die() { *alive_ = false; }
  bool dead() const { return !*alive_; }
  // Plans something that happens only while this process lives.
  void after(Duration delay, Universe::Action action);

 private:
  void plan_turn();
  void take_turns();
  void arm_timer();

  Universe& universe_;
  SimClock clock_;
  Clock* deadline_clock_ = &clock_;
  Random dice_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<Actor*> actors_;
  Callback<void()> after_turn_;
  bool turn_planned_ = false;
  Instant armed_ = Instant::never();
  Instant paused_until_;
};

}  // namespace pawl::sim
