#include "pawl/partition/readiness.h"

#include <algorithm>

namespace pawl {

ItemSpan ready_span(const NodeRun& run, const TaskRange& range, AttemptNumber attempt) {
  ItemIndex at = range.begin;
  while (at < range.end) {
    const Story* story = run.work ? run.work->stories.find(at) : nullptr;
    if (story != nullptr) {
      ItemIndex end = run.work->stories.run_end(at, range.end);
      if (story->status == TaskStatus::ready && story->attempts + 1 == attempt) return {at, end};
      at = end;
      continue;
    }
    ItemIndex end = run.work ? run.work->stories.next_from(at, range.end) : range.end;
    if (attempt != 1) return {};
    at = std::max(at, run.next_fresh);
    if (at < end) return {at, end};
    at = end;
  }
  return {};
}

namespace {

bool is_stale(const State& state, const ReadyEntry& entry) {
  const Execution* execution = state.executions.find(entry.range.execution);
  if (execution == nullptr) return true;
  const NodeRun& run = execution->nodes[entry.range.node];
  if (run.status != NodeStatus::active) return true;
  ItemSpan span = ready_span(run, entry.range, entry.attempt);
  return span.begin >= span.end;
}

}  // namespace

void drop_stale(State& state) {
  for (LaneId lane = 0; lane < state.ready.lanes(); ++lane) {
    for (int priority = 0; priority < priority_levels; ++priority) {
      const std::deque<ReadyEntry>& waiting = state.ready.entries(lane, priority);
      while (!waiting.empty() && is_stale(state, waiting.front()))
        state.ready.take(lane, priority, waiting.front().range.size());
    }
  }
}

uint64_t& ready_tasks(State& state, const Execution& execution, NodeIndex node) {
  Queue& queue = state.queues.at(execution.plan->queues[node]);
  return queue.ready_at[execution.definition(node).priority];
}

}  // namespace pawl
