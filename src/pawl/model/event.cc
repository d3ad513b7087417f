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
