#include "pawl/cli/history_text.h"

#include "pawl/cli/report.h"
#include "pawl/cli/style.h"

namespace pawl::cli {
namespace {

class Teller {
 public:
  explicit Teller(const ExecutionDetail& detail) : detail_(detail) {}

  std::string operator()(const ExecutionSubmitted& e) const {
    return e.request_id.empty() ? "submitted" : "submitted, request id " + tame(e.request_id);
  }
  std::string operator()(const EvaluationStarted& e) const {
    switch (e.purpose) {
      case EvaluationPurpose::condition:
        return node(e.node) + ": its condition is evaluated";
      case EvaluationPurpose::items:
        return node(e.node) + ": its items are evaluated";
      case EvaluationPurpose::output:
        break;
    }
    return "the output is evaluated";
  }
  std::string operator()(const NodeActivated& e) const {
    bool one = e.items_count == 1 && !mapped(e.node);
    return node(e.node) + ": ready" + (one ? "" : ", " + with_commas(e.items_count) + " items");
  }
  std::string operator()(const NodeSkipped& e) const {
    const char* why = "what it needs has failed";
    if (e.reason == SkipReason::condition_false) why = "its condition does not hold";
    if (e.reason == SkipReason::needs_skipped) why = "what it needs was skipped";
    return node(e.node) + ": skipped, " + why;
  }
  std::string operator()(const NodeParked& e) const {
    return node(e.node) + ": parked: " + tame(e.error);
  }
  std::string operator()(const AttemptsGranted& e) const {
    return tasks(e.range) + ": attempt " + std::to_string(e.attempt) + " granted" +
           (e.reason == GrantReason{} ? "" : " (" + why(e.reason) + ")");
  }
  std::string operator()(const AttemptsSucceeded& e) const {
    return tasks(e.range) + ": attempt " + std::to_string(e.attempt) + " succeeded";
  }
  std::string operator()(const AttemptFailed& e) const {
    std::string line = tasks(e.range);
    if (recalled(e)) return line + ": attempt " + std::to_string(e.attempt) + " " + tame(e.error);
    line += e.attempt == 0 ? ": " : ": attempt " + std::to_string(e.attempt) + " failed: ";
    line += tame(in_words(Cause{e.kind, e.exit_code, e.error}));
    if (e.disposition == Disposition::retry) return line + "; will be tried again";
    if (e.disposition == Disposition::again) return line + "; tried again at once";
    return line + "; now a dead letter";
  }
  std::string operator()(const RetryReleased& e) const { return tasks(e.range) + ": ready again"; }
  std::string operator()(const DeadLettersRedriven& e) const {
    return tasks(e.range) + ": redriven";
  }
  std::string operator()(const DeadLettersDiscarded& e) const {
    return tasks(e.range) + ": discarded";
  }
  std::string operator()(const NodeRedriven& e) const { return node(e.node) + ": redriven"; }
  std::string operator()(const NodeDiscarded& e) const { return node(e.node) + ": discarded"; }
  std::string operator()(const TaskCancelled& e) const {
    return tasks({e.task.execution, e.task.node, e.task.item, e.task.item + 1}) + ": cancelled" +
           because(e.reason);
  }
  std::string operator()(const ExecutionCancelled& e) const {
    return "cancelled" + because(e.reason);
  }
  std::string operator()(const ExecutionParked&) const {
    return "parked: nothing can move until its dead letters are redriven or discarded";
  }
  std::string operator()(const ExecutionEnded& e) const {
    return std::string(name(e.status)) + (e.error.empty() ? "" : ": " + tame(e.error));
  }
  std::string operator()(const ExecutionQuarantined& e) const {
    return "quarantined: " + tame(e.error);
  }
  std::string operator()(const EpochStarted&) const { return "a new process took over"; }
  std::string operator()(const WorkflowRegistered&) const { return "its workflow was registered"; }
  std::string operator()(const SessionOpened& e) const {
    return "worker " + tame(e.worker.name) + " connected";
  }
  std::string operator()(const SessionClosed& e) const {
    return "a worker has gone" + because(e.reason);
  }
  std::string operator()(const ExecutionForgotten&) const { return "forgotten"; }
  std::string operator()(const QueueConfigured& e) const {
    return "queue " + tame(e.queue.name) + " is set to " + name(e.queue.strategy);
  }
  std::string operator()(const OutboxEnqueued&) const { return "a message to another partition"; }
  std::string operator()(const InboxAccepted&) const { return "a message of another partition"; }

 private:
  // "least_loaded 750"
  static std::string why(const GrantReason& reason) {
    return std::string(name(reason.cause)) + " " + std::to_string(reason.detail);
  }
  bool mapped(NodeIndex index) const {
    return index < detail_.nodes.size() && detail_.nodes[index].mapped;
  }
  std::string node(NodeIndex index) const {
    return index < detail_.nodes.size() ? detail_.nodes[index].id : "node " + std::to_string(index);
  }
  std::string tasks(const TaskRange& range) const {
    return task_name(node(range.node), range.begin, range.end, mapped(range.node));
  }
  static std::string because(const std::string& reason) {
    return reason.empty() ? "" : ": " + tame(reason);
  }

  const ExecutionDetail& detail_;
};

}  // namespace

std::string event_line(const Event& event, const ExecutionDetail& detail) {
  return std::visit(Teller(detail), event);
}

}  // namespace pawl::cli
