// What goes where next, and why something waits. Both answers come from the same predicates, so
// that an explanation can never disagree with what the scheduler does.
//
//   Scene scene{ready, queues, workers, facts, now};
//   while (auto pick = pick_next(scene)) { ...; workers[pick->worker].outstanding += n; }
//   Wait wait = explain(scene, lane, priority, task);
//
// Pure; cost O(lanes x workers) per pick, without an allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pawl/schedule/ready_queue.h"

namespace pawl {

// What only the owner of the tasks knows; asked for lanes whose placement needs it.
class TaskFacts {
 public:
  virtual ~TaskFacts() = default;
  // Whether a task of the same node run is granted to the worker, or to one of its zone.
  virtual bool neighbours(const TaskRange& tasks, Apart apart, const WorkerLoad& worker) const = 0;
  // The hash of its placement key; without one, of the first task itself.
  virtual uint64_t key(const TaskRange& tasks) const = 0;
};

// All that a decision is made from.
struct Scene {
  const ReadyQueue& ready;
  const QueueTable& queues;
  const std::vector<WorkerLoad>& workers;  // ascending by session
  const TaskFacts& facts;
  Instant now;
  std::vector<Candidate> candidates{};  // room for pick_next
};

// Whether tasks with a placement key go where that likes to go best, of all workers that serve them.
enum class KeyPlace : uint8_t { no_key = 0, favourite = 1, other = 2 };

struct Pick {
  size_t worker = 0;  // index into the loads
  LaneId lane = 0;
  QueueId queue = 0;
  int priority = 0;
  uint32_t items_max = 0;
  GrantReason reason;
  KeyPlace key_place = KeyPlace::no_key;
};

// The most urgent front of a lane that some worker has room for, in a queue that may grant; and the
// worker that its queue's strategy chooses. Nothing: no more can be granted.
std::optional<Pick> pick_next(Scene& scene);

enum class WaitKind : uint8_t {
  no_worker,      // none is connected
  no_capability,  // workers are connected, none runs its type or function
  no_queue,       // none of those serves its queue
  no_label,       // none of those has the labels that it requires
  too_large,      // none of those has so much capacity, even when empty
  paused,         // its queue is
  queue_full,     // its queue has as many tasks granted as it may
  rate,           // its queue has granted as fast as it may
  suspect,        // those that serve it have not been heard from
  no_room,        // the first of its lane needs resources that are taken
  apart,          // tasks of the node of the first of its lane run wherever that could
  elsewhere,      // a task more urgent than the first of its lane waits in another partition
  no_credit,      // it is next, but those that serve it hold all they may
  behind,         // others are granted before it
};

struct Wait {
  WaitKind kind = WaitKind::behind;
  uint32_t workers = 0;      // that passed all steps before the one that holds it up
  uint64_t outstanding = 0;  // items these hold
  uint64_t ahead = 0;        // tasks that may be granted to these workers before this one, at most
};

Wait explain(const Scene& scene, LaneId lane, int priority, const TaskKey& task);

}  // namespace pawl
