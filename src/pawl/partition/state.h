// The data of one partition. Only evolve() writes it; handlers read it and emit events.
//
// Every open execution is in memory. Of those that have ended, the newest are; the others stand in
// the view and come back when a command or query names them (stored.h). `ended_digest` stands for
// all of them in the state hash, wherever they are.
//
// What is truth and what is derived: everything here follows from the events alone. `ready`,
// `timers` and `undecided` are rebuilt by index() after a replay and left alone during one.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pawl/base/small_vector.h"
#include "pawl/model/event.h"
#include "pawl/model/limits.h"
#include "pawl/partition/counts.h"
#include "pawl/partition/plan.h"
#include "pawl/partition/ranges.h"
#include "pawl/partition/session.h"
#include "pawl/partition/story.h"
#include "pawl/schedule/assign.h"
#include "pawl/schedule/drain_rate.h"
#include "pawl/schedule/ready_queue.h"

namespace pawl {

enum class NodeStatus : uint8_t {
  waiting = 0,  // for its needs
  evaluating_condition = 1,
  evaluating_items = 2,
  active = 3,  // its tasks exist
  succeeded = 4,
  failed = 5,  // a task was discarded
  skipped = 6,
  cancelled = 7,
  parked = 8,  // `when` or `for_each` could not be evaluated
};
const char* name(NodeStatus status);

constexpr bool is_terminal(NodeStatus status) {
  return status >= NodeStatus::succeeded && status <= NodeStatus::cancelled;
}

constexpr bool is_evaluating(NodeStatus status) {
  return status == NodeStatus::evaluating_condition || status == NodeStatus::evaluating_items;
}

// One grant, or what is left of it.
struct OpenRange {
  ItemSpan span;
  AttemptNumber attempt = 1;
  SessionId session;
  uint64_t nonce = 0;
  Instant since;
  GrantReason reason{};  // why this session's worker
};

// What only a mapped node has.
struct MappedWork {
  Payload items;                         // encoded item list
  std::shared_ptr<ItemOutputs> outputs;  // never null
  std::vector<uint32_t> changed_pages;   // of outputs, since the last checkpoint
};

// A node's tasks once something happened to them. Every item is in exactly one place:
// not started (>= next_fresh and without a story), `open`, `done`, or in `stories` as
// ready, backing off, parked, failed or cancelled. (Stories of granted or succeeded items
// only keep their numbers.)
struct NodeWork {
  SmallVector<OpenRange> open;  // by first item
  uint32_t granted_at = 0;      // place in State::granted, while anything is open
  RangeSet done;                // succeeded
  Stories stories;
  Payload output;                      // plain nodes
  std::unique_ptr<MappedWork> mapped;  // mapped nodes
  RunContextRef context;               // made at the first grant, dropped at the end
  std::string error;                   // NodeStatus::parked
};

struct NodeRun {
  NodeStatus status = NodeStatus::waiting;
  SkipReason skip_reason = SkipReason::condition_false;
  uint32_t needs_left = 0;
  uint32_t items_count = 0;
  ItemIndex next_fresh = 0;  // items from here on were never granted
  uint32_t failed = 0;
  uint32_t parked = 0;
  uint32_t cancelled = 0;
  Instant since;                   // of the status
  WallTime last_attempt;           // when the newest grant was made
  std::unique_ptr<NodeWork> work;  // null: nothing has happened yet

  uint32_t succeeded() const { return work ? static_cast<uint32_t>(work->done.count()) : 0; }
  uint32_t ended() const { return succeeded() + failed + cancelled; }
  // Active, but nothing of it can move before somebody looks at its dead letters.
  bool stuck() const {
    return status == NodeStatus::parked ||
           (status == NodeStatus::active && parked > 0 && ended() + parked == items_count);
  }
};

struct Execution {
  ExecutionId id;
  const NameSpace* name_space = nullptr;  // of State::name_spaces
  ExecutionStatus status = ExecutionStatus::running;
  bool evaluating_output = false;
  bool stored_open = false;    // the view has a row of it as open
  uint32_t changed_for = 0;    // the checkpoint that will hold its changes; 0: there are none
  uint32_t nodes_left = 0;     // not terminal
  uint32_t moving = 0;         // nodes evaluating, or active and not stuck
  const Plan* plan = nullptr;  // of State::workflows
  Hash128 request;             // hash of the request id; zero if none was given
  Hash128 payload_hash;
  Payload input;
  std::string labels;
  SmallVector<NodeRun> nodes;
  WallTime started;
  WallTime ended;
  Payload output;
  std::string error;
  std::unique_ptr<const Trace> trace;  // as given when it was submitted; null: none was

  const Node& definition(NodeIndex node) const { return plan->workflow->nodes[node]; }
  bool ended_already() const { return status >= ExecutionStatus::succeeded; }
};

// Executions by id, in pages, because the ids of a slot are dense and ascending: two array look-ups,
// and the walk in id order that every deterministic pass needs.
class ExecutionTable {
 public:
  explicit ExecutionTable(Slot slot) : slot_(slot) {}
  const Execution* find(ExecutionId id) const {
    uint64_t place = id.value / slot_.slots;
    uint64_t page = place / page_size;
    if (page >= pages_.size() || !pages_[page] || !slot_.owns(id)) return nullptr;
    return pages_[page]->places[place % page_size].get();
  }
  Execution* find(ExecutionId id) { return const_cast<Execution*>(std::as_const(*this).find(id)); }
  Execution& insert(std::unique_ptr<Execution> execution);
  void erase(ExecutionId id);
  uint64_t size() const { return size_; }
  // The last execution with an id of at most `from`, or null.
  const Execution* previous(ExecutionId from) const;
  // The first execution with an id of at least `from`, or null.
  const Execution* next(ExecutionId from) const;
  Execution* next(ExecutionId from);

 private:
  static constexpr uint64_t page_size = 256;
  struct Page {
    std::array<std::unique_ptr<Execution>, page_size> places;
    uint64_t used = 0;
  };
  Slot slot_;
  std::vector<std::unique_ptr<Page>> pages_;
  uint64_t size_ = 0;
};

enum class TimerKind : uint8_t { retry = 0, queue_timeout = 1 };
struct Timer {
  Instant at;
  TimerKind kind = TimerKind::retry;
  TaskKey task;  // queue_timeout: item is unused

  friend constexpr auto operator<=>(const Timer&, const Timer&) = default;
};

struct RequestHash {
  size_t operator()(const Hash128& hash) const { return hash.low; }
};
struct KnownRequest {
  ExecutionId execution;
  Hash128 payload_hash;
};

// What is known of a forgotten execution until a checkpoint has taken its rows out of the view.
struct Forgotten {
  Hash128 request;  // zero: it had none
  Hash128 payload_hash;
  Instant at;
};

struct NodeKey {
  ExecutionId execution;
  NodeIndex node = 0;

  friend constexpr auto operator<=>(const NodeKey&, const NodeKey&) = default;
};

class Checkpoint;

struct StoredExecution {
  ExecutionId id;
  uint64_t bytes = 0;  // held_bytes()
};

struct State {
  explicit State(const Limits& l, Slot s = {}) : limits(l), slot(s), executions(s) {
    name_space(default_namespace);
  }
  NameSpace& name_space(const std::string& name);  // made if there is none yet

  ExecutionId next_execution() const { return slot.after(last_execution); }

  Limits limits;
  Slot slot;
  uint64_t epoch = 0;
  Hash128 cluster;
  Instant now;  // of the group being applied
  WallTime wall;

  std::map<WorkflowId, std::unique_ptr<Plan>> workflows;  // never removed
  std::map<Hash128, WorkflowId> workflow_ids;             // by hash_in() its namespace
  ExecutionTable executions;
  std::unordered_map<Hash128, KnownRequest, RequestHash> requests;
  std::map<SessionId, Session> sessions;
  std::vector<NodeKey> granted;  // nodes with open ranges, in no order; each knows its place
  uint64_t last_workflow = 0;
  uint64_t last_execution = 0;
  uint64_t last_session = 0;
  Counts counts;                                 // of all namespaces
  std::map<std::string, NameSpace> name_spaces;  // by name
  Hash128 ended_digest;  // sum of digest() over all executions that ended, or were forgotten

  QueueTable queues;  // every queue that an open execution or a configuration names

  bool live = false;  // derived structures are kept
  ReadyQueue ready;
  uint64_t open_bytes = 0;  // held_bytes() of all open executions
  DrainRate bytes_drain;    // soft: of these,
  DrainRate open_drain;     // and of open executions
  std::set<Timer> timers;
  std::vector<NodeKey> undecided;         // needs are all terminal, to be activated or skipped
  std::vector<ExecutionId> unsettled;     // nothing moves any more: to be ended or parked
  std::vector<WorkflowId> new_workflows;  // registered since the last checkpoint
  std::vector<ExecutionId> dirty;         // changed_for == checkpoint_number, in order of change
  uint32_t checkpoint_number = 1;         // of the next checkpoint that begins, in this process
  Checkpoint* checkpoint = nullptr;       // in the making: sees executions before they change
  std::vector<ExecutionId> storing;  // ended ones in a checkpoint that the view has not applied yet
  std::deque<StoredExecution> stored;  // ended ones in memory that the view has too: oldest first
  uint64_t stored_bytes = 0;           // of them
  std::map<ExecutionId, Forgotten> forgotten;  // the view may still have rows of these
  std::vector<ExecutionId> new_forgotten;      // of them: since the last checkpoint
  std::vector<ExecutionId> forgetting;         // in checkpoints that the view has not applied yet
  std::vector<Hash128> recalled;  // request ids of forgotten ones that the view was asked for

  // Soft: not before, and when, it is to be looked for work that waits in one worker while another idles.
  Instant recall_from;
  Instant recall_due = Instant::never();
};

// What ended executions may hold in memory, of those that can be read from the view again.
inline uint64_t ended_bytes_kept_max(const Limits& limits) {
  return limits.open_bytes_max / 4;
}
void add_stored(State& state, ExecutionId ended);  // the view has it from now on

// What an ended execution adds to State::ended_digest: how it and each of its nodes ended.
Hash128 digest(const Execution& ended);
Hash128 digest(const ExecutionForgotten& event);
Hash128 operator+(const Hash128& a, const Hash128& b);  // 128-bit sum, modulo

// Looks a task up, wherever it is. `node` must be active or ended.
TaskStatus task_status(const NodeRun& node, ItemIndex item);
AttemptNumber attempts_of(const NodeRun& node, ItemIndex item);

// Books `count` tasks of the node onto the session and off it again: items, resources, and its queue.
void reserve(State& state, const Execution& execution, NodeIndex node, SessionId session,
             uint32_t count);
void release(State& state, const Execution& execution, NodeIndex node, SessionId session,
             uint32_t count);

// Puts a node that got its first open range into State::granted; takes it out after its last.
void enlist(State& state, NodeKey key, NodeWork& work);
void delist(State& state, NodeWork& work);
// For whoever decides something about all of them: always in the same order.
std::vector<NodeKey> ascending(std::vector<NodeKey> granted);

// Rebuilds what is derived, in an order that depends on the state alone.
void index(State& state);

// Always-on consistency between the state's own cross-indexes; empty when all is well.
std::string inconsistency(const State& state);

}  // namespace pawl
