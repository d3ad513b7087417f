// Who could work, and what waits for it: workers and queues.

#include <algorithm>

#include "pawl/partition/describe.h"
#include "pawl/partition/scene.h"

namespace pawl {
namespace {

// When the longest waiting of the node's ready tasks became ready; never() if none is.
Instant oldest_ready(const NodeRun& run) {
  Instant oldest = Instant::never();
  for (ItemIndex at = run.next_fresh; at < run.items_count;) {
    ItemIndex end = run.work ? run.work->stories.next_from(at, run.items_count) : run.items_count;
    if (end > at) oldest = run.since;
    at = end < run.items_count ? run.work->stories.run_end(end, run.items_count) : end;
  }
  if (!run.work) return oldest;
  for (const auto& [begin, entry] : run.work->stories.entries()) {
    if (entry.story.status == TaskStatus::ready) oldest = std::min(oldest, entry.story.since);
  }
  return oldest;
}

void count_waiting(const State& state, const Execution& execution,
                   std::vector<QueueDetail>& of_queues) {
  for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
    const NodeRun& run = execution.nodes[node];
    QueueDetail& detail = of_queues[execution.plan->queues[node]];
    if (run.status == NodeStatus::parked) ++detail.parked;
    if (run.status != NodeStatus::active) continue;
    TaskCounts counts = count_tasks(run);
    detail.ready += counts.ready;
    detail.ready_at[execution.definition(node).priority] += counts.ready;
    detail.backing_off += counts.backing_off;
    detail.parked += counts.parked;
    if (counts.ready > 0) detail.oldest = std::max(detail.oldest, state.now - oldest_ready(run));
  }
}

}  // namespace

QueueList list_queues(const State& state) {
  std::vector<QueueDetail> details(state.queues.by_name().size());
  for (const auto& [name, id] : state.queues.by_name()) {
    const Queue& queue = state.queues.at(id);
    QueueDetail& detail = details[id];
    detail.spec = queue.spec;
    detail.granted = queue.granted;
    detail.redelivered = queue.redelivered;
    for (const auto& [session, one] : state.sessions) {
      LaneKey lane;
      lane.queue = name;
      if (takes_from(one.worker, lane)) ++detail.workers;
    }
  }
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!e->ended_already()) count_waiting(state, *e, details);
  }
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
