// A connected worker, as the partition knows it.
//
//   Session session = open_session(spec, now);
//   reserve(state, execution, node, id, 3);      // session.outstanding == 3, and so on: see state.h
//
// What is called soft follows from no event: it is as new after a recovery, and no part of the state's hash.
#pragma once

#include <cstdint>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/schedule/broker.h"
#include "pawl/schedule/rebalance.h"

namespace pawl {

// What a worker was asked to give back and has not answered for.
struct Asked {
  SessionId meant_for;  // whose slot is free
  uint32_t items = 0;   // 0: nothing
};

struct Session {
  WorkerSpec worker;
  uint32_t outstanding = 0;        // items granted and not reported
  std::vector<LaneItems> lanes{};  // the same by lane, in no order
  std::vector<uint64_t> taken{};   // of worker.capacity, parallel to it, by those items
  uint64_t identity = 0;           // hash of its name
  Instant heard{};                 // soft: when it last renewed
  WorkerUsage usage{};             // soft: as it then said
  bool away = false;               // soft: not heard since the engine came back; gets nothing new
  Elsewhere elsewhere{};           // soft: what other partitions make of it
  Asked asked{};                   // soft
  bool asked_in_vain = false;      // soft: it had begun all of it; until it is granted more
};
// A third of the lease is one heartbeat: after two it is late, after three the session is over.
Instant suspect_from(const Session& session);

Session open_session(WorkerSpec worker, Instant now);

}  // namespace pawl
