// What the judge remembers of an execution: the plain values that the model (log_model.h) writes and
// everything that compares reads.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pawl/base/hash.h"
#include "pawl/base/time.h"
#include "pawl/model/event.h"
#include "pawl/model/workflow.h"
#include "pawl/partition/request.h"

namespace pawl::jq {
class Interpreter;
}

namespace pawl::sim {

enum class TaskState : uint8_t {
  ready,
  granted,
  backing_off,
  parked,
  succeeded,
  failed,
  cancelled
};
enum class NodeState : uint8_t {
  waiting,
  evaluating,
  active,
  parked,
  succeeded,
  failed,
  skipped,
  cancelled
};

struct TaskModel {
  TaskState state = TaskState::ready;
  AttemptNumber attempts = 0;
  uint32_t failures = 0;            // since it was redriven
  std::vector<FailureKind> failed;  // every one that counts
  SessionId session;
  uint64_t nonce = 0;
  const Node* node = nullptr;  // while granted: what it was granted for
  Instant since;               // of being ready
  Instant retry_at;
  std::string output = "null";  // JSON text

  bool ended() const { return state >= TaskState::succeeded; }
};

struct NodeModel {
  NodeState state = NodeState::waiting;
  SkipReason skip_reason = SkipReason::condition_false;
  uint64_t evaluating_since = 0;  // epoch
  bool activated = false;
  std::vector<TaskModel> tasks;

  bool ended() const { return state >= NodeState::succeeded; }
};

// Of an execution's history: where it stands in the log, and what it says there, with its clocks.
struct EventModel {
  HistoryPlace place;
  Hash128 said;
};
Hash128 digest_of(const Event& event, Instant now, WallTime wall);

struct ExecutionModel {
  WorkflowId workflow;
  WorkflowRef definition;
  jq::Interpreter* jq = nullptr;  // for expressions that are no path; null: there are none
  std::string name_space;
  std::string request_id;
  Hash128 payload_hash;
  std::string input;
  std::optional<pawl::Trace> trace;
  Payload output;
  ExecutionStatus status = ExecutionStatus::running;
  bool evaluating_output = false;
  std::vector<NodeModel> nodes;
  std::vector<EventModel> events;
  std::vector<BlobRef> payloads;  // that it refers to; none once it is forgotten
  uint64_t forgotten_at = 0;      // position; 0: it is not

  bool ended() const { return status >= ExecutionStatus::succeeded; }
  bool forgotten() const { return forgotten_at > 0; }
};

}  // namespace pawl::sim
