#include "pawl/schedule/assign.h"

#include <algorithm>

namespace pawl {
namespace {

// The worker with the largest free share of its credit among those that serve the lane.
std::optional<size_t> best_worker(const std::vector<WorkerLoad>& workers, const LaneKey& lane) {
  std::optional<size_t> best;
  for (size_t i = 0; i < workers.size(); ++i) {
    const WorkerLoad& worker = workers[i];
    if (worker.free() == 0 || !serves(*worker.spec, lane)) continue;
    if (!best) {
      best = i;
      continue;
    }
    const WorkerLoad& other = workers[*best];
    // free / credit > other.free / other.credit, in integers
    if (uint64_t{worker.free()} * other.spec->credit > uint64_t{other.free()} * worker.spec->credit)
      best = i;
  }
  return best;
}

}  // namespace

bool serves(const WorkerSpec& worker, const LaneKey& lane) {
  if (!worker.runs(lane.type)) return false;
  if (lane.type != NodeType::function) return true;
  return std::binary_search(worker.functions.begin(), worker.functions.end(), lane.function);
}

std::optional<Pick> pick_next(const ReadyQueue& queue, const std::vector<WorkerLoad>& workers) {
  std::optional<Pick> best;
  uint64_t best_sequence = 0;
  for (LaneId lane = 0; lane < queue.lanes(); ++lane) {
    const ReadyEntry* front = queue.front(lane);
    if (front == nullptr) continue;
    int priority = queue.front_priority(lane);
    if (best && (priority < best->priority ||
                 (priority == best->priority && front->sequence > best_sequence)))
      continue;
    std::optional<size_t> worker = best_worker(workers, queue.key(lane));
    if (!worker) continue;
    best = Pick{*worker, lane, priority, workers[*worker].free()};
    best_sequence = front->sequence;
  }
  return best;
}

Wait explain(const ReadyQueue& queue, const std::vector<WorkerLoad>& workers, LaneId lane,
             int priority) {
  Wait wait;
  bool credit = false;
  for (const WorkerLoad& worker : workers) {
    if (!serves(*worker.spec, queue.key(lane))) continue;
    ++wait.workers;
    wait.outstanding += worker.outstanding;
    credit = credit || worker.free() > 0;
  }
  wait.ahead = queue.depth_from(lane, priority);
  if (workers.empty()) {
    wait.kind = WaitKind::no_worker;
  } else if (wait.workers == 0) {
    wait.kind = WaitKind::no_capability;
  } else {
    wait.kind = credit ? WaitKind::behind : WaitKind::no_credit;
  }
  return wait;
}

}  // namespace pawl
