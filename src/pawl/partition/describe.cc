#include "pawl/partition/describe.h"

#include <algorithm>

namespace pawl {

TaskCounts count_tasks(const NodeRun& run) {
  TaskCounts counts;
  counts.total = run.items_count;
  counts.parked = run.parked;
  counts.succeeded = run.succeeded();
  counts.failed = run.failed;
  counts.cancelled = run.cancelled;
  if (run.status != NodeStatus::active) return counts;
  if (run.work) {
    for (const OpenRange& range : run.work->open)
      counts.running += range.span.end - range.span.begin;
    for (const auto& [begin, entry] : run.work->stories.entries()) {
      if (entry.story.status == TaskStatus::backing_off) counts.backing_off += entry.end - begin;
    }
  }
  counts.ready = counts.total - counts.running - counts.backing_off - counts.parked - run.ended();
  return counts;
}

namespace {

std::string what_failed(const Cause& cause) {
  switch (cause.kind) {
    case FailureKind::exit_code:
      return "exit code " + std::to_string(cause.exit_code);
    case FailureKind::signal:
      return "killed by signal " + std::to_string(cause.exit_code);
    default:
      break;
  }
  std::string text = name(cause.kind);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

}  // namespace

std::string describe(const Cause& cause) {
  std::string text = what_failed(cause);
  std::string line = cause.error.substr(0, cause.error.find('\n'));
  if (line.starts_with(text)) return line;  // it says so itself
  return line.empty() ? text : text + ": " + line;
}

std::string subject_of(const Execution& execution, NodeIndex node) {
  return to_text(execution.id) + "/" + execution.definition(node).id;
}

std::string subject_of(const Execution& execution, NodeIndex node, ItemIndex item) {
  std::string subject = subject_of(execution, node);
  if (execution.definition(node).mapped()) subject += "[" + std::to_string(item) + "]";
  return subject;
}

std::string counted(uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string in_words(Duration duration) {
  constexpr int64_t second = 1'000'000'000;
  int64_t ns = std::max<int64_t>(duration.ns, 0);
  // Rounded up: whoever waits that long has waited long enough.
  auto in = [ns](int64_t unit) { return std::to_string(ns / unit + (ns % unit > 0 ? 1 : 0)); };
  if (ns < second) return in(1'000'000) + " ms";
  if (ns < 120 * second) return in(second) + " s";
  if (ns < 7200 * second) return in(60 * second) + " min";
  return in(3600 * second) + " h";
}

Result<NodeIndex> find_node(const Execution& execution, const std::string& id) {
  const std::vector<Node>& nodes = execution.plan->workflow->nodes;
  std::string known;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (nodes[i].id == id) return i;
    if (i < 10) known += (i == 0 ? "" : ", ") + nodes[i].id;
  }
  if (nodes.size() > 10) known += ", ...";
  return Error{Code::not_found,
               to_text(execution.id) + " has no node \"" + id + "\"; its nodes are " + known};
}

Status check_item(const Execution& execution, NodeIndex node, ItemIndex item) {
  const NodeRun& run = execution.nodes[node];
  if (item < run.items_count) return {};
  std::string subject = subject_of(execution, node);
  if (run.items_count == 0)
    return Error{Code::failed_precondition, subject + " has no tasks: it is " + name(run.status)};
  return Error{Code::not_found, subject + " has items 0 to " + std::to_string(run.items_count - 1) +
                                    ", not " + std::to_string(item)};
}

Error unknown_execution(const State& state, ExecutionId id) {
  bool was_there = id && id.value <= state.last_execution;
  if (was_there) return {Code::not_found, to_text(id) + " has been forgotten"};
  return {Code::not_found, "no execution " + to_text(id) + "; `pawl list` shows those that exist"};
}

}  // namespace pawl
