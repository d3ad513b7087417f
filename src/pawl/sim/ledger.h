// What the world outside asked for and did: the only sources from which anything in
// the log may stem.
//
// Written by the simulated clients and executors before their words leave them, read by the model.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pawl/model/command.h"
#include "pawl/model/message.h"

namespace pawl::sim {

struct AttemptKey {
  TaskKey task;
  AttemptNumber attempt = 1;
  uint64_t nonce = 0;

  friend constexpr auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
};

struct Outcome {
  bool succeeded = false;
  FailureKind kind = FailureKind::exit_code;
  std::string output;  // JSON text
  Payload payload;     // as it was reported
};

struct RequestKey {
  std::string name_space;
  std::string request_id;

  friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

struct Ledger {
  std::set<Bytes> definitions;
  std::set<std::tuple<RequestKey, Hash128, WorkflowId>> submits;  // with payload and workflow
  std::set<ExecutionId> cancels;
  std::set<TaskKey> task_cancels;
  std::set<ExecutionId> redrives;
  std::set<ExecutionId> discards;
  std::set<ExecutionId> forgets;
  std::map<SessionId, std::vector<std::vector<HeldAttempts>>>
      resumes;                             // what workers said they hold
  std::set<std::string> queues;            // configured
  std::set<AttemptKey> launched;           // begun
  std::map<AttemptKey, Outcome> outcomes;  // as executors told their workers
  std::map<Hash128, std::string> large_inputs;
  std::set<std::pair<uint64_t, uint32_t>> poisoned;  // group, and event of it from 1
  bool blobs_spoiled = false;                        // something was done to the blob store
};

}  // namespace pawl::sim
