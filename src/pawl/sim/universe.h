// What all parts of the simulated world share: one time, one ordered queue of what happens next,
// one trace, one verdict.
//
//   Universe universe;
//   universe.after(Duration::milliseconds(3), [&] { disk.complete_one(); });
//   while (universe.step()) {}
//
// Events of one instant happen in the order in which they were planned. Idle time costs nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/sim/coverage.h"
#include "pawl/sim/trace.h"

namespace pawl::sim {

struct Violation {
  std::string invariant;  // "I4"
  std::string what;
};

// What a run did, so that one in which nothing happened can be told.
struct Tally {
  uint64_t events = 0;
  uint64_t operations = 0;  // clients' requests that were answered with ok
  uint64_t executions_ended = 0;
  uint64_t attempts = 0;
  uint64_t faults = 0;
  uint64_t restarts = 0;
  Duration simulated;
};

class Universe {
 public:
  using Action = Callback<void()>;

  Instant now() const { return now_; }
  void at(Instant when, Action action);
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }
  // Runs the next event; false when there is none, or something is violated.
  bool step();

  void note(const char* what, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0) {
    trace.note(now_, what, a, b, c);
  }
  void reached(Sometimes state) { coverage.reached(state); }

  // The first one counts.
  void violate(std::string invariant, std::string what);
  bool violated() const { return violation_.has_value(); }
  const std::optional<Violation>& violation() const { return violation_; }

  Trace trace;
  Coverage coverage;
  Tally tally;

 private:
  struct Planned {
    Instant when;
    uint64_t order = 0;
    Action action;
  };
  struct Later {
    bool operator()(const Planned& a, const Planned& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };
  Instant now_{Duration::seconds(1).ns};
  uint64_t planned_ = 0;
  std::vector<Planned> heap_;
  std::optional<Violation> violation_;
};

}  // namespace pawl::sim
