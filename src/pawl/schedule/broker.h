// Who may use free capacity next, when several partitions share the same workers.
//
//   Broker broker;
//   broker.hold(3, holdings);                        // as it is before
//   Elsewhere others = broker.elsewhere(3, 7);       // what worker 7 does for partitions other than 3
//   ... partition 3 schedules, with that in its loads ...
//   broker.tell(3, {.holdings = ..., .waiting = ..., .queues = ...});
//   for (PartitionNumber next : broker.take_called()) ...   // has room now, and is to schedule
//
// The rule: a partition may take what no other holds, for a task that is at least as urgent as the *bar*:
// the most urgent front that waits elsewhere for what that worker has room for. So capacity that becomes free is
// used again in the same group, a chain of steps costs no round through the broker, and nobody sits on capacity
// that somebody else needs more. Whoever is more urgent than what it kept from others is *called*. What a
// partition could have taken and did not (its queue is paused, its tasks must be apart, ...) it has passed, and
// is no bar there until something of that worker becomes free again.
//
// Turns of partitions must not overlap: from hold() to tell() nobody else calls. Soft state, rebuilt from
// what partitions say; nothing of it is logged. `broker_model_test.cc` compares the rule with others.
// Pure. Cost of a call: O(workers with room x fronts that wait).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pawl/schedule/worker_load.h"

namespace pawl {

using WorkerNumber = uint64_t;  // the same in every partition
using PartitionNumber = uint32_t;

// A lane of which something may be granted now, if there were a worker.
struct WaitingLane {
  LaneKey lane;
  int64_t due_ns = 0;  // Urgency of its front, on a clock that all partitions share
};

// What a partition has granted to a worker that it has a session with; may be nothing.
struct Holding {
  WorkerNumber worker = 0;
  const WorkerSpec* spec = nullptr;  // for the call
  uint32_t items = 0;
  std::vector<uint64_t> taken{};  // of spec->capacity, parallel to it; empty: nothing
};

// All there is to say after a turn; replaces what the partition said before.
struct PartitionWord {
  std::vector<Holding> holdings;
  std::vector<WaitingLane> waiting;
  std::map<std::string, uint64_t> queues;  // granted of those that have a limit
};

// What other partitions make of a worker.
struct Elsewhere {
  uint32_t items = 0;
  std::vector<uint64_t> taken{};  // empty: nothing
  int64_t bar_ns = no_bar;

  static constexpr int64_t no_bar = std::numeric_limits<int64_t>::max();
};

class Broker {
 public:
  // What the partition holds of every worker that it has a session with; replaces what it said before.
  void hold(PartitionNumber partition, const std::vector<Holding>& holdings);
  Elsewhere elsewhere(PartitionNumber partition, WorkerNumber worker) const;
  // Tasks of the queue that other partitions have granted.
  uint64_t granted_elsewhere(PartitionNumber partition, const std::string& queue) const;
  void tell(PartitionNumber partition, PartitionWord word);
  // It asks for nothing any more; what it has granted stays granted.
  void silence(PartitionNumber partition);

  std::vector<PartitionNumber> take_called();

 private:
  struct Held {
    uint32_t items = 0;
    std::vector<uint64_t> taken;
  };
  struct Worker {
    WorkerSpec spec;
    std::map<PartitionNumber, Held> held;  // of those that have a session with it
    Held all;                              // their sum
    Held without(PartitionNumber partition) const;
    uint32_t room(const LaneKey& lane) const;
  };
  struct Want {
    WaitingLane front;
    std::set<WorkerNumber> passed;
  };
  void take_queues(PartitionNumber partition, std::map<std::string, uint64_t> granted);
  int64_t bar(PartitionNumber partition, WorkerNumber number, const Worker& worker) const;
  void call_whom_it_concerns();

  std::map<WorkerNumber, Worker> workers_;
  std::map<PartitionNumber, std::vector<Want>> wants_;
  std::map<PartitionNumber, std::map<std::string, uint64_t>> queues_;
  std::set<PartitionNumber> called_;
};

}  // namespace pawl
