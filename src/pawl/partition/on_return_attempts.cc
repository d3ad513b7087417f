// What a worker gives back unbegun goes to another, as old as it was.

#include "pawl/partition/held.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

// Since when the tasks have waited. Where waiting has an end (timeout.queue) it begins anew, as after any
// other attempt that came back: to be moved must never be what ends a task.
Instant ready_since(const Execution& execution, NodeIndex node, AttemptNumber attempt,
                    Instant granted) {
  if (execution.definition(node).timeout.queue.ns > 0) return {};
  return attempt == 1 ? execution.nodes[node].since : granted;
}

AttemptFailed returned(const State& state, SessionId session, const HeldAttempts& named,
                       const HeldPart& part) {
  const TaskRange& range = named.range;
  bool last = named.attempt >= attempts_max;
  std::string reason =
      "recalled from worker " + state.sessions.at(session).worker.name + ", which had not begun it";
  return {{range.execution, range.node, part.span.begin, part.span.end},
          named.attempt,
          FailureKind::declined,
          0,
          last ? reason + attempts_max_reached : reason,
          last ? Disposition::park : Disposition::again,
          {},
          ready_since(*state.executions.find(range.execution), range.node, named.attempt,
                      part.granted)};
}

}  // namespace

Reply on(Step& step, const ReturnAttempts& command) {
  const State& state = step.state();
  if (!state.sessions.contains(command.session))
    return refuse(Code::aborted, "the session is over");
  bool any = false;
  for (const HeldAttempts& named : command.attempts) {
    ItemIndex at = named.range.begin;
    while (auto part = held_part(state, command.session, named, at)) {
      step.emit(returned(state, command.session, named, *part));
      at = part->span.end;
      any = true;
    }
  }
  answered(step, command.session, !any);
  return {};
}

}  // namespace pawl
