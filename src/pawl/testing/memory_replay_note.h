// port/replay_note.h in memory: it survives the deaths that a test plays.
#pragma once

#include "pawl/port/replay_note.h"

namespace pawl {

class MemoryReplayNote final : public ReplayNote {
 public:
  Bytes read() override { return bytes_; }
  Status write(ByteView bytes) override {
    bytes_ = bytes;
    return {};
  }

 private:
  Bytes bytes_;
};

}  // namespace pawl
