#include "pawl/partition/step.h"

namespace pawl {
namespace {

void release_retry(Step& step, const Timer& timer) {
  const Execution* execution = step.state().executions.find(timer.task.execution);
  if (execution == nullptr || execution->ended_already()) return;
  const NodeRun& run = execution->nodes[timer.task.node];
  if (run.status != NodeStatus::active) return;
  const Story* story = run.work->stories.find(timer.task.item);
  if (story == nullptr || story->status != TaskStatus::backing_off || story->retry_at != timer.at)
    return;
  ItemIndex end = run.work->stories.run_end(timer.task.item, run.items_count);
  step.emit(RetryReleased{{timer.task.execution, timer.task.node, timer.task.item, end}});
}

// Parks what has been ready for longer than the node allows.
void expire_waiting(Step& step, const Timer& timer) {
  const Execution* execution = step.state().executions.find(timer.task.execution);
  if (execution == nullptr || execution->ended_already()) return;
  NodeIndex node = timer.task.node;
  const NodeRun& run = execution->nodes[node];
  if (run.status != NodeStatus::active) return;
  Instant limit = step.state().now - execution->definition(node).timeout.queue;
  std::vector<ItemSpan> expired;
  ItemIndex at = run.next_fresh;
  while (run.since <= limit && at < run.items_count) {
    ItemIndex end = run.work ? run.work->stories.next_from(at, run.items_count) : run.items_count;
    if (end > at) expired.push_back({at, end});
    at = end < run.items_count ? run.work->stories.run_end(end, run.items_count) : end;
  }
  if (run.work) {
    for (const auto& [begin, entry] : run.work->stories.entries()) {
      if (entry.story.status == TaskStatus::ready && entry.story.since <= limit)
        expired.push_back({begin, entry.end});
    }
  }
  for (ItemSpan span : expired) {
    AttemptFailed event{{execution->id, node, span.begin, span.end},
                        0,
                        FailureKind::timeout,
                        0,
                        "waited longer than timeout.queue for a worker",
                        Disposition::park,
                        {}};
    step.emit(std::move(event));
  }
}

void expire_leases(Step& step) {
  std::vector<SessionId> expired;
  for (const auto& [id, session] : step.state().sessions) {
    if (session.heard + session.worker.lease <= step.state().now) expired.push_back(id);
  }
  close_sessions(step, expired, "its lease ran out");
}

}  // namespace

void forget_timer(Step& step, const Timer& timer) {
  step.state_.timers.erase(timer);
}

Reply on(Step& step, const Tick& command) {
  const State& state = step.state();
  if (command.late > Duration{}) excuse(step, command.late);
  while (!state.timers.empty() && state.timers.begin()->at <= state.now) {
    Timer timer = *state.timers.begin();
    forget_timer(step, timer);
    if (timer.kind == TimerKind::retry) {
      release_retry(step, timer);
    } else {
      expire_waiting(step, timer);
    }
  }
  expire_leases(step);
  forget_recall_due(step);
  return {};
}

}  // namespace pawl
