#include "pawl/model/event.h"

namespace pawl {

const char* name(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::running:
      return "running";
    case ExecutionStatus::parked:
      return "parked";
    case ExecutionStatus::succeeded:
      return "succeeded";
    case ExecutionStatus::failed:
      return "failed";
    case ExecutionStatus::cancelled:
      return "cancelled";
    case ExecutionStatus::quarantined:
      return "quarantined";
  }
  return "unknown";
}

const char* name(SkipReason reason) {
  switch (reason) {
    case SkipReason::condition_false:
      return "condition_false";
    case SkipReason::needs_skipped:
      return "needs_skipped";
    case SkipReason::needs_failed:
      return "needs_failed";
  }
  return "unknown";
}

const char* name(Disposition disposition) {
  switch (disposition) {
    case Disposition::retry:
      return "retry";
    case Disposition::again:
      return "again";
    case Disposition::park:
      return "park";
  }
  return "unknown";
}

ExecutionId execution_of(const Event& event) {
  return std::visit(
      [](const auto& e) -> ExecutionId {
        if constexpr (requires { e.execution; }) {
          return e.execution;
        } else if constexpr (requires { e.range; }) {
          return e.range.execution;
        } else if constexpr (requires { e.task; }) {
          return e.task.execution;
        } else {
          return {};
        }
      },
      event);
}

}  // namespace pawl
