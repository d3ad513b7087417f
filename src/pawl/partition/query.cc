#include "pawl/partition/query.h"

#include <algorithm>

#include "pawl/partition/describe.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

void add(TaskCounts& sum, const TaskCounts& part) {
  sum.total += part.total;
  sum.ready += part.ready;
  sum.running += part.running;
  sum.backing_off += part.backing_off;
  sum.parked += part.parked;
  sum.succeeded += part.succeeded;
  sum.failed += part.failed;
  sum.cancelled += part.cancelled;
}

}  // namespace

Trace trace_of(const State& state, const Execution& execution) {
  return execution.trace ? *execution.trace : derived_trace(state.cluster, execution.id);
}

ExecutionSummary summarise(const State& state, const Execution& execution) {
  const Workflow& workflow = *execution.plan->workflow;
  ExecutionSummary summary{execution.id,
                           workflow.name,
                           workflow.version,
                           execution.status,
                           execution.started,
                           execution.ended,
                           execution.error,
                           execution.labels,
                           {},
                           execution.name_space->name,
                           trace_id_text(trace_of(state, execution).id)};
  for (const NodeRun& run : execution.nodes) add(summary.tasks, count_tasks(run));
  return summary;
}

bool belongs(const Execution& execution, const std::string& name_space) {
  return name_space.empty() || execution.name_space->name == name_space;
}

namespace {

// The newest failure of a task that has not succeeded since.
std::string newest_error(const NodeRun& run) {
  if (!run.work) return "";
  if (run.status == NodeStatus::parked || !run.work->error.empty()) return run.work->error;
  const Story* newest = nullptr;
  for (const auto& [begin, entry] : run.work->stories.entries()) {
    const Story& story = entry.story;
    if (!story.cause || story.status == TaskStatus::succeeded) continue;
    if (newest == nullptr || newest->since <= story.since) newest = &story;
  }
  return newest ? describe(*newest->cause) : "";
}

AttemptNumber most_attempts(const NodeRun& run) {
  if (!run.work) return 0;
  bool granted = !run.work->open.empty() || run.work->done.count() > 0;
  AttemptNumber most = granted ? 1 : 0;
  for (const auto& [begin, entry] : run.work->stories.entries())
    most = std::max(most, entry.story.attempts);
  return most;
}

NodeDetail detail_of(const Execution& execution, NodeIndex index) {
  const Node& node = execution.definition(index);
  const NodeRun& run = execution.nodes[index];
  NodeDetail detail;
  detail.id = node.id;
  detail.type = node.type;
  detail.mapped = node.mapped();
  detail.status = run.status;
  detail.skip_reason = run.skip_reason;
  detail.tasks = count_tasks(run);
  for (NodeIndex need : node.needs) detail.needs.push_back(execution.definition(need).id);
  detail.attempts = most_attempts(run);
  detail.last_attempt = run.last_attempt;
  detail.error = newest_error(run);
  if (run.work && !node.mapped()) detail.output = run.work->output;
  return detail;
}

QueryResult reply(const State& state, const GetExecution& query, const std::string&) {
  const Execution* execution = state.executions.find(query.execution);
  if (execution == nullptr) return unknown_execution(state, query.execution);
  ExecutionDetail detail{summarise(state, *execution), execution->input, execution->output, {}};
  detail.nodes.reserve(execution->nodes.size());
  for (NodeIndex i = 0; i < execution->nodes.size(); ++i)
    detail.nodes.push_back(detail_of(*execution, i));
  return detail;
}

QueryResult reply(const State& state, const ListExecutions& query, const std::string& name_space) {
  ExecutionList list;
  uint64_t id = state.last_execution;
  if (query.before && query.before.value <= id) id = query.before.value - 1;
  for (; id > 0 && list.executions.size() < query.limit; --id) {
    const Execution* execution = state.executions.find(ExecutionId{id});
    if (execution == nullptr || (query.status && execution->status != *query.status)) continue;
    if (!belongs(*execution, name_space)) continue;
    list.executions.push_back(summarise(state, *execution));
  }
  return list;
}

QueryResult reply(const State& state, const GetTask& query, const std::string&) {
  const Execution* execution = state.executions.find(query.execution);
  if (execution == nullptr) return unknown_execution(state, query.execution);
  auto node = find_node(*execution, query.node);
  if (!node.ok()) return node.error();
  if (auto exists = check_item(*execution, *node, query.item); !exists.ok()) return exists.error();
  const NodeRun& run = execution->nodes[*node];
  TaskDetail detail;
  detail.task = {execution->id, *node, query.item};
  detail.node = query.node;
  detail.status = task_status(run, query.item);
  detail.attempts = attempts_of(run, query.item);
  const Story* story = run.work ? run.work->stories.find(query.item) : nullptr;
  if (story != nullptr) {
    detail.failures = story->failures;
    if (story->cause) detail.cause = *story->cause;
    if (detail.status == TaskStatus::backing_off)
      detail.retry_in = std::max(Duration{}, story->retry_at - state.now);
  }
  if (detail.status == TaskStatus::succeeded)
    detail.output =
        run.work->mapped ? run.work->mapped->outputs->get(query.item) : run.work->output;
  if (query.message) detail.context = make_context(state, *execution, *node, {});
  return detail;
}

void collect_letters(const Execution& execution, uint32_t limit, std::vector<DeadLetter>& found) {
  for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
    const NodeRun& run = execution.nodes[i];
    if (found.size() >= limit) return;
    if (run.status == NodeStatus::parked)
      found.push_back({{execution.id, i, 0, 0},
                       execution.definition(i).id,
                       0,
                       {FailureKind::expression, 0, run.work->error}});
    if (run.parked == 0) continue;
    for (const auto& [begin, entry] : run.work->stories.entries()) {
      if (entry.story.status != TaskStatus::parked) continue;
      if (found.size() >= limit) return;
      found.push_back({{execution.id, i, begin, entry.end},
                       execution.definition(i).id,
                       entry.story.attempts,
                       entry.story.cause ? *entry.story.cause : Cause{}});
    }
  }
}

QueryResult reply(const State& state, const ListDeadLetters& query, const std::string& name_space) {
  DeadLetterList list;
  if (query.execution) {
    const Execution* execution = state.executions.find(query.execution);
    if (execution == nullptr) return unknown_execution(state, query.execution);
    collect_letters(*execution, query.limit, list.letters);
    return list;
  }
  for (const Execution* e = state.executions.next({1});
       e != nullptr && list.letters.size() < query.limit;
       e = state.executions.next({e->id.value + 1})) {
    if (!e->ended_already() && belongs(*e, name_space))
      collect_letters(*e, query.limit, list.letters);
  }
  return list;
}

QueryResult reply(const State& state, const Explain& query, const std::string&) {
  if (state.executions.find(query.execution) == nullptr)
    return unknown_execution(state, query.execution);
  return explain_query(state, query);
}

QueryResult reply(const State& state, const GetOverview&, const std::string& name_space) {
  Overview overview;
  overview.workers = state.sessions.size();
  auto tenant = state.name_spaces.find(name_space);
  if (name_space.empty()) overview.counts = state.counts;
  if (tenant != state.name_spaces.end()) overview.counts = tenant->second.counts;
  if (name_space.empty()) {
    overview.executions = state.executions.size();
    overview.open_bytes = state.open_bytes;
    overview.open_bytes_max = state.limits.open_bytes_max;
    for (const QueueDetail& queue : list_queues(state).queues) {
      overview.ready += queue.ready;
      overview.running += queue.granted;
      overview.parked += queue.parked;
    }
    return overview;
  }
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!belongs(*e, name_space)) continue;
    ++overview.executions;
    for (const NodeRun& run : e->nodes) {
      overview.parked += run.parked + (run.status == NodeStatus::parked ? 1 : 0);
      if (run.status != NodeStatus::active) continue;
      // The queue itself may still hold what was cancelled or parked meanwhile.
      TaskCounts tasks = count_tasks(run);
      overview.ready += tasks.ready;
      overview.running += tasks.running;
    }
  }
  return overview;
}

WorkflowDetail describe(const Plan& plan) {
  const Workflow& workflow = *plan.workflow;
  WorkflowDetail detail{plan.id, workflow.name, workflow.version, plan.hash,
                        {},      plan.workflow, plan.name_space};
  for (const Node& node : workflow.nodes) detail.nodes.push_back(node.id);
  return detail;
}

bool is_called(const Workflow& workflow, std::string_view wanted) {
  if (workflow.name == wanted) return true;
  return wanted.size() == workflow.name.size() + 1 + workflow.version.size() &&
         wanted.starts_with(workflow.name) && wanted[workflow.name.size()] == '@' &&
         wanted.ends_with(workflow.version);
}

bool belongs(const Plan& plan, const std::string& name_space) {
  return name_space.empty() || plan.name_space == name_space;
}

QueryResult reply(const State& state, const GetWorkflow& query, const std::string& name_space) {
  for (auto it = state.workflows.rbegin(); it != state.workflows.rend(); ++it)
    if (belongs(*it->second, name_space) && is_called(*it->second->workflow, query.name))
      return describe(*it->second);
  return Error{Code::not_found, "no workflow \"" + query.name + "\" is registered"};
}

QueryResult reply(const State& state, const ListWorkflows& query, const std::string& name_space) {
  WorkflowList list;
  auto it = query.before ? state.workflows.lower_bound(query.before) : state.workflows.end();
  while (it != state.workflows.begin() && list.workflows.size() < query.limit)
    if (belongs(*(--it)->second, name_space)) list.workflows.push_back(describe(*it->second));
  return list;
}

QueryResult reply(const State& state, const ListQueues&, const std::string&) {
  return list_queues(state);
}

QueryResult reply(const State& state, const ListWorkers&, const std::string&) {
  return list_workers(state);
}

}  // namespace

QueryResult answer(const State& state, const Query& query, const std::string& name_space) {
  return std::visit([&](const auto& q) { return reply(state, q, name_space); }, query);
}

}  // namespace pawl
