#include "pawl/partition/edit.h"

#include <algorithm>

#include "pawl/partition/checkpoint.h"
#include "pawl/partition/held_bytes.h"
#include "pawl/partition/readiness.h"

namespace pawl {

Execution& find_execution(State& state, ExecutionId id) {
  Execution* execution = state.executions.find(id);
  PAWL_CHECK(execution != nullptr, "an event names an execution that does not exist");
  if (execution->changed_for == state.checkpoint_number) return *execution;
  if (execution->changed_for != 0) {
    PAWL_CHECK(state.checkpoint != nullptr, "a change that its checkpoint has not taken");
    state.checkpoint->before_change(*execution);
  }
  execution->changed_for = state.checkpoint_number;
  state.dirty.push_back(id);
  return *execution;
}

NodeEdit::NodeEdit(State& state, Execution& execution, NodeIndex node)
    : state_(state),
      execution_(execution),
      node_(node),
      run_(execution.nodes.at(node)),
      moved_before_(moves()),
      terminal_before_(is_terminal(run_.status)),
      evaluating_before_(is_evaluating(run_.status)),
      waiting_before_(waiting()),
      parked_before_(parked()),
      held_before_(held_bytes(run_)) {}

// Its tasks that are ready, granted or backing off.
uint64_t NodeEdit::waiting() const {
  return run_.status == NodeStatus::active ? run_.items_count - run_.ended() - run_.parked : 0;
}

uint64_t NodeEdit::parked() const {
  if (run_.status == NodeStatus::parked) return 1;
  return run_.status == NodeStatus::active ? run_.parked : 0;
}

bool NodeEdit::moves() const {
  return is_evaluating(run_.status) || (run_.status == NodeStatus::active && !run_.stuck());
}

NodeEdit::~NodeEdit() {
  bool moves_now = moves();
  if (moves_now && !moved_before_) ++execution_.moving;
  if (!moves_now && moved_before_) --execution_.moving;
  if (moves_now && execution_.status == ExecutionStatus::parked)
    execution_.status = ExecutionStatus::running;
  if (!terminal_before_ && is_terminal(run_.status)) {
    --execution_.nodes_left;
    for (NodeIndex dependent : execution_.plan->workflow->dependents[node_]) {
      if (--execution_.nodes[dependent].needs_left == 0 && state_.live)
        state_.undecided.push_back({execution_.id, dependent});
    }
  }
  if (!state_.live) return;
  if (execution_.moving == 0) state_.unsettled.push_back(execution_.id);
  ready_tasks(state_, execution_, node_) += waiting() - waiting_before_;
  Queue& queue = state_.queues.at(execution_.plan->queues[node_]);
  queue.parked += parked() - parked_before_;
  queue.evaluating += uint64_t{is_evaluating(run_.status)} - uint64_t{evaluating_before_};
  state_.open_bytes += held_bytes(run_) - held_before_;
}

void NodeEdit::count_back_off(uint64_t tasks, bool begins) {
  if (!state_.live) return;
  uint64_t more = begins ? tasks : -tasks;
  state_.queues.at(execution_.plan->queues[node_]).backing_off += more;
  ready_tasks(state_, execution_, node_) -= more;
}

void NodeEdit::drop_back_offs() {
  for (const auto& [begin, entry] : work().stories.entries()) {
    if (entry.story.status == TaskStatus::backing_off) count_back_off(entry.end - begin, false);
  }
}

NodeWork& NodeEdit::work() {
  if (!run_.work) run_.work = std::make_unique<NodeWork>();
  return *run_.work;
}

void NodeEdit::become(NodeStatus status) {
  run_.status = status;
  run_.since = state_.now;
}

void NodeEdit::end_if_complete() {
  if (run_.status != NodeStatus::active || run_.ended() != run_.items_count) return;
  if (run_.failed > 0) {
    become(NodeStatus::failed);
  } else if (run_.cancelled > 0 && run_.cancelled == run_.items_count) {
    become(NodeStatus::cancelled);
  } else {
    become(NodeStatus::succeeded);
  }
  if (run_.work) {
    PAWL_CHECK(run_.work->open.empty(), "a node ended with open attempts");
    run_.work->context.reset();
  }
}

OpenRange NodeEdit::close(ItemSpan span) {
  SmallVector<OpenRange>& open = work().open;
  OpenRange* it =
      std::upper_bound(open.begin(), open.end(), span.begin,
                       [](ItemIndex item, const OpenRange& o) { return item < o.span.end; });
  PAWL_CHECK(it != open.end() && it->span.begin <= span.begin && span.end <= it->span.end,
             "an attempt ended that was not open");
  OpenRange closed = *it;
  closed.span = span;
  OpenRange right = *it;
  right.span.begin = span.end;
  it->span.end = span.begin;
  if (it->span.begin == it->span.end && right.span.begin == right.span.end) {
    open.erase(it);
  } else if (it->span.begin == it->span.end) {
    *it = right;
  } else if (right.span.begin != right.span.end) {
    open.insert(it + 1, right);
  }
  if (open.empty()) delist(state_, work());
  release(state_, execution_, node_, closed.session, span.end - span.begin);
  return closed;
}

void NodeEdit::make_ready(ItemSpan span, AttemptNumber attempts) {
  if (!state_.live) return;
  state_.ready.push(execution_.plan->lanes[node_], execution_.definition(node_).priority,
                    {{execution_.id, node_, span.begin, span.end}, attempts + 1, state_.now});
  arm_queue_timeout(state_.now);
}

void NodeEdit::put_back(ItemSpan span, AttemptNumber attempts, Instant since, SessionId meant_for) {
  if (!state_.live) return;
  TaskRange tasks{execution_.id, node_, span.begin, span.end};
  state_.ready.put_back(execution_.plan->lanes[node_], execution_.definition(node_).priority,
                        {tasks, attempts + 1, since, 0, meant_for});
  arm_queue_timeout(since);
}

void NodeEdit::arm_queue_timeout(Instant since) {
  Duration most = execution_.definition(node_).timeout.queue;
  if (most.ns > 0)
    state_.timers.insert({since + most, TimerKind::queue_timeout, {execution_.id, node_, 0}});
}

void NodeEdit::arm_retry(ItemSpan span, Instant at) {
  if (state_.live) state_.timers.insert({at, TimerKind::retry, {execution_.id, node_, span.begin}});
}

}  // namespace pawl
