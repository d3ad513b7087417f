#include "pawl/partition/figures.h"

namespace pawl {
namespace {

struct Tally {
  EngineCounters& to;

  void operator()(const AttemptsGranted& event) const {
    to.granted[static_cast<size_t>(event.reason.cause)] += event.range.size();
  }
  void operator()(const AttemptsSucceeded& event) const { to.succeeded += event.range.size(); }
  void operator()(const AttemptFailed& event) const {
    uint64_t tasks = event.range.size();
    if (recalled(event)) {
      to.recalled += tasks;
      return;
    }
    to.failed[static_cast<size_t>(event.kind)] += tasks;
    (event.disposition == Disposition::park ? to.dead_lettered : to.retried) += tasks;
  }
  void operator()(const NodeParked&) const { ++to.dead_lettered; }
  void operator()(const TaskCancelled&) const { ++to.cancelled; }
  void operator()(const SessionOpened&) const { ++to.sessions_opened; }
  void operator()(const SessionClosed&) const { ++to.sessions_closed; }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

void EngineCounters::take(const StepOutput& out, Instant now) {
  for (const Event& event : out.events) std::visit(Tally{*this}, event);
  events += out.events.size();
  for (const AttemptTime& time : out.reported) {
    held.observe(now - time.granted, time.items);
    if (!time.each) continue;
    queued.observe(time.each->queued, time.items);
    ran.observe(time.each->ran, time.items);
  }
  at_favourite += out.at_favourite;
  elsewhere += out.elsewhere;
  fenced += out.fenced;
  for (size_t kind = 0; kind < shed.size(); ++kind) shed[kind] += out.shed[kind];
}

}  // namespace pawl
