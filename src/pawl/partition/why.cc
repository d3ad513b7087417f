// Why something does not run, in the scheduler's own terms.

#include <algorithm>
#include <array>

#include "pawl/model/permille.h"
#include "pawl/partition/describe.h"
#include "pawl/partition/scene.h"

namespace pawl {
namespace {

constexpr size_t reasons_max = 20;

// A command to be pasted: a shell would take the brackets of e17/count[42] for a pattern.
std::string redrive_or_discard(const std::string& subject) {
  bool item = subject.find('[') != std::string::npos;
  const std::string what = item ? "'" + subject + "'" : subject;
  return "fix the cause, then `pawl dead-letters redrive " + what +
         "`; or give it up with `pawl dead-letters discard " + what + "`";
}

std::string progress(const NodeRun& run) {
  std::string text = name(run.status);
  if (run.status != NodeStatus::active) return text;
  TaskCounts counts = count_tasks(run);
  if (counts.running > 0) {
    text = "running";
  } else if (run.stuck()) {
    text = "parked";
  } else {
    text = counts.backing_off > 0 && counts.ready == 0 ? "backing off" : "ready";
  }
  if (run.items_count > 1)
    text +=
        " (" + std::to_string(run.ended()) + " of " + std::to_string(run.items_count) + " ended)";
  return text;
}

Why waits_for_needs(const Execution& execution, NodeIndex node) {
  Why why{WhyCode::needs, subject_of(execution, node), "it waits for ", ""};
  uint32_t named = 0;
  uint32_t open = 0;
  for (NodeIndex need : execution.definition(node).needs) {
    const NodeRun& run = execution.nodes[need];
    if (is_terminal(run.status) || ++open > 3) continue;
    why.reason +=
        (named++ == 0 ? "" : "; ") + execution.definition(need).id + ", which is " + progress(run);
    if (why.remedy.empty())
      why.remedy = "`pawl why " + subject_of(execution, need) + "` says what holds that up";
  }
  if (open > named) why.reason += "; and " + std::to_string(open - named) + " more";
  return why;
}

// In the largest unit that leaves no rest.
std::string size_text(uint64_t bytes) {
  const char* unit = "B";
  for (const char* larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    unit = larger;
  }
  return std::to_string(bytes) + unit;
}

// "cpu 0.5, memory 4GiB, gpu 1": as a workflow says it.
std::string in_words(const Amounts& amounts) {
  std::string text;
  for (const Amount& one : amounts) {
    std::string amount = std::to_string(one.amount);
    if (one.name == "cpu") amount = permille_text(one.amount);
    if (one.name == "memory") amount = size_text(one.amount);
    text += (text.empty() ? "" : ", ") + one.name + " " + amount;
  }
  return text;
}

std::string required_labels(const Placement& placement) {
  std::string text;
  for (const PlacementRule& rule : placement.rules) {
    if (rule.kind != RuleKind::require && rule.kind != RuleKind::forbid) continue;
    text += (text.empty() ? "" : ", ") + rule.label +
            (rule.kind == RuleKind::require ? "=" : "!=") + rule.value;
  }
  return text;
}

// What has to be told apart to say why a ready task waits.
struct Waiting {
  const Node& node;
  const Wait& wait;
  std::string kind;   // "process tasks"
  std::string tasks;  // "it is"
  std::string those;  // "2 workers that can run process tasks"
  std::string place;  // "next, but "
};

struct Told {
  WhyCode code;
  std::string reason;
  std::string remedy;
};

Told tell_nobody_serves(const Waiting& w) {
  const Placement& placement = w.node.placement;
  std::string queue = "queue " + w.node.queue;
  switch (w.wait.kind) {
    case WaitKind::no_worker:
      return {WhyCode::no_worker, "no worker is connected", "start a worker"};
    case WaitKind::no_queue:
      return {WhyCode::no_queue, "none of " + w.those + " serves " + queue,
              "start a worker that serves " + queue};
    case WaitKind::no_label:
      return {WhyCode::no_label, "none of " + w.those + " has " + required_labels(placement),
              "start a worker with these labels, or change the node's affinity"};
    case WaitKind::too_large:
      return {WhyCode::too_large,
              "none of " + w.those + " is large enough, even when empty: it needs " +
                  in_words(placement.resources),
              "start a worker with that capacity, or let the node ask for less"};
    default:
      break;
  }
  return {WhyCode::no_capability,
          "none of " + counted(w.wait.workers, "connected worker") + " runs " + w.kind,
          "start a worker that runs " + w.kind};
}

Told tell_queue_holds(const Waiting& w, const Queue& queue) {
  const std::string& name = w.node.queue;
  const std::string set = "`pawl queue set " + name + " ";
  if (w.wait.kind == WaitKind::paused)
    return {WhyCode::queue_paused, "queue " + name + " is paused", set + "--resume`"};
  if (w.wait.kind == WaitKind::queue_full)
    return {WhyCode::queue_full,
            "queue " + name + " runs " + counted(queue.granted + queue.granted_elsewhere, "task") +
                " of at most " + std::to_string(queue.spec.concurrency_max),
            "wait until one ends, or " + set + "--concurrency N`"};
  return {WhyCode::queue_rate,
          "queue " + name + " starts at most " + permille_text(queue.spec.rate_permille) +
              " tasks per second",
          "wait, or " + set + "--rate N`"};
}

Told tell_waits(const Waiting& w, const Queue& queue) {
  std::string hold = w.wait.workers == 1 ? " holds " : " hold ";
  std::string busy = w.those + hold + counted(w.wait.outstanding, "task") + ", all allowed";
  switch (w.wait.kind) {
    case WaitKind::paused:
    case WaitKind::queue_full:
    case WaitKind::rate:
      return tell_queue_holds(w, queue);
    case WaitKind::suspect:
      return {WhyCode::suspect,
              "the " + w.those + (w.wait.workers == 1 ? " has" : " have") +
                  " not been heard from lately",
              "wait until they are heard again, or start another worker"};
    case WaitKind::no_room:
      return {WhyCode::no_room,
              w.place + "too little is free on the " + w.those + " for " +
                  in_words(w.node.placement.resources),
              "wait until a task ends, or start another worker"};
    case WaitKind::apart:
      return {WhyCode::apart,
              w.place + "tasks of its node run on every " + name(w.node.placement.apart) +
                  " of the " + w.those,
              std::string("wait until one of them ends, or start ") +
                  (w.node.placement.apart == Apart::zone ? "a worker in another zone"
                                                         : "another worker")};
    case WaitKind::elsewhere:
      return {WhyCode::elsewhere,
              w.place + "the " + w.those + " first " + (w.wait.workers == 1 ? "gets" : "get") +
                  " more urgent tasks of another partition",
              "wait, start another worker, or give the node a higher priority (it has " +
                  std::to_string(w.node.priority) + ")"};
    case WaitKind::no_credit:
      return {WhyCode::no_credit, w.place + "the " + busy,
              "wait until a task ends, or start another worker"};
    case WaitKind::behind:
      return {WhyCode::behind, w.place + "the " + busy,
              "start another worker, or give the node a higher priority (it has " +
                  std::to_string(w.node.priority) + ")"};
    default:
      return tell_nobody_serves(w);
  }
}

Why waits_for_worker(const State& state, const Execution& execution, NodeIndex node, ItemIndex item,
                     std::string subject, const std::string& tasks) {
  std::vector<WorkerLoad> workers = worker_loads(state);
  StateFacts facts(state);
  Scene scene{state.ready, state.queues, workers, facts, state.now};
  const Node& definition = execution.definition(node);
  LaneId lane = execution.plan->lanes[node];
  Wait wait = explain(scene, lane, definition.priority, {execution.id, node, item});
  std::string kind = definition.type == NodeType::function
                         ? "function " + definition.function
                         : std::string(name(definition.type)) + " tasks";
  std::string those = counted(wait.workers, "worker") + " that can run " + kind;
  std::string place = wait.ahead == 0 ? "next, but "
                                      : "behind up to " + counted(wait.ahead, "task") +
                                            " of its priority or above, and ";
  Told told = tell_waits({definition, wait, kind, tasks, those, place},
                         state.queues.at(execution.plan->queues[node]));
  bool next = told.reason.starts_with("next");
  return {told.code, std::move(subject),
          tasks + (next ? " ready and " : " ready, but ") + told.reason, std::move(told.remedy)};
}

const OpenRange& open_range_of(const NodeRun& run, ItemIndex item) {
  const SmallVector<OpenRange>& open = run.work->open;
  const OpenRange* found = std::find_if(open.begin(), open.end(), [&](const OpenRange& one) {
    return one.span.begin <= item && item < one.span.end;
  });
  PAWL_CHECK(found != open.end(), "a granted task without an open attempt");
  return *found;
}

// What the worker's silence, or the task's own limits, will do to the attempt.
std::string ends_by(const State& state, const Session& session, const Timeouts& limits) {
  std::string text;
  if (session.worker.lease != Duration::forever()) {
    Duration left = session.heard + session.worker.lease - state.now;
    text += state.now >= suspect_from(session)
                ? "; the worker has not been heard from lately: in " + in_words(left) +
                      " its lease is over, and another gets the task"
                : "; its lease has " + in_words(left) + " left, and is renewed as it is heard";
  }
  if (limits.run.ns > 0) text += "; timeout.run allows it " + in_words(limits.run);
  if (limits.heartbeat.ns > 0)
    text += "; timeout.heartbeat allows " + in_words(limits.heartbeat) + " without progress";
  return text;
}

std::string percent(uint64_t permille) {
  return std::to_string(permille / 10) + "%";
}

std::string in_words(const GrantReason& reason) {
  switch (reason.cause) {
    case GrantCause::only:
      return "no other could take it then";
    case GrantCause::preferred:
      return "it meets " + counted(reason.detail, "preference") + " of its node, more than others";
    case GrantCause::least_loaded:
      return percent(reason.detail) + " of its credit was free, the largest share";
    case GrantCause::turn:
      return "it was its turn among " + std::to_string(reason.detail);
    case GrantCause::weight:
      return "it was its turn by its weight of " + std::to_string(reason.detail);
    case GrantCause::key:
      return "its key belongs there" +
             (reason.detail > 0 ? ", past " + counted(reason.detail, "full worker") : "");
    case GrantCause::packed:
      return "it was left with the least, " + percent(reason.detail) + " of its scarcest resource";
    case GrantCause::spread:
      return "it was left with the most, " + percent(reason.detail) + " of its scarcest resource";
    case GrantCause::recalled:
      return "it had a free slot, and another worker, which had not begun it, gave it back";
  }
  return name(reason.cause);
}

// Where, since when, for how long still, and why there. Of many, `item` is told of.
Why why_running(const State& state, const Execution& execution, NodeIndex node, ItemIndex item,
                std::string subject, uint64_t count) {
  const OpenRange& open = open_range_of(execution.nodes[node], item);
  const Session& session = state.sessions.at(open.session);
  const Node& definition = execution.definition(node);
  const Queue& queue = state.queues.at(execution.plan->queues[node]);
  const bool many = count > 1;
  const uint64_t held = session.outstanding + session.elsewhere.items;
  const bool may_wait = held > session.worker.slots;  // which of them it has begun, it alone knows
  std::string reason = (many ? counted(count, "task") + " are" : "it is") +
                       (may_wait ? " granted, " : " running, ") +
                       (many ? "item " + std::to_string(item) + " as " : "") + "attempt " +
                       std::to_string(open.attempt) + (may_wait ? ", to worker " : ", on worker ") +
                       session.worker.name;
  if (!session.worker.zone.empty()) reason += " in zone " + session.worker.zone;
  reason += ", which got it " + in_words(state.now - open.since) + " ago because " +
            in_words(open.reason);
  if (may_wait)
    reason += "; that holds " + counted(held, "task") + " for " +
              counted(session.worker.slots, "slot") + ", and may not have begun this one";
  reason += ends_by(state, session, definition.timeout);
  reason += "; queue " + definition.queue + " places by " + name(queue.spec.strategy);
  if (!definition.placement.rules.empty()) reason += " among those that its affinity allows";
  std::string what = subject_of(execution, node, item);
  if (definition.mapped()) what = "'" + what + "'";
  return {WhyCode::running, std::move(subject), std::move(reason),
          "wait until it ends; `pawl cancel " + what +
              "` ends it; another worker gets it once this one is lost or sends it back"};
}

// An earlier attempt that is no failure of its own: it was lost, or given back.
std::string came_back(const Story* story, bool many) {
  if (many || story == nullptr || !story->cause) return "";
  FailureKind kind = story->cause->kind;
  if (kind != FailureKind::lost && kind != FailureKind::declined) return "";
  return "; the attempt before does not count: " + describe(*story->cause);
}

// What a group of tasks of one node, all in one status, waits for. `first` stands for all.
Why why_tasks(const State& state, const Execution& execution, NodeIndex node, TaskStatus status,
              uint64_t count, ItemIndex first) {
  const NodeRun& run = execution.nodes[node];
  bool many = count > 1;
  std::string subject = many ? subject_of(execution, node) : subject_of(execution, node, first);
  std::string tasks = many ? counted(count, "task") + " are" : "it is";
  const Story* story = run.work ? run.work->stories.find(first) : nullptr;
  std::string failed = story && story->cause ? describe(*story->cause) : "";
  switch (status) {
    case TaskStatus::ready: {
      Why why = waits_for_worker(state, execution, node, first, std::move(subject), tasks);
      why.reason += came_back(story, many);
      return why;
    }
    case TaskStatus::granted: {
      Why why = why_running(state, execution, node, first, std::move(subject), count);
      why.reason += came_back(story, many);
      return why;
    }
    case TaskStatus::backing_off:
      return {WhyCode::backing_off, std::move(subject),
              tasks + " tried again in " + in_words(story->retry_at - state.now) + " (attempt " +
                  std::to_string(story->attempts) + " failed: " + failed + ")",
              "wait; it needs nobody"};
    case TaskStatus::parked:
      return {WhyCode::dead_letter, subject,
              tasks + (many ? " dead letters" : " a dead letter") + " after " +
                  counted(story->attempts, "attempt") + ": " + failed,
              redrive_or_discard(subject)};
    case TaskStatus::cancelled:
      return {WhyCode::cancelled, std::move(subject), tasks + " cancelled", ""};
    case TaskStatus::succeeded:
    case TaskStatus::failed:
      break;
  }
  return {WhyCode::ended, std::move(subject), tasks + " over: " + name(status), ""};
}

struct Group {
  uint64_t count = 0;
  ItemIndex first = 0;
};

// The open tasks of an active node by status. Of those backing off, the one due
// first stands for all.
std::array<Group, 4> open_groups(const NodeRun& run) {
  std::array<Group, 4> groups;
  auto put = [&](TaskStatus status, ItemIndex begin, ItemIndex end) {
    Group& group = groups.at(static_cast<size_t>(status));
    if (group.count == 0 || begin < group.first) group.first = begin;
    group.count += end - begin;
  };
  ItemIndex at = run.next_fresh;
  while (at < run.items_count) {
    ItemIndex end = run.work ? run.work->stories.next_from(at, run.items_count) : run.items_count;
    if (end > at) put(TaskStatus::ready, at, end);
    at = end < run.items_count ? run.work->stories.run_end(end, run.items_count) : end;
  }
  if (!run.work) return groups;
  for (const OpenRange& range : run.work->open)
    put(TaskStatus::granted, range.span.begin, range.span.end);
  Instant soonest = Instant::never();
  ItemIndex soonest_item = 0;
  for (const auto& [begin, entry] : run.work->stories.entries()) {
    TaskStatus status = entry.story.status;
    if (is_terminal(status) || status == TaskStatus::granted) continue;
    put(status, begin, entry.end);
    if (status != TaskStatus::backing_off || entry.story.retry_at >= soonest) continue;
    soonest = entry.story.retry_at;
    soonest_item = begin;
  }
  groups[static_cast<size_t>(TaskStatus::backing_off)].first = soonest_item;
  return groups;
}

Why why_skipped(const Execution& execution, NodeIndex node) {
  Why why{WhyCode::skipped, subject_of(execution, node), "", ""};
  switch (execution.nodes[node].skip_reason) {
    case SkipReason::condition_false:
      why.reason = "it was skipped: its condition is false";
      break;
    case SkipReason::needs_skipped:
      why.reason = "it was skipped: all it needs were skipped";
      break;
    case SkipReason::needs_failed:
      why.reason = "it was skipped: something it needs did not succeed";
      break;
  }
  return why;
}

std::vector<Why> why_node(const State& state, const Execution& execution, NodeIndex node) {
  const NodeRun& run = execution.nodes[node];
  std::string subject = subject_of(execution, node);
  switch (run.status) {
    case NodeStatus::waiting:
      if (run.needs_left > 0) return {waits_for_needs(execution, node)};
      return {{WhyCode::evaluating, subject, "all it needs have ended; it is decided next", ""}};
    case NodeStatus::evaluating_condition:
      return {{WhyCode::evaluating, subject, "its condition (when) is being worked out", ""}};
    case NodeStatus::evaluating_items:
      return {{WhyCode::evaluating, subject, "its items (for_each) are being worked out", ""}};
    case NodeStatus::parked:
      return {{WhyCode::evaluation_failed, subject, run.work->error, redrive_or_discard(subject)}};
    case NodeStatus::skipped:
      return {why_skipped(execution, node)};
    case NodeStatus::cancelled:
      return {{WhyCode::cancelled, subject, "it was cancelled", ""}};
    case NodeStatus::succeeded:
    case NodeStatus::failed:
      return {{WhyCode::ended, subject, std::string("it has ") + name(run.status), ""}};
    case NodeStatus::active:
      break;
  }
  std::vector<Why> reasons;
  std::array<Group, 4> groups = open_groups(run);
  for (size_t status = 0; status < groups.size(); ++status) {
    const Group& group = groups.at(status);
    if (group.count > 0)
      reasons.push_back(why_tasks(state, execution, node, static_cast<TaskStatus>(status),
                                  group.count, group.first));
  }
  return reasons;
}

std::vector<Why> why_ended(const Execution& execution) {
  std::string id = to_text(execution.id);
  if (execution.status == ExecutionStatus::quarantined)
    return {{WhyCode::quarantined, id, "it is quarantined: " + execution.error,
             "look at `pawl history " + id +
                 "` for what it has done, then submit it again with a new request id; and report "
                 "the event as a bug of Pawl"}};
  bool cancelled = execution.status == ExecutionStatus::cancelled;
  std::string reason =
      cancelled ? std::string("it was cancelled") : std::string("it has ") + name(execution.status);
  if (!execution.error.empty()) reason += ": " + execution.error;
  return {{cancelled ? WhyCode::cancelled : WhyCode::ended, to_text(execution.id), reason, ""}};
}

// Nodes that wait for nothing but other open nodes are no reason of their own: they are counted
// after those that hold them up.
std::vector<Why> why_execution(const State& state, const Execution& execution) {
  if (execution.ended_already()) return why_ended(execution);
  if (execution.evaluating_output)
    return {{WhyCode::evaluating, to_text(execution.id), "its output is being worked out", ""}};
  std::vector<Why> reasons;
  uint64_t left_out = 0;
  uint64_t waiting = 0;
  std::string first_waiting;
  for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
    const NodeRun& run = execution.nodes[node];
    if (is_terminal(run.status)) continue;
    if (run.status == NodeStatus::waiting && run.needs_left > 0) {
      if (waiting++ < 3)
        first_waiting += (waiting == 1 ? "" : ", ") + execution.definition(node).id;
      continue;
    }
    for (Why& why : why_node(state, execution, node)) {
      if (reasons.size() + 1 < reasons_max) {
        reasons.push_back(std::move(why));
      } else {
        ++left_out;
      }
    }
  }
  if (waiting > 3) first_waiting += ", ...";
  std::string rest;
  if (left_out > 0) rest = counted(left_out, "more reason") + " like these";
  if (waiting > 0)
    rest += (rest.empty() ? "" : "; ") + counted(waiting, "node") +
            (waiting == 1 ? " waits" : " wait") + " for them: " + first_waiting;
  if (!rest.empty())
    reasons.push_back(
        {waiting > 0 ? WhyCode::needs : reasons.back().code, to_text(execution.id), rest, ""});
  return reasons;
}

}  // namespace

const char* name(WhyCode code) {
  switch (code) {
    case WhyCode::ended:
      return "ended";
    case WhyCode::needs:
      return "needs";
    case WhyCode::evaluating:
      return "evaluating";
    case WhyCode::no_worker:
      return "no_worker";
    case WhyCode::no_capability:
      return "no_capability";
    case WhyCode::no_queue:
      return "no_queue";
    case WhyCode::no_label:
      return "no_label";
    case WhyCode::too_large:
      return "too_large";
    case WhyCode::queue_paused:
      return "queue_paused";
    case WhyCode::queue_full:
      return "queue_full";
    case WhyCode::queue_rate:
      return "queue_rate";
    case WhyCode::suspect:
      return "suspect";
    case WhyCode::no_room:
      return "no_room";
    case WhyCode::apart:
      return "apart";
    case WhyCode::elsewhere:
      return "elsewhere";
    case WhyCode::no_credit:
      return "no_credit";
    case WhyCode::behind:
      return "behind";
    case WhyCode::running:
      return "running";
    case WhyCode::backing_off:
      return "backing_off";
    case WhyCode::dead_letter:
      return "dead_letter";
    case WhyCode::evaluation_failed:
      return "evaluation_failed";
    case WhyCode::skipped:
      return "skipped";
    case WhyCode::cancelled:
      return "cancelled";
    case WhyCode::quarantined:
      return "quarantined";
  }
  return "unknown";
}

QueryResult explain_query(const State& state, const Explain& query) {
  const Execution& execution = *state.executions.find(query.execution);
  if (query.node.empty()) return WhyList{why_execution(state, execution)};
  auto node = find_node(execution, query.node);
  if (!node.ok()) return node.error();
  const NodeRun& run = execution.nodes[*node];
  // A node that has no tasks (yet) answers for each of them.
  if (!query.item || run.items_count == 0) return WhyList{why_node(state, execution, *node)};
  if (auto exists = check_item(execution, *node, *query.item); !exists.ok()) return exists.error();
  return WhyList{
      {why_tasks(state, execution, *node, task_status(run, *query.item), 1, *query.item)}};
}

}  // namespace pawl
