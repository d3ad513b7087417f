// What travels between a partition and a worker. In one process these values are handed over as they
// are; over a network they are encoded (wire/).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/model/outputs.h"
#include "pawl/model/payload.h"
#include "pawl/model/placement.h"
#include "pawl/model/trace.h"
#include "pawl/model/workflow.h"

namespace pawl {

constexpr uint32_t worker_weight_max = 1000;

// What a worker is able to run, and how much of it. `credit` is how many items it may hold granted:
// a little more than `slots`, so that no slot idles for a commit.
struct WorkerSpec {
  std::string name;                    // for people
  uint32_t slots = 1;                  // attempts at the same time
  uint32_t credit = 2;                 // items granted and not yet reported
  uint32_t node_types = 0xffffffff;    // bit per NodeType
  std::vector<std::string> functions;  // registered names, ascending
  Duration lease = Duration::seconds(10);
  std::vector<std::string> queues;  // that it serves, ascending; none: all
  Amounts capacity;                 // for tasks that ask for resources
  std::vector<Label> labels;        // ascending, each once
  std::string zone;                 // where it stands; workers of one zone may fail together
  uint32_t weight = 1;              // of its turns, 1 to worker_weight_max
  uint64_t price = 0;               // per hour, in whatever its owner counts
  std::string certificate;          // that it showed, by its transport; empty: none is asked for

  bool offers_more() const {  // than a worker could say before there were queues and capacities
    return !queues.empty() || !capacity.empty() || !labels.empty() || !zone.empty() ||
           weight != 1 || price != 0;
  }
  friend bool operator==(const WorkerSpec&, const WorkerSpec&) = default;
  bool runs(NodeType type) const { return (node_types >> static_cast<unsigned>(type)) & 1u; }
};

// Everything an attempt of one node run may read. Immutable once made; shared by all its attempts.
struct RunContext {
  ExecutionId execution;
  WorkflowRef workflow;
  NodeIndex node = 0;
  Payload input;
  std::string labels;               // JSON object: tenant_id, user_id and what the client gave
  std::vector<NodeOutput> outputs;  // of the nodes this one transitively needs
  Payload items;                    // encoded item list (payload.h); absent: items are 0..n-1
  uint32_t items_count = 1;
  Hash128 cluster;  // for uuid_of and idempotency keys
  Trace trace;

  const Node& definition() const { return workflow->nodes[node]; }
};
using RunContextRef = std::shared_ptr<const RunContext>;
// Of the values that travel with it; those in the blob store do not.
uint64_t carried_bytes(const RunContext& context);

// Attempt `attempt` of every task in `range` now belongs to `session`. The token of one attempt is
// (cluster, task, attempt, nonce): it is what a report must show to be accepted.
struct Grant {
  SessionId session;
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;
  RunContextRef context;
  Instant arrived{};  // at its worker, on that worker's clock; does not travel
};

// What the items of a report took at their worker, added up: ten that waited a second each make ten.
struct AttemptTimes {
  Duration queued;  // from the arrival of the grant until they were started
  Duration ran;     // from there until they had ended

  friend bool operator==(const AttemptTimes&, const AttemptTimes&) = default;
};

// How attempts ended: all of `range` alike (a range of successes, or one failure).
struct AttemptReport {
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;
  bool succeeded = false;
  std::vector<Payload> outputs;  // success: one per item, or empty when all are null
  FailureKind kind = FailureKind::exit_code;
  int32_t exit_code = 0;                // exit code, or signal number
  std::string error;                    // one line for people
  std::optional<AttemptTimes> times{};  // nothing: nobody has measured them
};
uint64_t carried_bytes(const AttemptReport& report);

// What an attempt that runs has used, as its worker last saw it.
struct AttemptUsage {
  Duration running;           // since its start; 0: not said
  Duration cpu;               // processor time of its processes; 0: it has none of its own
  uint64_t memory_bytes = 0;  // resident, of these together

  friend bool operator==(const AttemptUsage&, const AttemptUsage&) = default;
};

// Not durable: the newest wins.
struct AttemptProgress {
  TaskKey task;
  AttemptNumber attempt = 1;
  uint32_t permille = 0;  // 0..1000
  std::string message;
  AttemptUsage usage{};
};

// Attempts that a worker holds, however far it is with them.
struct HeldAttempts {
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;
};

// How many attempts of a node a worker runs now: not those that it holds and has not started. Not
// durable.
struct RunningAttempts {
  ExecutionId execution;
  NodeIndex node = 0;
  uint32_t count = 0;

  friend bool operator==(const RunningAttempts&, const RunningAttempts&) = default;
};

// Ends a granted attempt early: its result no longer counts.
struct StopAttempts {
  TaskRange range;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;
};

// Constant over the attempts of a task, different for every task of every cluster; programs find it
// in PAWL_IDEMPOTENCY_KEY.
std::string idempotency_key(Hash128 cluster, const TaskKey& task);

}  // namespace pawl
