#include "pawl/schedule/rebalance.h"

#include <algorithm>
#include <optional>

namespace pawl {
namespace {

// Whether tasks of the lane may change their worker at all.
bool movable(const LaneKey& lane, const QueueSpec& queue) {
  return !lane.placement.key && lane.placement.apart == Apart::no && !queue.paused &&
         queue.rate_permille == 0 && queue.strategy != Strategy::pack;
}

bool bears_more(const WorkerLoad& a, const WorkerLoad& b) {
  return uint64_t{a.outstanding} * b.spec->slots > uint64_t{b.outstanding} * a.spec->slots;
}

// So many that both bear as much per slot.
uint64_t evening(const WorkerLoad& from, const WorkerLoad& to) {
  uint64_t more = uint64_t{from.outstanding} * to.spec->slots;
  uint64_t less = uint64_t{to.outstanding} * from.spec->slots;
  return more > less ? (more - less) / (uint64_t{from.spec->slots} + to.spec->slots) : 0;
}

class Evening {
 public:
  Evening(const ReadyQueue& ready, const QueueTable& queues, std::vector<WorkerLoad>& workers,
          std::vector<Burden>& burdens)
      : ready_(ready), workers_(workers), burdens_(burdens) {
    std::vector<bool> seen(ready.lanes());
    for (size_t i = 0; i < workers.size(); ++i) {
      if (!may_give(i)) continue;
      for (const LaneItems& held : *burdens[i].lanes) {
        if (seen[held.lane]) continue;
        seen[held.lane] = true;
        if (movable(ready.key(held.lane), queues.at(ready.queue(held.lane)).spec))
          lanes_.push_back(held.lane);
      }
    }
  }

  std::vector<Relief> run() {
    std::vector<Relief> reliefs;
    for (size_t to = 0; to < workers_.size() && !lanes_.empty(); ++to) {
      // Where more urgent tasks of another partition wait, there is no lack of work.
      while (workers_[to].idle() > 0 && workers_[to].bar_ns == INT64_MAX) {
        if (reliefs.size() == reliefs_max) return reliefs;
        std::optional<Relief> relief = relieve(to);
        if (!relief) break;
        workers_[to].outstanding += relief->items;
        burdens_[relief->from].askable = false;
        reliefs.push_back(*std::move(relief));
      }
    }
    return reliefs;
  }

 private:
  bool may_give(size_t worker) const {
    return burdens_[worker].askable && burdens_[worker].own > 0 && !workers_[worker].suspect &&
           workers_[worker].waiting() > 0;
  }

  // What `from` holds that `to` may have. `rooms`: of `to`, parallel to lanes_.
  Relief offer(size_t from, size_t to, const std::vector<uint32_t>& rooms) const {
    Relief some{from, to, 0, {}};
    uint32_t least_room = UINT32_MAX;
    for (const LaneItems& held : *burdens_[from].lanes) {
      auto place = std::find(lanes_.begin(), lanes_.end(), held.lane);
      if (place == lanes_.end()) continue;
      uint32_t room = rooms[static_cast<size_t>(place - lanes_.begin())];
      const Placement& placement = ready_.key(held.lane).placement;
      if (room == 0 ||
          preference(*workers_[to].spec, placement) < preference(*workers_[from].spec, placement))
        continue;
      some.items += held.items;
      some.lanes.push_back(held.lane);
      least_room = std::min(least_room, room);
    }
    some.items = std::min(some.items, least_room);
    return some;
  }

  std::optional<Relief> relieve(size_t to) const {
    std::vector<uint32_t> rooms;
    for (LaneId lane : lanes_) rooms.push_back(pawl::room(workers_[to], ready_.key(lane)));
    if (std::all_of(rooms.begin(), rooms.end(), [](uint32_t room) { return room == 0; }))
      return std::nullopt;
    std::optional<Relief> best;
    for (size_t from = 0; from < workers_.size(); ++from) {
      if (from == to || !may_give(from)) continue;
      if (best && !bears_more(workers_[from], workers_[best->from])) continue;
      Relief relief = offer(from, to, rooms);
      if (relief.items > 0) best = std::move(relief);
    }
    if (best) best->items = std::min(best->items, share_of(*best));
    return best;
  }

  // Several partitions recall from one worker, each by its part of what the worker holds.
  uint32_t share_of(const Relief& relief) const {
    const WorkerLoad& from = workers_[relief.from];
    uint64_t items = std::min<uint64_t>(evening(from, workers_[relief.to]), from.waiting());
    uint64_t share = (items * burdens_[relief.from].own + from.outstanding - 1) / from.outstanding;
    return static_cast<uint32_t>(std::max<uint64_t>(share, 1));
  }

  const ReadyQueue& ready_;
  std::vector<WorkerLoad>& workers_;
  std::vector<Burden>& burdens_;
  std::vector<LaneId> lanes_;  // held by somebody who may give, and movable
};

}  // namespace

bool uneven(const std::vector<WorkerLoad>& workers) {
  bool idle = false;
  bool waiting = false;
  for (const WorkerLoad& worker : workers) {
    idle |= worker.idle() > 0;
    waiting |= worker.waiting() > 0 && !worker.suspect;
  }
  return idle && waiting;
}

std::vector<Relief> even_out(const ReadyQueue& ready, const QueueTable& queues,
                             std::vector<WorkerLoad>& workers, std::vector<Burden>& burdens) {
  return Evening(ready, queues, workers, burdens).run();
}

}  // namespace pawl
