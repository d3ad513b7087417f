// A command is a wish. The shell stamps it with time and dice; the partition's step() answers with
// events and effects, or refuses it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/model/message.h"
#include "pawl/model/name_space.h"
#include "pawl/model/payload.h"
#include "pawl/model/trace.h"

namespace pawl {

struct Stamp {
  Instant now;        // duration clock
  WallTime wall;      // for people
  uint64_t dice = 0;  // seed of every random choice this command makes
};

// Stores one version of a workflow (wire encoding). The same bytes give the same id again. Of several
// partitions the first gives the id, and the others are told it: one that knows the workflow by another
// id, or another workflow by this id, refuses (FAILED_PRECONDITION).
struct RegisterWorkflow {
  Bytes definition;
  std::string name_space = default_namespace;
  WorkflowId id{};  // 0: this partition gives it
};

// Starts an execution. `request_id` (client-chosen, may be empty: then not idempotent) has one effect;
// the same id with other content is ALREADY_EXISTS. Ids belong to their namespace.
struct SubmitExecution {
  std::string request_id;
  Hash128 payload_hash;  // over all the client sent: see submit_hash()
  WorkflowId workflow;
  Payload input;       // JSON object
  std::string labels;  // JSON object
  std::string name_space = default_namespace;
  std::optional<Trace> trace{};  // of whoever submits; no part of the content
};
Hash128 submit_hash(const SubmitExecution& submit, const Hash128& definition);

struct CancelExecution {
  ExecutionId execution;
  std::string reason;
};

// One item, or (plain node) the node's task.
struct CancelTask {
  TaskKey task;
  std::string reason;
};

// The dead letters of an execution, of one of its nodes, or one task; `all_*` widen.
struct DeadLetterSelection {
  ExecutionId execution;
  bool all_nodes = true;
  NodeIndex node = 0;
  bool all_items = true;
  ItemIndex item = 0;
};
struct RedriveDeadLetters {
  DeadLetterSelection which;
};  // a new round of allowed failures
struct DiscardDeadLetters {
  DeadLetterSelection which;
};  // terminal: the node has failed

// Removes an execution that has ended, and all that is kept for it, for good.
struct ForgetExecution {
  ExecutionId execution;
};

struct OpenSession {
  WorkerSpec worker;
};
// A worker goes on with its session after the engine has come back. What it was granted and does not
// hold never reached it, and is lost; what it holds that is its own no more is stopped.
struct ResumeSession {
  SessionId session;
  std::vector<HeldAttempts> held;
  std::string certificate{};  // that it shows now
};
struct RenewSession {
  SessionId session;
  WorkerUsage usage{};
};  // soft: no event
struct CloseSession {
  SessionId session;
  std::string reason;
};

struct ReportAttempts {
  SessionId session;
  std::vector<AttemptReport> reports;
};

// A worker gives back what it has not begun and never will, in answer to TakeBack. Nothing: it has begun
// all that was named.
struct ReturnAttempts {
  SessionId session;
  std::vector<HeldAttempts> attempts;
};

enum class EvaluationPurpose : uint8_t { condition = 0, items = 1, output = 2 };
const char* name(EvaluationPurpose purpose);  // "condition"

// The answer to an Evaluate effect. `value`: condition: JSON; items: encoded item list
// or absent; output: JSON.
struct ReportEvaluation {
  ExecutionId execution;
  NodeIndex node = 0;  // unused for output
  EvaluationPurpose purpose = EvaluationPurpose::condition;
  bool succeeded = false;
  Payload value;
  uint32_t items_count = 0;
  std::string error;
};

// Timers that are due, leases that ran out. `late`: for so long the shell has not been running since the
// Tick before, as it saw when it came to again; nobody could be heard meanwhile. Whoever was late by a heartbeat
// or more, a third of a lease, gives everybody the time of one.
struct Tick {
  Duration late{};
};

// What is named of a queue changes; the rest stays as it is.
struct ConfigureQueue {
  std::string name;
  std::optional<Strategy> strategy;
  std::optional<bool> paused;
  std::optional<uint64_t> concurrency_max;
  std::optional<uint64_t> rate_permille;
  std::optional<uint64_t> burst;
  std::optional<Duration> aging;
  std::optional<uint64_t> waiting_max{};
};

using Command = std::variant<RegisterWorkflow, SubmitExecution, CancelExecution, CancelTask,
                             RedriveDeadLetters, DiscardDeadLetters, ForgetExecution, OpenSession,
                             ResumeSession, RenewSession, CloseSession, ReportAttempts,
                             ReturnAttempts, ReportEvaluation, Tick, ConfigureQueue>;

}  // namespace pawl
