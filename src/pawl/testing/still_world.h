// A world in which nothing happens by itself: a clock that is set by hand, a loop that turns when it is told to,
// and telemetry that only keeps its lines.
//
//   ManualClock clock;
//   TurnLoop loop;
//   loop.add(engine);
//   clock.now = clock.now + Duration::seconds(1);
//   loop.run_until_idle();
//
// Threading: one thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pawl/port/clock.h"
#include "pawl/port/loop.h"
#include "pawl/port/telemetry.h"

namespace pawl {

class ManualClock final : public Clock {
 public:
  Instant monotonic() override { return now; }
  WallTime wall() override { return {now.ns}; }
  Instant now{1};
};

// Gives every actor turns until all of them have nothing to do.
class TurnLoop final : public Loop {
 public:
  void add(Actor& actor) override { actors_.push_back(&actor); }
  void remove(Actor& actor) override { std::erase(actors_, &actor); }
  void wake() override { woken_ = true; }
  void run_until_idle() {
    for (int round = 0; round < 100'000; ++round) {
      woken_ = false;
      bool more = false;
      for (Actor* actor : std::vector<Actor*>(actors_)) more |= actor->turn();
      if (!more && !woken_) return;
    }
    FAIL() << "the actors never come to rest";
  }

 private:
  std::vector<Actor*> actors_;
  bool woken_ = false;
};

class Quiet final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override { lines.push_back(line.message); }
  std::vector<std::string> lines;
};

}  // namespace pawl
