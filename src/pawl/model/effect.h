// Effects: what to do once the events of the same step are durable. They are never logged; after a
// crash, resume() gives those again that still matter.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/event.h"
#include "pawl/model/message.h"

namespace pawl {

// Names the asker of a command or query; chosen by whoever put it into the mailbox. 0: nobody waits.
using Ticket = uint64_t;

// `number`: the workflow's, execution's or session's id, or how many dead letters were moved.
struct Reply {
  Code code = Code::ok;
  std::string message;
  uint64_t number = 0;
  Duration retry_after{};  // as in Error
};
inline Error error_of(Reply refused) {
  return {refused.code, std::move(refused.message), refused.retry_after};
}

struct Answer {
  Ticket ticket = 0;
  Reply reply;
};
struct Dispatch {
  Grant grant;
};
struct Stop {
  SessionId session;
  StopAttempts attempts;
};
struct Evaluate {
  EvaluationPurpose purpose = EvaluationPurpose::condition;
  Expression expression;
  RunContextRef context;  // context->node is the node asking (output: any)
};
// Of what the session was granted, what its worker has not begun: another has a free slot for it.
struct TakeBack {
  SessionId session;
  std::vector<HeldAttempts> attempts;
};
// The session is over: its worker must stop what it holds and say Hello again.
struct Hangup {
  SessionId session;
  std::string reason;
};
// Someone may be waiting for this execution: it ended, or parked.
struct Settled {
  ExecutionId execution;
  ExecutionStatus status = ExecutionStatus::succeeded;
};

// The execution is forgotten: what is kept for it outside the log goes.
struct DropBelongings {
  ExecutionId execution;
};

using Effect =
    std::variant<Answer, Dispatch, Stop, TakeBack, Evaluate, Hangup, Settled, DropBelongings>;

}  // namespace pawl
