#include <algorithm>

#include "pawl/partition/lost.h"
#include "pawl/partition/step.h"

namespace pawl {

namespace {

Reply check(const Limits& limits, const WorkerSpec& worker) {
  if (worker.credit == 0 || worker.credit > limits.session_credit_max)
    return refuse(Code::invalid_argument, "a worker's credit is 1 to session_credit_max (" +
                                              std::to_string(limits.session_credit_max) + ")");
  if (worker.lease <= Duration{})
    return refuse(Code::invalid_argument, "a worker's lease is longer than nothing");
  if (worker.functions.size() > limits.session_functions_max)
    return refuse(Code::resource_exhausted, "the worker offers " +
                                                std::to_string(worker.functions.size()) +
                                                " functions; the limit session_functions_max is " +
                                                std::to_string(limits.session_functions_max));
  auto too_long = [&](const std::string& name) {
    return name.size() > limits.session_name_bytes_max;
  };
  if (too_long(worker.name) ||
      std::any_of(worker.functions.begin(), worker.functions.end(), too_long))
    return refuse(Code::resource_exhausted,
                  "a worker's name or a function's is longer than session_name_bytes_max (" +
                      std::to_string(limits.session_name_bytes_max) + ")");
  if (!std::is_sorted(worker.functions.begin(), worker.functions.end()))
    return refuse(Code::invalid_argument, "a worker names its functions in ascending order");
  return {};
}

}  // namespace

Reply on(Step& step, const OpenSession& command) {
  const Limits& limits = step.state().limits;
  if (step.state().sessions.size() >= limits.sessions_max)
    return refuse(Code::resource_exhausted, "the limit sessions_max (" +
                                                std::to_string(limits.sessions_max) +
                                                " connected workers) is reached");
  if (Reply refusal = check(limits, command.worker); refusal.code != Code::ok) return refusal;
  SessionId id{step.state().last_session + 1};
  step.emit(SessionOpened{id, command.worker});
  return {Code::ok, "", id.value};
}

Reply on(Step& step, const RenewSession& command) {
  if (!step.state().sessions.contains(command.session))
    return refuse(Code::aborted, "the session is over");
  renew(step, command.session);
  return {};
}

Reply on(Step& step, const CloseSession& command) {
  if (!step.state().sessions.contains(command.session)) return {};
  close_session(step, command.session, command.reason);
  return {};
}

void close_session(Step& step, SessionId session, const std::string& reason) {
  std::vector<AttemptFailed> lost;
  for_each_open(step.state(), session, [&](const NodeKey& key, const OpenRange& open) {
    lost.push_back(lost_attempt(key, open, open.span, reason));
  });
  step.ask(Hangup{session, reason});
  for (AttemptFailed& attempt : lost) step.emit(std::move(attempt));
  step.emit(SessionClosed{session, reason});
}

// Soft state, not an event: a lease that runs out only causes a new grant, never
// decides what counts.
void renew(Step& step, SessionId session) {
  Session& renewed = step.state_.sessions.at(session);
  renewed.heard = step.state_.now;
  renewed.away = false;
}

}  // namespace pawl
