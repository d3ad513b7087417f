// Who may use free capacity next, when several partitions share the same workers.
//
//   Broker broker;
//   broker.join(7, 16, {0, 1});                      // worker 7: 16 items, of kinds 0 and 1
//   broker.want(3, {{1, 400, {5, since}}});          // partition 3: 400 items of kind 1 wait
//   for (const Offer& offer : broker.take_offers()) ...  // 16 of worker 7 to partition 3
//   broker.give_back(3, 7, 6);                       // 6 were not needed, or have ended
//
// The rule: free capacity is offered to the partition whose waiting head is best (priority, then the
// longest wait), as much as it wants; what it does not use in its next group comes back at once. A
// partition whose own task ends may use that capacity for another of its own in the same group, without
// asking, as long as its head is no worse than bar(): the best head that waits elsewhere for what that
// worker could do. So a chain of steps costs no round through the broker, and nobody sits on capacity
// that somebody else needs more.
//
// Soft state, rebuilt from what partitions and workers say; nothing of it is logged, and a wrong bar or a
// lost offer costs time, never a task. `broker_model_test.cc` compares the rule with others.
// Pure. Cost of a call: O(workers + partitions x kinds).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pawl/base/time.h"

namespace pawl {

using WorkerNumber = uint64_t;
using PartitionNumber = uint32_t;
using WorkKind = uint32_t;  // what some workers can do and others cannot: a lane

// The task that a partition would run next. The smaller is the better.
struct Head {
  int priority = 0;  // 0..9, higher first
  Instant since;     // it has waited

  friend constexpr std::strong_ordering operator<=>(const Head& a, const Head& b) {
    if (a.priority != b.priority) return b.priority <=> a.priority;
    return a.since <=> b.since;
  }
  friend constexpr bool operator==(const Head&, const Head&) = default;
};

struct Demand {
  WorkKind kind = 0;
  uint32_t items = 0;  // that wait and have no offer yet
  Head head;
};

struct Offer {
  PartitionNumber partition = 0;
  WorkerNumber worker = 0;
  WorkKind kind = 0;
  uint32_t items = 0;
};

class Broker {
 public:
  void join(WorkerNumber worker, uint32_t capacity, std::vector<WorkKind> kinds);
  void leave(WorkerNumber worker);

  // All that waits in the partition now, one entry per kind; replaces what it said before.
  void want(PartitionNumber partition, std::vector<Demand> demands);
  // Capacity that was offered and not used, or whose task has ended.
  void give_back(PartitionNumber partition, WorkerNumber worker, uint32_t items);

  std::vector<Offer> take_offers();
  // The best head that waits in another partition for what this worker can do; nothing: keep all.
  std::optional<Head> bar(PartitionNumber partition, WorkerNumber worker) const;

  uint32_t free(WorkerNumber worker) const;
  uint32_t held(PartitionNumber partition, WorkerNumber worker) const;

 private:
  struct Worker {
    uint32_t capacity = 0;
    uint32_t free = 0;
    std::vector<WorkKind> kinds;  // ascending
    std::map<PartitionNumber, uint32_t> held;
    bool serves(WorkKind kind) const;
  };
  struct Best {
    PartitionNumber partition = 0;
    Demand* demand = nullptr;
  };
  std::optional<Best> best_demand();
  Worker* freest(WorkKind kind);

  std::map<WorkerNumber, Worker> workers_;
  std::map<PartitionNumber, std::vector<Demand>> wants_;
};

}  // namespace pawl
