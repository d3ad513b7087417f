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

namespace {

// A worker's capacity goes to whatever is most urgent in any lane that it serves.
bool compete(const std::vector<WorkerLoad>& workers, const LaneKey& one, const LaneKey& other) {
  return std::any_of(workers.begin(), workers.end(), [&](const WorkerLoad& worker) {
    return serves(*worker.spec, one) && serves(*worker.spec, other);
  });
}

}  // namespace

Wait explain(const ReadyQueue& queue, const std::vector<WorkerLoad>& workers, LaneId lane,
             int priority, const TaskKey& task) {
  Wait wait;
  for (const WorkerLoad& worker : workers) {
    if (!serves(*worker.spec, queue.key(lane))) continue;
    ++wait.workers;
    wait.outstanding += worker.outstanding;
  }
  wait.kind = workers.empty() ? WaitKind::no_worker : WaitKind::no_capability;
  if (wait.workers == 0) return wait;
  QueuePlace place = queue.place_of(lane, priority, task).value_or(QueuePlace{});
  wait.ahead = place.items_before;
  for (LaneId other = 0; other < queue.lanes(); ++other) {
    if (compete(workers, queue.key(lane), queue.key(other)))
      wait.ahead += queue.depth_before(other, priority, place.sequence);
  }
  wait.kind = wait.ahead > 0 ? WaitKind::behind : WaitKind::no_credit;
  return wait;
}

}  // namespace pawl
