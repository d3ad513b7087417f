// A small model of what the events of the log mean, one task at a time and without any cleverness.
// It shares no code with the engine, and says which invariant an event breaks.
//
//   LogModel model(ledger);
//   if (auto broken = model.apply(group)) ... broken->invariant ...
//
// Only durable groups are applied, in order, each once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/event.h"
#include "pawl/model/limits.h"
#include "pawl/sim/execution_model.h"
#include "pawl/sim/ledger.h"
#include "pawl/sim/placement_model.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

struct SessionModel {
  WorkerSpec worker;
  Instant opened;
  uint64_t outstanding = 0;
};

class LogModel {
 public:
  LogModel(const Ledger& ledger, const Limits& limits, Coverage& coverage, jq::Interpreter* jq)
      : ledger_(ledger), limits_(limits), coverage_(coverage), jq_(jq), placement_(coverage) {}

  std::optional<Violation> apply(const Group& group);

  const std::map<ExecutionId, ExecutionModel>& executions() const { return executions_; }
  const ExecutionModel* find(ExecutionId id) const;
  // Null if nothing was submitted under this id.
  const ExecutionModel* find_request(const RequestKey& key) const;
  const Bytes* definition(WorkflowId id) const;
  // Whether a report of this attempt would still count.
  bool current(const AttemptReport& report) const;
  const TaskModel* task(const TaskKey& key) const;
  // Null if it is not open.
  const SessionModel* session(SessionId id) const;
  uint64_t count(ExecutionStatus status) const;
  uint64_t count_of(const std::string& name_space) const;
  uint64_t ended() const;  // executions, however
  // The highest of its nodes; nothing if it is not registered.
  std::optional<uint8_t> priority_of(WorkflowId id) const;
  uint64_t forgotten() const { return forgotten_; }
  // Tasks and nodes that wait for nothing that could still come.
  std::string stuck() const;
  // What workers and queues hold of what is over: asked when nothing is open.
  std::string held() const { return placement_.held(); }

 private:
  struct Apply;
  const Ledger& ledger_;
  const Limits limits_;
  Coverage& coverage_;
  jq::Interpreter* const jq_;
  std::map<WorkflowId, std::pair<Bytes, WorkflowRef>> workflows_;
  std::map<WorkflowId, std::string> workflow_name_spaces_;
  std::map<ExecutionId, ExecutionModel> executions_;
  std::map<RequestKey, ExecutionId> requests_;
  std::map<SessionId, SessionModel> sessions_;
  PlacementModel placement_;
  std::set<uint64_t> nonces_;
  uint64_t last_session_ = 0;
  uint64_t forgotten_ = 0;
  uint64_t epoch_ = 0;
  Instant now_;
};

}  // namespace pawl::sim
