// What a process that replays the log leaves for the next one, in case it dies of it.
//
// Contract (testing/contract/replay_note_contract.h):
//  * read() gives what the last write() left, whichever process made it; empty bytes if there was none
//    or it cannot be read. `died` is set if that process, before another write() and before done(), in
//    this thread brought its death on itself: a failed check, an exception that nobody caught, SIGSEGV
//    and its kin. Whatever comes from outside (kill -9, the OOM killer, no memory, a power cut) is not.
//  * What was written survives the death of the process at any instant, also within the call. It need
//    not survive the machine: a write is no fsync, and costs about a microsecond.
//  * A write that the system refuses is forgotten: read() then gives something older, or nothing. An
//    error means that the process has died; only a simulated one lives to see it.
//  * At most replay_note_bytes_max.
// Threading: one thread, that which replays.
#pragma once

#include <cstddef>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

constexpr size_t replay_note_bytes_max = 64 << 10;

struct ReplayRemains {
  Bytes note;
  bool died = false;  // by its own hand
};

class ReplayNote {
 public:
  virtual ~ReplayNote() = default;
  virtual ReplayRemains read() = 0;
  virtual Status write(ByteView bytes) = 0;
  virtual void done() = 0;  // no death is of this replay any more
};

}  // namespace pawl
