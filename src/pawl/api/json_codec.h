// Calls and answers as JSON, in both directions: what travels in the socket's frames, and what
// `--output json` prints. docs/api.md is the reference.
//
//   to_json(NumberedCall{7, AwaitExecution{ExecutionId{17}}})
//       {"ticket":7,"call":"await","with":{"execution":"e17"}}
//   to_json(CallAnswer{7, Settlement{ExecutionId{17}, ExecutionStatus::succeeded}})
//       {"ticket":7,"answer":"settled","with":{"execution":"e17","status":"succeeded"}}
//   to_json(CallAnswer{7, Error{Code::not_found, "no execution e17"}})
//       {"ticket":7,"error":{"code":"NOT_FOUND","message":"no execution e17"}}
//
// Reading is safe on any bytes. A call with a member that it does not have is refused (with the
// nearest name); in an answer it is ignored, so that an older client understands a newer server.
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pawl/api/call.h"

namespace pawl {

const char* name(const Call& call);  // "submit": as "call" has it

std::string to_json(const NumberedCall& call);
std::string to_json(const CallAnswer& answer);
// The answer's fields alone: what stands under "with", or {"code", "message"} of an error.
std::string to_json(const CallResult& result);
std::string to_json(const HistoryEntry& entry);
std::string to_json(const Event& event);  // {"event": name, "with": {...}}

// INVALID_ARGUMENT says what is wrong. `ticket` is that of the call wherever it could be read.
struct ReadCall {
  Ticket ticket = 0;
  Result<Call> call = Error{};
};
ReadCall call_from_json(std::string_view json);
// By its name; `with`: valid JSON.
Result<Call> call_from_json(std::string_view call_name, std::string_view with);
Result<CallAnswer> answer_from_json(std::string_view json);

// {"WorkflowID", "ExecutionID", "Status", "NodeStates", "StartTime", "EndTime", "Error",
// "Metadata"}; each of NodeStates {"NodeID", "Status", "Input", "Output", "Error", "Attempts",
// "LastAttempt"}. Always exactly these; EndTime, Error and LastAttempt may be null. WorkflowID is
// the workflow's name, with "@version" where it has one. A node's Input is the execution's input,
// or, where the node needs others, an object of their outputs by id. A payload too large to be
// shown is {"blob": {...}}.
std::string execution_state_json(const ExecutionDetail& detail);

std::vector<std::string_view> call_names();
std::vector<std::string_view> answer_names();  // without "error"
std::vector<std::string_view> event_names();

}  // namespace pawl
