// Questions to a partition, and their answers as plain values. Reading changes nothing; the shell
// holds every answer back until the state that it shows is durable.
//
//   QueryResult result = answer(partition.state(), GetExecution{ExecutionId{17}});
//   if (auto* detail = std::get_if<ExecutionDetail>(&result)) ...
//
// "Why is this not running?" is answered from the scheduler's own predicates (schedule/assign.h),
// so that the explanation is what the scheduler does.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pawl/partition/state.h"

namespace pawl {

// Tasks of a node by what they do now. `total` is their sum; 0 before the node is active.
struct TaskCounts {
  uint64_t total = 0;
  uint64_t ready = 0;
  uint64_t running = 0;  // granted; once the shell has asked the workers: those that run
  uint64_t backing_off = 0;
  uint64_t parked = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
};

struct NodeDetail {
  std::string id;
  NodeType type = NodeType::process;
  bool mapped = false;
  NodeStatus status = NodeStatus::waiting;
  SkipReason skip_reason = SkipReason::condition_false;
  TaskCounts tasks;
  std::vector<std::string> needs;
  AttemptNumber attempts = 0;  // of the task; of a mapped node: the most of any item
  WallTime last_attempt;       // 0: none yet
  std::string error;           // newest failure, in one line
  Payload output;              // plain nodes that succeeded
};

struct ExecutionSummary {
  ExecutionId id;
  std::string workflow;
  std::string version;
  ExecutionStatus status = ExecutionStatus::running;
  WallTime started;
  WallTime ended;  // 0: not yet
  std::string error;
  std::string labels;  // JSON object, may be empty
  TaskCounts tasks;    // over all nodes
  std::string name_space = default_namespace;
  std::string trace_id{};  // 32 hex digits
};

struct ExecutionDetail {
  ExecutionSummary summary;
  Payload input;
  Payload output;
  std::vector<NodeDetail> nodes;
};

struct TaskDetail {
  TaskKey task;
  std::string node;
  TaskStatus status = TaskStatus::ready;
  AttemptNumber attempts = 0;
  uint32_t failures = 0;
  std::optional<Cause> cause;
  Duration retry_in;  // backing off only
  std::optional<Payload> output;
  std::optional<Payload>
      message{};            // as it stands in queues (wire/task_json.h), where that was asked for
  RunContextRef context{};  // what that is made of, until it is
};

struct DeadLetter {
  TaskRange range;  // tasks parked alike; end == begin: the node as a whole
  std::string node;
  AttemptNumber attempts = 0;
  Cause cause;
};

// Each way in which something can wait, or be over.
enum class WhyCode : uint8_t {
  ended,              // nothing waits
  needs,              // for other nodes
  evaluating,         // its condition or item list is being worked out
  no_worker,          // ready, but no worker is connected
  no_capability,      // ready, but no worker runs this type or function
  no_credit,          // ready, all workers that could are full
  behind,             // ready, others of at least its priority come first
  running,            // a worker has it
  backing_off,        // failed, will be tried again by itself
  dead_letter,        // failed for good: redrive or discard
  evaluation_failed,  // its condition or item list is wrong: redrive or discard
  skipped,
  cancelled,
  quarantined,   // one of its events ended two processes: submit it again
  no_queue,      // ready, but no worker that could serves its queue
  no_label,      // ready, but no worker has the labels that it requires
  too_large,     // ready, but no worker has so much capacity, even when empty
  queue_paused,  // ready, but its queue is paused
  queue_full,    // ready, but its queue has as many granted as it may
  queue_rate,    // ready, but its queue grants as fast as it may
  suspect,       // ready, but the workers that could are late with their heartbeats
  no_room,       // ready, but its resources are taken
  apart,         // ready, but tasks of its node run wherever it could
  elsewhere,     // ready, but more urgent tasks of another partition get those workers first
};
const char* name(WhyCode code);  // "no_worker"

struct Why {
  WhyCode code = WhyCode::ended;
  std::string subject;  // "e17/count", "e17/count[42]", "e17"
  std::string reason;   // "it waits for split, which is running (3 of 40 done)"
  std::string remedy;   // what would change it; may be empty
};

// Of one namespace, or of all. Workers serve all.
struct Overview {
  Counts counts;
  uint64_t executions = 0;  // in memory
  uint64_t ready = 0;       // tasks in the ready queue
  uint64_t workers = 0;
  uint64_t running = 0;  // tasks, as in TaskCounts
  uint64_t parked = 0;   // tasks in dead letters
  // Held by executions that have not ended, and the limit; 0 of a single namespace.
  uint64_t open_bytes = 0;
  uint64_t open_bytes_max = 0;
};

// A named queue, what waits in it and what of it is granted.
struct QueueDetail {
  QueueSpec spec;
  uint64_t ready = 0;
  uint64_t granted = 0;
  uint64_t backing_off = 0;
  uint64_t evaluating = 0;   // nodes whose tasks are not known yet: each is one of those that wait
  uint64_t parked = 0;       // in dead letters
  uint64_t redelivered = 0;  // grants of second and later attempts, since the engine started
  uint64_t workers = 0;      // connected that serve it
  Duration oldest;           // for how long the longest waiting task has been ready
  std::array<uint64_t, priority_levels> ready_at{};  // of `ready`, by priority
};

struct WorkerDetail {
  SessionId session;
  WorkerSpec worker;
  Amounts free;  // of worker.capacity
  uint32_t outstanding = 0;
  WorkerUsage usage;
  Duration silent;  // since it was last heard
  bool suspect = false;
};

// As given, or else derived.
Trace trace_of(const State& state, const Execution& execution);

ExecutionSummary summarise(const State& state, const Execution& execution);
// `name_space` empty: of any.
bool belongs(const Execution& execution, const std::string& name_space);

struct GetExecution {
  ExecutionId execution;
};
// Newest first, `limit` at most, those before `before` (0: from the newest).
struct ListExecutions {
  ExecutionId before;
  uint32_t limit = 50;
  std::optional<ExecutionStatus> status;
};
struct GetTask {
  ExecutionId execution;
  std::string node;
  ItemIndex item = 0;
  bool message = false;  // with the task as a message
};
struct ListDeadLetters {
  ExecutionId execution;  // none: of all executions
  uint32_t limit = 1000;
};
// Whole execution (node empty), a node, or one item of it.
struct Explain {
  ExecutionId execution;
  std::string node;
  std::optional<ItemIndex> item;
};
struct GetOverview {};
// The newest version of a registered workflow, or the newest of one version: "nightly", "nightly@1.2".
struct GetWorkflow {
  std::string name;
};
// Versions of registered workflows, newest first, those before `before` (0: from the newest).
struct ListWorkflows {
  WorkflowId before;
  uint32_t limit = 50;
};
struct ListQueues {};   // by name
struct ListWorkers {};  // by session

struct ExecutionList {
  std::vector<ExecutionSummary> executions;
};
struct DeadLetterList {
  std::vector<DeadLetter> letters;
};
struct WorkflowDetail {
  WorkflowId id;  // grows with each registration
  std::string name;
  std::string version;             // as its author calls it; may be empty
  Hash128 hash;                    // of the definition: what pins it
  std::vector<std::string> nodes;  // ids
  WorkflowRef workflow;            // in the same process
  std::string name_space = default_namespace;
};
struct WorkflowList {
  std::vector<WorkflowDetail> workflows;
};
struct WhyList {
  std::vector<Why> reasons;
};
struct QueueList {
  std::vector<QueueDetail> queues;
};
struct WorkerList {
  std::vector<WorkerDetail> workers;
};

using Query = std::variant<GetExecution, ListExecutions, GetTask, ListDeadLetters, Explain,
                           GetOverview, GetWorkflow, ListWorkflows, ListQueues, ListWorkers>;
using QueryResult =
    std::variant<Error, ExecutionDetail, ExecutionList, TaskDetail, DeadLetterList, WhyList,
                 Overview, WorkflowDetail, WorkflowList, QueueList, WorkerList>;

// Lists and the overview are of `name_space` (empty: of all). That a named execution belongs to it is
// for the caller to see to. ListExecutions is over what is in memory; list_executions() (stored.h) is
// over all.
QueryResult answer(const State& state, const Query& query, const std::string& name_space = "");

}  // namespace pawl
