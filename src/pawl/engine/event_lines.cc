#include "pawl/engine/event_lines.h"

#include "pawl/model/labels.h"
#include "pawl/partition/query.h"

namespace pawl {
namespace {

constexpr const char* goodbye = "the worker said goodbye";

std::string items(const TaskRange& range) {
  if (range.size() == 1) return "";
  return "items " + std::to_string(range.begin) + " to " + std::to_string(range.end - 1) + ": ";
}

// Of a failure what Pawl itself has found out, not what the program wrote.
std::string how_failed(const AttemptFailed& event) {
  if (event.kind == FailureKind::exit_code) return "exit code " + std::to_string(event.exit_code);
  if (event.kind == FailureKind::signal)
    return "killed by signal " + std::to_string(event.exit_code);
  return name(event.kind);
}

}  // namespace

struct EventLines::Writer {
  EventLines& to;
  const State& state;
  std::vector<LogLine>& lines;

  bool wanted(LogLevel level) const { return to.telemetry_.logs(level); }

  LogLine& add(LogLevel level, const char* event, std::string message) const {
    return lines.emplace_back(
        LogLine{.level = level, .event = event, .message = std::move(message)});
  }
  LogLine& add(LogLevel level, const char* event, ExecutionId id, std::string message) const {
    LogLine& line = add(level, event, std::move(message));
    line.execution = id;
    const Execution* execution = state.executions.find(id);
    if (execution == nullptr) return line;
    line.trace = trace_of(state, *execution).id;
    line.name_space = execution->name_space->name;
    line.user = submitter(execution->labels);
    return line;
  }
  LogLine& add(LogLevel level, const char* event, const TaskRange& range, AttemptNumber attempt,
               const std::string& message) const {
    LogLine& line = add(level, event, range.execution, items(range) + message);
    name_node(line, range.execution, range.node);
    const Execution* execution = state.executions.find(range.execution);
    bool mapped = execution != nullptr && execution->definition(range.node).mapped();
    if (mapped && range.size() == 1) line.item = range.begin;
    line.attempt = attempt;
    return line;
  }
  void name_node(LogLine& line, ExecutionId id, NodeIndex node) const {
    const Execution* execution = state.executions.find(id);
    if (execution != nullptr) line.node = execution->definition(node).id;
  }

  void operator()(const WorkflowRegistered& e) const {
    if (!wanted(LogLevel::info)) return;
    const Workflow& workflow = *state.workflows.at(e.workflow)->workflow;
    add(LogLevel::info, "workflow_registered", workflow.name + " " + workflow.version);
  }
  void operator()(const ExecutionSubmitted& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "execution_submitted", e.execution,
          state.workflows.at(e.workflow)->workflow->name);
  }
  void operator()(const ExecutionEnded& e) const {
    if (wanted(LogLevel::info)) add(LogLevel::info, "execution_ended", e.execution, name(e.status));
  }
  void operator()(const ExecutionCancelled& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "execution_ended", e.execution, name(ExecutionStatus::cancelled));
  }
  void operator()(const ExecutionParked& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "execution_parked", e.execution, "it waits for its dead letters");
  }
  void operator()(const ExecutionForgotten& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "execution_forgotten", e.execution, "forgotten");
  }
  void operator()(const NodeParked& e) const {
    if (!wanted(LogLevel::warn)) return;
    LogLine& line = add(LogLevel::warn, "dead_letter", e.execution,
                        "its condition or items could not be evaluated");
    name_node(line, e.execution, e.node);
  }
  void operator()(const AttemptsGranted& e) const {
    if (!wanted(LogLevel::debug)) return;
    LogLine& line = add(LogLevel::debug, "attempts_granted", e.range, e.attempt, "granted");
    line.worker = to.worker(e.session);
  }
  void operator()(const AttemptsSucceeded& e) const {
    if (wanted(LogLevel::debug))
      add(LogLevel::debug, "attempts_succeeded", e.range, e.attempt, "succeeded");
  }
  void operator()(const AttemptFailed& e) const {
    if (recalled(e)) {
      if (wanted(LogLevel::debug))
        add(LogLevel::debug, "attempts_recalled", e.range, e.attempt, e.error);
      return;
    }
    if (!wanted(LogLevel::warn)) return;
    if (wanted(LogLevel::info))
      add(LogLevel::info, "attempt_failed", e.range, e.attempt, how_failed(e));
    if (e.disposition == Disposition::park) {
      add(LogLevel::warn, "dead_letter", e.range, e.attempt, how_failed(e));
    } else if (wanted(LogLevel::info)) {
      bool later = e.disposition == Disposition::retry;
      int64_t wait = later ? (e.retry_at - state.now).whole_milliseconds() : 0;
      add(LogLevel::info, "retry_scheduled", e.range, e.attempt,
          "tried again in " + std::to_string(wait) + " ms");
    }
  }
  void operator()(const DeadLettersRedriven& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "dead_letter_redriven", e.range, 0, "it is tried again");
  }
  void operator()(const DeadLettersDiscarded& e) const {
    if (wanted(LogLevel::info))
      add(LogLevel::info, "dead_letter_discarded", e.range, 0, "it is given up");
  }
  void operator()(const SessionOpened& e) const {
    to.workers_[e.session] = e.worker.name;
    if (!wanted(LogLevel::info)) return;
    LogLine& line = add(LogLevel::info, "worker_joined",
                        "session " + std::to_string(e.session.value) + ", " +
                            std::to_string(e.worker.slots) + " slots");
    line.worker = e.worker.name;
  }
  void operator()(const SessionClosed& e) const {
    bool left = e.reason == goodbye || e.reason == process_ended_idle;
    LogLevel level = left ? LogLevel::info : LogLevel::warn;
    std::string worker = to.worker(e.session);
    to.workers_.erase(e.session);
    if (!wanted(level)) return;
    add(level, left ? "worker_drained" : "worker_lost",
        "session " + std::to_string(e.session.value) + ": " + e.reason)
        .worker = std::move(worker);
  }
  void operator()(const QueueConfigured& e) const {
    if (wanted(LogLevel::info)) add(LogLevel::info, "queue_configured", "queue " + e.queue.name);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

void EventLines::begin(const State& state) {
  for (const auto& [id, session] : state.sessions) workers_[id] = session.worker.name;
}

std::vector<LogLine> EventLines::of(const std::vector<Event>& events, const State& state) {
  std::vector<LogLine> lines;
  for (const Event& event : events) std::visit(Writer{*this, state, lines}, event);
  return lines;
}

std::string EventLines::worker(SessionId session) const {
  auto known = workers_.find(session);
  return known == workers_.end() ? "" : known->second;
}

LogLine EventLines::resumed(SessionId session) const {
  return {.level = LogLevel::info,
          .event = "worker_resumed",
          .message = "session " + std::to_string(session.value) + " goes on",
          .worker = worker(session)};
}

}  // namespace pawl
