// Who could work, and what waits for it: workers and queues.

#include <algorithm>

#include "pawl/partition/describe.h"
#include "pawl/partition/readiness.h"
#include "pawl/partition/scene.h"

namespace pawl {
namespace {

// Since when tasks have been ready that the entry was made for; never() if none of them is any more.
Instant waits_since(const State& state, const ReadyEntry& entry) {
  const Execution* execution = state.executions.find(entry.range.execution);
  if (execution == nullptr) return Instant::never();
  const NodeRun& run = execution->nodes[entry.range.node];
  TaskRange rest = entry.range;
  while (run.status == NodeStatus::active) {
    ItemSpan span = ready_span(run, rest, entry.attempt);
    if (span.begin >= span.end) break;
    const Story* story = run.work ? run.work->stories.find(span.begin) : nullptr;
    if ((story != nullptr ? story->since : run.since) == entry.since) return entry.since;
    rest.begin = span.end;
  }
  return Instant::never();
}

// Entries of a level came in the order of time, so the first that holds is the oldest.
Instant oldest_at(const State& state, LaneId lane, int priority) {
  for (const ReadyEntry& entry : state.ready.entries(lane, priority)) {
    Instant since = waits_since(state, entry);
    if (since != Instant::never()) return since;
  }
  return Instant::never();
}

void find_oldest(const State& state, std::vector<QueueDetail>& of_queues) {
  for (LaneId lane = 0; lane < state.ready.lanes(); ++lane) {
    if (state.ready.depth(lane) == 0) continue;
    QueueDetail& detail = of_queues[state.ready.queue(lane)];
    for (int priority = 0; priority < priority_levels; ++priority) {
      Instant since = oldest_at(state, lane, priority);
      if (since != Instant::never()) detail.oldest = std::max(detail.oldest, state.now - since);
    }
  }
}

}  // namespace

QueueList list_queues(const State& state) {
  std::vector<QueueDetail> details(state.queues.ids());
  for (const auto& [name, id] : state.queues.by_name()) {
    const Queue& queue = state.queues.at(id);
    QueueDetail& detail = details[id];
    detail.spec = queue.spec;
    detail.ready = queue.ready();
    detail.ready_at = queue.ready_at;
    detail.granted = queue.granted;
    detail.backing_off = queue.backing_off;
    detail.evaluating = queue.evaluating;
    detail.parked = queue.parked;
    detail.redelivered = queue.redelivered;
    for (const auto& [session, one] : state.sessions) {
      LaneKey lane;
      lane.queue = name;
      if (takes_from(one.worker, lane)) ++detail.workers;
    }
  }
  find_oldest(state, details);
  QueueList list;
  for (const auto& [name, id] : state.queues.by_name())
    list.queues.push_back(std::move(details[id]));
  return list;
}

WorkerList list_workers(const State& state) {
  WorkerList list;
  for (const auto& [id, session] : state.sessions) {
    WorkerDetail& detail = list.workers.emplace_back();
    detail.session = id;
    detail.worker = session.worker;
    detail.outstanding = session.outstanding;
    detail.usage = session.usage;
    detail.silent = state.now - session.heard;
    detail.suspect = suspect_from(session) <= state.now;
    for (size_t i = 0; i < session.taken.size(); ++i) {
      const Amount& offered = session.worker.capacity[i];
      detail.free.push_back({offered.name, offered.amount - session.taken[i]});
    }
  }
  return list;
}

}  // namespace pawl
