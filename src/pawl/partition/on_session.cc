#include <algorithm>
#include <map>

#include "pawl/partition/lost.h"
#include "pawl/partition/step.h"

namespace pawl {

namespace {

constexpr uint32_t worker_slots_max = 1 << 20;

// Ascending, each once.
template <class T>
bool ascends(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(),
                            [](const T& a, const T& b) { return !(a < b); }) == values.end();
}

Reply check_offer(const Limits& limits, const WorkerSpec& worker) {
  const std::string of = "worker " + worker.name;
  if (Status good = check_amounts(worker.capacity, of); !good.ok())
    return refuse(good.error().code, good.error().message);
  if (worker.queues.size() > limits.queues_max || worker.labels.size() > labels_max)
    return refuse(Code::resource_exhausted,
                  of + " has more than queues_max (" + std::to_string(limits.queues_max) +
                      ") queues or labels_max (" + std::to_string(labels_max) + ") labels");
  auto too_long = [](const std::string& text) { return text.size() > placement_name_max; };
  bool long_label = std::any_of(worker.labels.begin(), worker.labels.end(), [&](const auto& label) {
    return too_long(label.name) || too_long(label.value);
  });
  if (long_label || too_long(worker.zone) ||
      std::any_of(worker.queues.begin(), worker.queues.end(), too_long))
    return refuse(Code::resource_exhausted,
                  of + ": a queue, a zone or a label is longer than placement_name_max (" +
                      std::to_string(placement_name_max) + ")");
  if (std::any_of(worker.labels.begin(), worker.labels.end(), [](const Label& label) {
        return label.name == "zone" || label.name == "worker";
      }))
    return refuse(Code::invalid_argument,
                  of + ": the labels zone and worker are its zone (--zone) and its name (--name)");
  if (!ascends(worker.queues) || !ascends(worker.labels))
    return refuse(Code::invalid_argument,
                  "a worker names its queues and labels in ascending order, each once");
  if (worker.weight == 0 || worker.weight > worker_weight_max)
    return refuse(Code::invalid_argument, "a worker's weight is 1 to worker_weight_max (" +
                                              std::to_string(worker_weight_max) + ")");
  return {};
}

Reply check(const Limits& limits, const WorkerSpec& worker) {
  if (worker.credit == 0 || worker.credit > limits.session_credit_max)
    return refuse(Code::invalid_argument, "a worker's credit is 1 to session_credit_max (" +
                                              std::to_string(limits.session_credit_max) + ")");
  if (worker.slots == 0 || worker.slots > worker_slots_max)
    return refuse(Code::invalid_argument, "a worker's slots are 1 to worker_slots_max (" +
                                              std::to_string(worker_slots_max) + ")");
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
  return check_offer(limits, worker);
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
  renew(step, command.session, &command.usage);
  return {};
}

Reply on(Step& step, const CloseSession& command) {
  if (!step.state().sessions.contains(command.session)) return {};
  close_sessions(step, {command.session}, command.reason);
  return {};
}

// Many at once when a network is cut: what they held is looked for once.
void close_sessions(Step& step, const std::vector<SessionId>& sessions, const std::string& reason) {
  if (sessions.empty()) return;
  std::map<SessionId, std::vector<AttemptFailed>> lost;
  for (SessionId session : sessions) lost[session];
  for_each_open_of(
      step.state(), [&](SessionId one) { return lost.contains(one); },
      [&](const NodeKey& key, const OpenRange& open) {
        lost.at(open.session).push_back(lost_attempt(key, open, open.span, reason));
      });
  for (auto& [session, attempts] : lost) {
    step.ask(Hangup{session, reason});
    for (AttemptFailed& attempt : attempts) step.emit(std::move(attempt));
    step.emit(SessionClosed{session, reason});
  }
}

// Soft state, not an event: a lease that runs out only causes a new grant, never
// decides what counts.
void renew(Step& step, SessionId id, const WorkerUsage* usage) {
  Session& session = step.state_.sessions.at(id);
  session.heard = step.state_.now;
  session.away = false;
  if (usage != nullptr) session.usage = *usage;
}

void excuse(Step& step, Duration late) {
  const Instant now = step.state_.now;
  for (auto& [id, session] : step.state_.sessions) {
    const Duration heartbeat{session.worker.lease.ns / 3};
    Instant heard = session.heard + late;
    // What was sent meanwhile has yet to come in.
    if (late >= heartbeat) heard = std::max(heard, now - (session.worker.lease - heartbeat));
    session.heard = std::min(now, heard);
  }
}

}  // namespace pawl
