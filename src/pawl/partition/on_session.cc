#include "pawl/partition/step.h"

namespace pawl {

Reply on(Step& step, const OpenSession& command) {
  const Limits& limits = step.state().limits;
  if (step.state().sessions.size() >= limits.sessions_max)
    return refuse(Code::resource_exhausted, "the limit sessions_max (" +
                                                std::to_string(limits.sessions_max) +
                                                " connected workers) is reached");
  if (command.worker.credit == 0 || command.worker.credit > limits.session_credit_max)
    return refuse(Code::invalid_argument, "a worker's credit is 1 to session_credit_max (" +
                                              std::to_string(limits.session_credit_max) + ")");
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

// Each lost attempt is an event of its own, so that the history of its execution tells of it.
void close_session(Step& step, SessionId session, const std::string& reason) {
  std::vector<AttemptFailed> lost;
  for (const NodeKey& key : step.state().granted) {
    const NodeRun& run = step.state().executions.find(key.execution)->nodes[key.node];
    for (const OpenRange& open : run.work->open) {
      if (open.session != session) continue;
      lost.push_back({{key.execution, key.node, open.span.begin, open.span.end},
                      open.attempt,
                      FailureKind::lost,
                      0,
                      reason,
                      Disposition::again,
                      {}});
    }
  }
  step.ask(Hangup{session, reason});
  for (AttemptFailed& attempt : lost) step.emit(std::move(attempt));
  step.emit(SessionClosed{session, reason});
}

// Soft state, not an event: a lease that runs out only causes a new grant, never
// decides what counts.
void renew(Step& step, SessionId session) {
  step.state_.sessions.at(session).heard = step.state_.now;
}

}  // namespace pawl
