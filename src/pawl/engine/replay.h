// The log above the checkpoint becomes state, such that an event of which the process dies does not
// do that for ever.
//
//   Replay replay({log, note, telemetry}, partition, history);
//   PAWL_TRY(replay.run(view.position() + 1));
//   for (const auto& quarantine : replay.found()) ...   // to be recorded, and told
//
// Before each group its position is noted. Whoever finds that the process before died of a group
// applies that group event by event, noting each; and whoever finds that the one before died of an
// event of such a group quarantines its execution instead of applying it. So the third process gets
// through. Only a death of the process's own making counts: one that was killed is replayed again as
// if it had never been. A note is of one tail of the log, which the first group of every reign moves, so that none
// outlives a recovery that succeeded.
//
// Errors: DATA_LOSS, with file and offset, when the event belongs to no execution that could be
// quarantined; or what the log answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pawl/engine/history.h"
#include "pawl/partition/partition.h"
#include "pawl/port/log.h"
#include "pawl/port/replay_note.h"
#include "pawl/port/telemetry.h"

namespace pawl {

// Whether there is an execution that can be quarantined instead of applying the event: not before it
// exists, nor when it is to be forgotten.
bool can_be_left_out(const Event& event);

// What the note says.
struct ReplayPlace {
  uint64_t tail = 0;                        // of the log
  uint64_t group = 0;                       // being replayed; 0: none
  bool careful = false;                     // event by event
  uint32_t event = 0;                       // being applied, from 1; 0: none yet
  std::vector<ExecutionQuarantined> found;  // by this process and those before
};
Bytes encode(const ReplayPlace& place);
ReplayPlace decode_replay_place(ByteView bytes);  // an empty one if it cannot be read

class Replay {
 public:
  struct Ports {
    Log& log;
    ReplayNote& note;
    Telemetry& telemetry;
  };
  Replay(Ports ports, Partition& partition, HistoryTail& history)
      : ports_(ports), partition_(partition), history_(history) {}

  Status run(uint64_t from);
  // Decided by this replay or one that died before it could record them.
  const std::vector<ExecutionQuarantined>& found() const { return place_.found; }
  uint64_t bytes() const { return bytes_; }  // of the log

 private:
  ReplayPlace where_it_died();
  Status replay(uint64_t from);
  Status read(uint64_t from);
  Status judge(const ReplayPlace& died);
  Status apply(uint64_t position, ByteView encoded, bool careful);
  Status refuse(Error error);
  Error hopeless(const ReplayPlace& died, const std::string& why);
  Status note() { return ports_.note.write(encode(place_)); }

  Ports ports_;
  Partition& partition_;
  HistoryTail& history_;
  ReplayPlace place_;
  uint64_t bytes_ = 0;
};

}  // namespace pawl
