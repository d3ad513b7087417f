#include "pawl/schedule/assign.h"

#include <algorithm>

namespace pawl {
namespace {

// How many tasks of the lane's front, due then, the worker may get now.
uint32_t room_for(const Scene& scene, const LaneKey& lane, const TaskRange& tasks, int64_t due_ns,
                  const WorkerLoad& worker) {
  if (due_ns > worker.bar_ns) return 0;
  uint32_t tasks_max = room(worker, lane);
  Apart apart = lane.placement.apart;
  if (tasks_max == 0 || apart == Apart::no) return tasks_max;
  return scene.facts.neighbours(tasks, apart, worker) ? 0 : 1;
}

bool anyone_for(const Scene& scene, const LaneKey& lane, const TaskRange& tasks, int64_t due_ns) {
  return std::any_of(scene.workers.begin(), scene.workers.end(), [&](const WorkerLoad& worker) {
    return room_for(scene, lane, tasks, due_ns, worker) > 0;
  });
}

// The worker for which another has given the front back, if it still has room.
const Candidate* meant_for(const ReadyEntry& front, const std::vector<Candidate>& candidates) {
  auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& one) {
    return one.load->session == front.meant_for;
  });
  return found == candidates.end() ? nullptr : &*found;
}

// What gathers tasks in few workers leaves no slot empty for it, elsewhere or there.
void spare_idle(std::vector<Candidate>& candidates) {
  bool any = std::any_of(candidates.begin(), candidates.end(),
                         [](const Candidate& one) { return one.load->idle() > 0; });
  if (!any) return;
  std::erase_if(candidates, [](const Candidate& one) { return one.load->idle() == 0; });
  for (Candidate& one : candidates) one.room = std::min(one.room, one.load->idle());
}

KeyPlace key_place(const Scene& scene, const LaneKey& lane, uint64_t key, size_t chosen) {
  const uint64_t its = liking(key, scene.workers[chosen]);
  bool liked_more =
      std::any_of(scene.workers.begin(), scene.workers.end(), [&](const WorkerLoad& worker) {
        return serves(*worker.spec, lane) && liking(key, worker) > its;
      });
  return liked_more ? KeyPlace::other : KeyPlace::favourite;
}

// The worker for the front of the lane, for which there is at least one.
void place(Scene& scene, Pick& pick, const Front& best) {
  const ReadyEntry& front = *best.entry;
  const LaneKey& lane = scene.ready.key(pick.lane);
  const Queue& queue = scene.queues.at(pick.queue);
  std::vector<Candidate>& candidates = scene.candidates;
  candidates.clear();
  for (const WorkerLoad& worker : scene.workers) {
    if (uint32_t most = room_for(scene, lane, front.range, best.urgency.due_ns, worker))
      candidates.push_back({&worker, most});
  }
  uint64_t may_grant = queue.may_grant(scene.now);
  if (const Candidate* meant = meant_for(front, candidates)) {
    pick.worker = static_cast<size_t>(meant->load - scene.workers.data());
    pick.items_max = static_cast<uint32_t>(std::min<uint64_t>(meant->room, may_grant));
    pick.reason = {GrantCause::recalled, meant->load->idle()};
    return;
  }
  if (lane.placement.prefers() || queue.spec.strategy == Strategy::pack) spare_idle(candidates);
  std::optional<GrantReason> preferred = keep_preferred(lane.placement, candidates);
  WaitingTask task{&lane.placement, 0, front.range.size()};
  bool keyed = static_cast<bool>(lane.placement.key);
  if (keyed || queue.spec.strategy == Strategy::consistent_hash)
    task.key = scene.facts.key(front.range);
  Choice choice =
      keyed ? queue.by_key->choose(task, candidates) : queue.strategy->choose(task, candidates);
  uint64_t most = std::min<uint64_t>(choice.items_max, may_grant);
  pick.worker = static_cast<size_t>(candidates[choice.candidate].load - scene.workers.data());
  pick.items_max = static_cast<uint32_t>(most);
  pick.reason = preferred.value_or(choice.reason);
  if (keyed) pick.key_place = key_place(scene, lane, task.key, pick.worker);
}

}  // namespace

std::optional<Pick> pick_next(Scene& scene) {
  std::optional<Pick> best;
  Front best_front;
  for (LaneId lane = 0; lane < scene.ready.lanes(); ++lane) {
    if (scene.ready.depth(lane) == 0) continue;
    QueueId queue = scene.ready.queue(lane);
    const Queue& of = scene.queues.at(queue);
    Front front = scene.ready.front(lane, of.spec.aging);
    if (best && front.urgency > best_front.urgency) continue;
    if (of.may_grant(scene.now) == 0) continue;
    if (!anyone_for(scene, scene.ready.key(lane), front.entry->range, front.urgency.due_ns))
      continue;
    best = Pick{0, lane, queue, front.priority, 0, {}};
    best_front = front;
  }
  if (best) place(scene, *best, best_front);
  return best;
}

namespace {

// A worker's capacity goes to whatever is most urgent in any lane that it serves.
bool compete(const std::vector<WorkerLoad>& workers, const LaneKey& one, const LaneKey& other) {
  return std::any_of(workers.begin(), workers.end(), [&](const WorkerLoad& worker) {
    return serves(*worker.spec, one) && serves(*worker.spec, other);
  });
}

// Keeps those of `left` that pass; false, with the kind noted, if that is none.
template <class Passes>
bool step(std::vector<const WorkerLoad*>& left, Wait& wait, WaitKind otherwise, Passes passes) {
  wait.workers = static_cast<uint32_t>(left.size());
  wait.kind = otherwise;
  std::erase_if(left, [&](const WorkerLoad* worker) { return !passes(*worker); });
  return !left.empty();
}

std::optional<WaitKind> held_by_queue(const Queue& queue, Instant now) {
  if (queue.spec.paused) return WaitKind::paused;
  if (queue.full()) return WaitKind::queue_full;
  if (queue.may_grant(now) == 0) return WaitKind::rate;
  return std::nullopt;
}

// What a queue holds back stands in nobody's way.
uint64_t ahead_of(const Scene& scene, LaneId lane, int priority, const QueuePlace& place) {
  const LaneKey& key = scene.ready.key(lane);
  Urgency mine = urgency(priority, place.since, place.sequence,
                         scene.queues.at(scene.ready.queue(lane)).spec.aging);
  uint64_t ahead = place.items_before;
  for (LaneId other = 0; other < scene.ready.lanes(); ++other) {
    if (scene.ready.depth(other) == 0) continue;
    const Queue& queue = scene.queues.at(scene.ready.queue(other));
    if (!held_by_queue(queue, scene.now) && compete(scene.workers, key, scene.ready.key(other)))
      ahead += scene.ready.depth_before(other, mine, queue.spec.aging);
  }
  return ahead;
}

// Why the front of a lane gets none of `workers`, of which some may hold more. A lane is first in, first out: what
// holds its front holds all of it.
WaitKind why_front_waits(const Scene& scene, LaneId lane,
                         const std::vector<const WorkerLoad*>& workers) {
  const LaneKey& key = scene.ready.key(lane);
  Front front = scene.ready.front(lane, scene.queues.at(scene.ready.queue(lane)).spec.aging);
  int64_t due_ns = front.urgency.due_ns;
  auto has_room = [&](const WorkerLoad* worker) { return room(*worker, key) > 0; };
  if (std::none_of(workers.begin(), workers.end(), has_room)) return WaitKind::no_room;
  bool barred = std::none_of(workers.begin(), workers.end(), [&](const WorkerLoad* worker) {
    return has_room(worker) && due_ns <= worker->bar_ns;
  });
  if (barred) return WaitKind::elsewhere;
  return anyone_for(scene, key, front.entry->range, due_ns) ? WaitKind::no_credit : WaitKind::apart;
}

}  // namespace

Wait explain(const Scene& scene, LaneId lane, int priority, const TaskKey& task) {
  const LaneKey& key = scene.ready.key(lane);
  Wait wait;
  std::vector<const WorkerLoad*> left;
  for (const WorkerLoad& worker : scene.workers) left.push_back(&worker);
  auto spec = [&](bool (*passes)(const WorkerSpec&, const LaneKey&)) {
    return [&key, passes](const WorkerLoad& worker) { return passes(*worker.spec, key); };
  };
  if (!step(left, wait, WaitKind::no_worker, [](const WorkerLoad&) { return true; }) ||
      !step(left, wait, WaitKind::no_capability, spec(runs)) ||
      !step(left, wait, WaitKind::no_queue, spec(takes_from)) ||
      !step(left, wait, WaitKind::no_label, spec(obeys)) ||
      !step(left, wait, WaitKind::too_large, spec(large_enough)))
    return wait;
  wait.workers = static_cast<uint32_t>(left.size());
  for (const WorkerLoad* worker : left) wait.outstanding += worker->outstanding;
  QueuePlace place = scene.ready.place_of(lane, priority, task).value_or(QueuePlace{});
  wait.ahead = ahead_of(scene, lane, priority, place);
  if (auto held = held_by_queue(scene.queues.at(scene.ready.queue(lane)), scene.now)) {
    wait.kind = *held;
    return wait;
  }
  if (!step(left, wait, WaitKind::suspect, [](const WorkerLoad& w) { return !w.suspect; }))
    return wait;
  if (std::any_of(left.begin(), left.end(), [&](auto* worker) { return places(*worker, key) > 0; }))
    wait.kind = why_front_waits(scene, lane, left);
  else
    wait.kind = WaitKind::no_credit;
  if (wait.kind == WaitKind::no_credit && wait.ahead > 0) wait.kind = WaitKind::behind;
  return wait;
}

}  // namespace pawl
