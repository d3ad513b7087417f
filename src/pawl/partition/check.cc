// Cross-checks of the state against itself: after every step in tests and simulation.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "pawl/partition/describe.h"
#include "pawl/partition/held_bytes.h"

namespace pawl {
namespace {

std::string describe(const Execution& execution, NodeIndex node, const char* what) {
  return to_text(execution.id) + "/" + execution.definition(node).id + ": " + what;
}

// What the executions hold together.
struct Held {
  std::map<SessionId, uint64_t> items;
  std::map<SessionId, std::map<LaneId, uint64_t>> lanes;
  std::map<SessionId, std::map<std::string, uint64_t>> resources;
  std::map<QueueId, uint64_t> of_queues;
  uint64_t nodes = 0;
};

std::string check_node(const State& state, const Execution& execution, NodeIndex node, Held& held) {
  const NodeRun& run = execution.nodes[node];
  uint32_t open = 0;
  uint32_t parked = 0;
  uint32_t waiting = 0;
  if (run.work) {
    ItemIndex end = 0;
    for (const OpenRange& range : run.work->open) {
      if (range.span.begin < end) return describe(execution, node, "open ranges overlap");
      if (!state.sessions.contains(range.session))
        return describe(execution, node, "an attempt belongs to no connected worker");
      end = range.span.end;
      open += range.span.end - range.span.begin;
      uint64_t items = range.span.end - range.span.begin;
      held.items[range.session] += items;
      held.lanes[range.session][execution.plan->lanes[node]] += items;
      held.of_queues[execution.plan->queues[node]] += items;
      for (const Amount& one : execution.definition(node).placement.resources)
        held.resources[range.session][one.name] += one.amount * items;
    }
    for (const auto& [begin, entry] : run.work->stories.entries()) {
      if (entry.story.status == TaskStatus::parked) parked += entry.end - begin;
      if (entry.story.status == TaskStatus::ready || entry.story.status == TaskStatus::backing_off)
        waiting += entry.end - begin;
    }
  }
  if (open > 0) {
    uint32_t at = run.work->granted_at;
    if (at >= state.granted.size() || state.granted[at] != NodeKey{execution.id, node})
      return describe(execution, node, "the index of open attempts is wrong");
    ++held.nodes;
  }
  if (run.status != NodeStatus::active) {
    if (open > 0) return describe(execution, node, "open attempts of a node that is not active");
    return "";
  }
  if (parked != run.parked) return describe(execution, node, "parked tasks are miscounted");
  // Every task has exactly one place: the next event of each non-terminal one is armed.
  uint32_t fresh = 0;
  for (ItemIndex at = run.next_fresh; at < run.items_count;) {
    ItemIndex end = run.work ? run.work->stories.next_from(at, run.items_count) : run.items_count;
    fresh += end - at;
    at = end < run.items_count ? run.work->stories.run_end(end, run.items_count) : end;
  }
  if (fresh + open + parked + waiting + run.ended() != run.items_count)
    return describe(execution, node, "a task is in no place, or in two");
  return "";
}

std::string check_execution(const State& state, const Execution& execution, Held& held) {
  uint32_t moving = 0;
  uint32_t left = 0;
  for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
    const NodeRun& run = execution.nodes[node];
    if (!is_terminal(run.status)) ++left;
    bool evaluating = is_evaluating(run.status);
    if (evaluating || (run.status == NodeStatus::active && !run.stuck())) ++moving;
    uint32_t needs = 0;
    for (NodeIndex need : execution.definition(node).needs) {
      if (!is_terminal(execution.nodes[need].status)) ++needs;
    }
    if (needs != run.needs_left) return describe(execution, node, "needs are miscounted");
    if (std::string wrong = check_node(state, execution, node, held); !wrong.empty()) return wrong;
  }
  if (left != execution.nodes_left) return to_text(execution.id) + ": open nodes are miscounted";
  if (moving != execution.moving) return to_text(execution.id) + ": moving nodes are miscounted";
  bool stalled = !execution.ended_already() && moving == 0 && !execution.evaluating_output &&
                 execution.status == ExecutionStatus::running;
  if (stalled) return to_text(execution.id) + ": nothing of it can move, and it is not parked";
  return "";
}

std::string check_lanes(const Session& session, const std::map<LaneId, uint64_t>& held) {
  std::map<LaneId, uint64_t> counted;
  for (const LaneItems& one : session.lanes) counted[one.lane] += one.items;
  if (counted == held) return "";
  return "worker " + session.worker.name + ": what it holds of a lane is miscounted";
}

std::string check_resources(const Session& session, std::map<std::string, uint64_t>& held) {
  const WorkerSpec& worker = session.worker;
  for (size_t i = 0; i < worker.capacity.size(); ++i) {
    const Amount& offered = worker.capacity[i];
    if (session.taken[i] != held[offered.name])
      return "worker " + worker.name + ": its " + offered.name + " is miscounted";
    if (session.taken[i] > offered.amount)
      return "worker " + worker.name + ": more " + offered.name + " is taken than there is";
    held.erase(offered.name);
  }
  if (!held.empty())
    return "worker " + worker.name + " holds tasks that need " + held.begin()->first +
           ", of which it has none";
  return "";
}

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

// What waits, by walking over everything.
std::map<std::string, QueueDetail> walk_queues(const State& state) {
  std::map<std::string, QueueDetail> of_queues;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (e->ended_already()) continue;
    for (NodeIndex node = 0; node < e->nodes.size(); ++node) {
      const NodeRun& run = e->nodes[node];
      QueueDetail& detail = of_queues[e->definition(node).queue];
      if (run.status == NodeStatus::parked) ++detail.parked;
      if (is_evaluating(run.status)) ++detail.evaluating;
      if (run.status != NodeStatus::active) continue;
      TaskCounts counts = count_tasks(run);
      detail.ready_at[e->definition(node).priority] += counts.ready;
      detail.backing_off += counts.backing_off;
      detail.parked += counts.parked;
      if (counts.ready > 0) detail.oldest = std::max(detail.oldest, state.now - oldest_ready(run));
    }
  }
  return of_queues;
}

std::string check_queues(const State& state) {
  std::map<std::string, QueueDetail> walked = walk_queues(state);
  for (const QueueDetail& kept : list_queues(state).queues) {
    const QueueDetail& found = walked[kept.spec.name];
    const char* wrong = kept.ready_at != found.ready_at         ? "ready"
                        : kept.backing_off != found.backing_off ? "backing off"
                        : kept.evaluating != found.evaluating   ? "evaluating"
                        : kept.parked != found.parked           ? "parked"
                                                                : nullptr;
    if (wrong != nullptr)
      return "queue " + kept.spec.name + ": its " + wrong + " tasks are miscounted";
    if (kept.oldest != found.oldest)
      return "queue " + kept.spec.name + ": another task has waited longest";
  }
  return "";
}

// What the namespaces have is what there is.
std::string check_name_spaces(const State& state) {
  Counts sum;
  std::map<const NameSpace*, uint64_t> open;
  for (const auto& [name, one] : state.name_spaces) {
    open[&one] = one.counts.open();
    for (uint64_t Counts::*count : {&Counts::submitted, &Counts::succeeded, &Counts::failed,
                                    &Counts::cancelled, &Counts::forgotten, &Counts::quarantined})
      sum.*count += one.counts.*count;
  }
  if (sum != state.counts) return "the namespaces together do not have what all have";
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!e->ended_already()) --open[e->name_space];
  }
  for (const auto& [name_space, left] : open) {
    if (left != 0) return "the open executions of a namespace are miscounted: " + name_space->name;
  }
  return "";
}

// What holds the queues: executions that are open, and what configured them.
std::string check_plans(const State& state) {
  std::map<const Plan*, uint64_t> open;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1}))
    if (!e->ended_already()) ++open[e->plan];
  std::set<std::string> named = {QueueSpec{}.name};
  for (const auto& [id, plan] : state.workflows) {
    if (plan->open != open[plan.get()]) return "the open executions of a workflow are miscounted";
    size_t lanes = plan->open > 0 ? plan->workflow->nodes.size() : 0;
    if (plan->lanes.size() != lanes) return "a workflow has lanes that it does not need, or lacks";
    if (lanes > 0) named.insert(plan->waits_in.begin(), plan->waits_in.end());
  }
  for (const auto& [name, id] : state.queues.by_name()) {
    if (state.queues.at(id).spec.name != name) return "queue " + name + " is called otherwise";
    if (named.erase(name) == 0 && !state.queues.at(id).configured)
      return "nobody needs queue " + name;
  }
  return named.empty() ? "" : "there is no queue " + *named.begin();
}

}  // namespace

std::string inconsistency(const State& state) {
  Held held;
  uint64_t open = 0;
  uint64_t open_bytes = 0;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!e->ended_already()) {
      ++open;
      open_bytes += held_bytes(*e);
    }
    if (std::string wrong = check_execution(state, *e, held); !wrong.empty()) return wrong;
  }
  if (open != state.counts.open()) return "open executions are miscounted";
  if (state.live && open_bytes != state.open_bytes)
    return "the bytes of open executions are miscounted";
  if (held.nodes != state.granted.size()) return "nodes without open attempts count as granted";
  for (const auto& [id, session] : state.sessions) {
    if (held.items[id] != session.outstanding)
      return "a worker's outstanding grants are miscounted";
    if (std::string wrong = check_lanes(session, held.lanes[id]); !wrong.empty()) return wrong;
    if (std::string wrong = check_resources(session, held.resources[id]); !wrong.empty())
      return wrong;
  }
  for (const auto& [name, id] : state.queues.by_name()) {
    if (held.of_queues[id] != state.queues.at(id).granted)
      return "queue " + name + ": its granted tasks are miscounted";
  }
  if (std::string wrong = state.live ? check_queues(state) : ""; !wrong.empty()) return wrong;
  if (std::string wrong = check_plans(state); !wrong.empty()) return wrong;
  return check_name_spaces(state);
}

}  // namespace pawl
