// Which worker is to give back tasks that it has not begun, because another has a free slot and nothing waits
// for it.
//
//   if (uneven(workers)) {                          // after pick_next has found nothing more to grant
//     std::vector<Burden> burdens = ...;            // parallel to the workers
//     for (const Relief& relief : even_out(ready, queues, workers, burdens))
//       ... ask workers[relief.from] for `items` of `lanes`, for workers[relief.to] ...
//   }
//
// The rule: a worker with a free slot is relieved by the one that bears most per slot, of those that hold
// anything it serves, and by so many tasks that both bear as much per slot afterwards. So no relief makes
// another one necessary, and moving to and fro is impossible: what bears most per slot only ever becomes less.
//  * No worker is asked below its slots: what it could begin at once stays where it is.
//  * One that has been asked is asked again only when it has answered, and when it had nothing to give, only
//    once it was granted more. A suspect one is neither asked nor helped: its lease decides.
//  * Left where they are: tasks with a key (they belong together) or that stay apart, those that prefer their
//    worker, and those of a queue that is paused, packs its workers, or would have to grant a second time at
//    a rate.
//
// Pure; `uneven` costs one look at each load, `even_out` O(workers with a free slot x lanes held), and for each
// relief O(workers x lanes).
#pragma once

#include <cstdint>
#include <vector>

#include "pawl/schedule/ready_queue.h"
#include "pawl/schedule/worker_load.h"

namespace pawl {

// Tasks held of one lane.
struct LaneItems {
  LaneId lane = 0;
  uint32_t items = 0;
};

// What a worker holds for this partition, and whether it may be asked for some of it.
struct Burden {
  uint32_t own = 0;                               // of WorkerLoad::outstanding
  const std::vector<LaneItems>* lanes = nullptr;  // the same by lane
  bool askable = false;
};

struct Relief {
  size_t from = 0;  // places in the loads
  size_t to = 0;
  uint32_t items = 0;         // at least 1
  std::vector<LaneId> lanes;  // of which: at least one
};

// Asked of one worker after the other; more wait for the next turn.
constexpr size_t reliefs_max = 64;

// Whether one has a free slot while another holds more than it can run.
bool uneven(const std::vector<WorkerLoad>& workers);

// `workers` count what is already on its way to them, and count what is decided here.
std::vector<Relief> even_out(const ReadyQueue& ready, const QueueTable& queues,
                             std::vector<WorkerLoad>& workers, std::vector<Burden>& burdens);

}  // namespace pawl
