// Events: what has been decided. They are the log's content and the only thing that changes state
// (evolve). A kind's number and fields never change once released; new kinds get new numbers.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "pawl/model/command.h"
#include "pawl/model/ids.h"
#include "pawl/model/message.h"
#include "pawl/model/payload.h"

namespace pawl {

// First event of every owner's reign: binds the log to its cluster, counts epochs.
struct EpochStarted {
  uint64_t epoch = 0;
  Hash128 cluster;
};

struct WorkflowRegistered {
  WorkflowId workflow;
  Bytes definition;
  std::string name_space = default_namespace;
};

struct ExecutionSubmitted {
  ExecutionId execution;
  WorkflowId workflow;
  std::string request_id;
  Hash128 payload_hash;
  Payload input;
  std::string labels;
  std::string name_space = default_namespace;
  std::optional<Trace> trace{};  // as given; without one: derived_trace()
};

// An expression outside plain paths was handed to the evaluator.
struct EvaluationStarted {
  ExecutionId execution;
  NodeIndex node = 0;
  EvaluationPurpose purpose = EvaluationPurpose::condition;
};

// The node's tasks exist now and are ready: one, or `items_count` of a mapped node.
struct NodeActivated {
  ExecutionId execution;
  NodeIndex node = 0;
  uint32_t items_count = 1;
  Payload items;  // encoded item list; absent: items are 0..n-1
};

enum class SkipReason : uint8_t { condition_false = 0, needs_skipped = 1, needs_failed = 2 };
const char* name(SkipReason reason);  // "needs_skipped"
struct NodeSkipped {
  ExecutionId execution;
  NodeIndex node = 0;
  SkipReason reason = SkipReason::condition_false;
};

// The node could not be activated (its `when` or `for_each` failed): parked as a whole.
struct NodeParked {
  ExecutionId execution;
  NodeIndex node = 0;
  std::string error;
};

struct SessionOpened {
  SessionId session;
  WorkerSpec worker;
};
// Comes after an AttemptFailed (lost) for each of its open attempts; any that is still open is lost
// with it.
struct SessionClosed {
  SessionId session;
  std::string reason;
};

struct AttemptsGranted {
  SessionId session;
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;
  GrantReason reason{};  // why this session's worker
};

struct AttemptsSucceeded {
  TaskRange range;
  AttemptNumber attempt = 1;
  std::vector<Payload> outputs;  // one per item, or empty when all are null
};

enum class Disposition : uint8_t {
  retry = 0,  // back off until retry_at, then ready again
  again = 1,  // ready at once; does not count as a failure
  park = 2,   // dead letter
};
const char* name(Disposition disposition);  // "retry"
struct AttemptFailed {
  TaskRange range;            // usually one task; a range for a queue timeout
  AttemptNumber attempt = 0;  // 0: was never granted (queue timeout)
  FailureKind kind = FailureKind::exit_code;
  int32_t exit_code = 0;
  std::string error;
  Disposition disposition = Disposition::park;
  Instant retry_at;
  Instant ready_since{};  // again: as old the tasks stay in their queue; 0: as new as the event
};
// Given back by a worker that had not begun it, because another had a free slot: nothing has failed.
inline bool recalled(const AttemptFailed& event) {
  return event.kind == FailureKind::declined && event.disposition == Disposition::again;
}

// Back-off is over.
struct RetryReleased {
  TaskRange range;
};

struct DeadLettersRedriven {
  TaskRange range;
};
struct DeadLettersDiscarded {
  TaskRange range;
};
// A parked node (NodeParked) gets another evaluation, or is given up.
struct NodeRedriven {
  ExecutionId execution;
  NodeIndex node = 0;
};
struct NodeDiscarded {
  ExecutionId execution;
  NodeIndex node = 0;
};

struct TaskCancelled {
  TaskKey task;
  std::string reason;
};
struct ExecutionCancelled {
  ExecutionId execution;
  std::string reason;
};

enum class ExecutionStatus : uint8_t {
  running = 0,
  parked = 1,  // nothing can move until a dead letter is redriven or discarded
  succeeded = 2,
  failed = 3,  // ended with a discarded dead letter
  cancelled = 4,
  quarantined = 5,  // one of its events ends every process that applies it
};
const char* name(ExecutionStatus status);  // "running"

struct ExecutionParked {
  ExecutionId execution;
};
struct ExecutionEnded {
  ExecutionId execution;
  ExecutionStatus status = ExecutionStatus::succeeded;
  Payload output;
  std::string error;  // failed: why, in one line
};

// Two processes have died of applying event `index` (from 0) of the group at `position`. Neither it
// nor any later event of its execution counts; a replay must know that before it comes there
// (quarantines_in() in wire/event_codec.h). Stands only in the first group of an owner's reign.
struct ExecutionQuarantined {
  ExecutionId execution;
  uint64_t position = 0;
  uint32_t index = 0;
  std::string error;
};

// Reserved for what crosses partitions: one id, an outbox event here and an inbox event there.
struct OutboxEnqueued {
  uint64_t id = 0;
  uint64_t destination = 0;
  Bytes content;
};
struct InboxAccepted {
  uint64_t id = 0;
  uint64_t source = 0;
  Bytes content;
};

// A request id has one effect while its execution exists, and at least so long after it was
// forgotten; running time, as every duration.
constexpr Duration request_kept_for = Duration::hours(7 * 24);

// The execution is gone, with its history and payloads. What is left is that its request id (hashed;
// zero: it had none) was used for this payload: see request_kept_for.
struct ExecutionForgotten {
  ExecutionId execution;
  Hash128 request;
  Hash128 payload_hash;
  std::string name_space = default_namespace;
};

// From here on the queue is handed out like this.
struct QueueConfigured {
  QueueSpec queue;
};

using Event =
    std::variant<EpochStarted, WorkflowRegistered, ExecutionSubmitted, EvaluationStarted,
                 NodeActivated, NodeSkipped, NodeParked, SessionOpened, SessionClosed,
                 AttemptsGranted, AttemptsSucceeded, AttemptFailed, RetryReleased,
                 DeadLettersRedriven, DeadLettersDiscarded, NodeRedriven, NodeDiscarded,
                 TaskCancelled, ExecutionCancelled, ExecutionParked, ExecutionEnded, OutboxEnqueued,
                 InboxAccepted, ExecutionForgotten, ExecutionQuarantined, QueueConfigured>;

// The execution an event belongs to; 0 for those of the partition itself.
ExecutionId execution_of(const Event& event);

// What one commit appends: the events of all commands that waited.
struct Group {
  uint64_t position = 0;  // groups are numbered 1, 2, 3 ...
  uint64_t epoch = 0;
  Instant now;  // duration clock when it was gathered
  WallTime wall;
  std::vector<Event> events;
};

}  // namespace pawl
