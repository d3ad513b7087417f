// What goes where next, and why something waits. Both answers come from the same predicates, so
// that an explanation can never disagree with what the scheduler does.
//
//   while (auto pick = pick_next(queue, workers)) { ...; workers[pick->worker].outstanding += n; }
//   Wait wait = explain(queue, workers, lane, priority, task);
//
// Pure; cost O(lanes x workers) per pick.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/schedule/ready_queue.h"

namespace pawl {

// A connected worker as the scheduler sees it.
struct WorkerLoad {
  SessionId session;
  const WorkerSpec* spec = nullptr;
  uint32_t outstanding = 0;  // items granted and not reported

  uint32_t free() const { return spec->credit > outstanding ? spec->credit - outstanding : 0; }
};

// Can this worker run what waits in this lane at all?
bool serves(const WorkerSpec& worker, const LaneKey& lane);

struct Pick {
  size_t worker = 0;  // index into the loads
  LaneId lane = 0;
  int priority = 0;
  uint32_t items_max = 0;  // the worker's free credit
};

// The front of the most urgent lane that some worker with free credit serves; among the workers
// that could, the one with the largest free share of its credit. Nothing: no more can be granted.
std::optional<Pick> pick_next(const ReadyQueue& queue, const std::vector<WorkerLoad>& workers);

enum class WaitKind : uint8_t {
  no_worker,      // none is connected
  no_capability,  // workers are connected, none serves this lane
  no_credit,      // it is next, but those that serve it hold all they may
  behind,         // others are granted before it
};

struct Wait {
  WaitKind kind = WaitKind::behind;
  uint32_t workers = 0;      // that serve the lane
  uint64_t outstanding = 0;  // items these hold
  uint64_t ahead = 0;        // tasks that pick_next gives to these workers before this one, at most
};

Wait explain(const ReadyQueue& queue, const std::vector<WorkerLoad>& workers, LaneId lane,
             int priority, const TaskKey& task);

}  // namespace pawl
