// An event of the log that ends every process that applies it, or at which some are killed, and the
// note that its replay leaves.
//
//   PoisonedNote note;
//   note.poison(group, event);     // from 1
//   ... engine.recover() fails and take_death() says so, as long as it would apply that event ...
//   note.kill(group, event, 5);    // the next five that come there, whatever they have learned
//
// Death comes out of the note, which the replay writes right before the event: what a group or event
// does to the memory of a dying process nobody sees.
#pragma once

#include <utility>

#include "pawl/engine/replay.h"
#include "pawl/testing/memory_replay_note.h"

namespace pawl::sim {

class PoisonedNote final : public ReplayNote {
 public:
  void poison(uint64_t group, uint32_t event) {
    group_ = group;
    event_ = event;
  }
  void kill(uint64_t group, uint32_t event, uint64_t times) {
    poison(group, event);
    kills_ = times;
    innocent_ = true;
  }
  void cure() {
    group_ = 0;
    innocent_ = false;
  }
  bool poisoned() const { return group_ != 0; }

  ReplayRemains read() override { return kept_.read(); }
  void done() override {
    if (!died_) kept_.done();
  }
  Status write(ByteView bytes) override {
    PAWL_TRY(kept_.write(bytes));
    ReplayPlace place = decode_replay_place(bytes);
    if (!poisoned() || place.group != group_) return {};
    for (const ExecutionQuarantined& one : place.found) {
      if (one.position == group_ && one.index + 1 == event_) return {};
    }
    if (place.careful && place.event != event_) return {};
    if (innocent_ && kills_ == 0) return {};
    died_ = true;
    if (innocent_) {
      --kills_;
    } else {
      kept_.die();
    }
    return Error{Code::unavailable, "the simulated process has died"};
  }
  bool take_death() { return std::exchange(died_, false); }

 private:
  MemoryReplayNote kept_;
  uint64_t group_ = 0;
  uint32_t event_ = 0;
  uint64_t kills_ = 0;  // to come, if the event is innocent
  bool innocent_ = false;
  bool died_ = false;
};

}  // namespace pawl::sim
