// port/replay_note.h in memory: it survives the deaths that a test plays.
#pragma once

#include "pawl/port/replay_note.h"

namespace pawl {

class MemoryReplayNote final : public ReplayNote {
 public:
  ReplayRemains read() override { return left_; }
  Status write(ByteView bytes) override {
    left_ = {Bytes(bytes), false};
    replaying_ = true;
    return {};
  }
  void done() override { replaying_ = false; }
  void die() { left_.died |= replaying_; }  // as if of a failed check

 private:
  ReplayRemains left_;
  bool replaying_ = false;
};

}  // namespace pawl
