// What a process that replays the log leaves for the next one, in case it dies of it.
//
// Contract (testing/contract/replay_note_contract.h):
//  * read() gives what the last write() left, whichever process made it; empty bytes if there was none
//    or it cannot be read.
//  * What was written survives the death of the process at any instant, also within the call. It need
//    not survive the machine: a write is no fsync, and costs about a microsecond.
//  * A write that the system refuses is forgotten: read() then gives something older, or nothing. An
//    error means that the process has died; only a simulated one lives to see it.
//  * At most replay_note_bytes_max.
// Threading: one thread.
#pragma once

#include <cstddef>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

constexpr size_t replay_note_bytes_max = 64 << 10;

class ReplayNote {
 public:
  virtual ~ReplayNote() = default;
  virtual Bytes read() = 0;
  virtual Status write(ByteView bytes) = 0;
};

}  // namespace pawl
