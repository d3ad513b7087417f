// Attempts of a session that will never be reported.
//
//   for_each_open(state, session, [&](const NodeKey& key, const OpenRange& open) {
//     lost.push_back(lost_attempt(key, open, open.span, "its lease ran out"));
//   });
//   for (AttemptFailed& attempt : lost) step.emit(std::move(attempt));
//
// Each is an event of its own, so that the history of its execution tells of it.
#pragma once

#include <string>

#include "pawl/partition/state.h"

namespace pawl {

// What the session was granted and has not reported, always in the same order. `visit` must not change
// the state.
template <class Visit>
void for_each_open(const State& state, SessionId session, Visit visit) {
  for (const NodeKey& key : ascending(state.granted)) {
    for (const OpenRange& open : state.executions.find(key.execution)->nodes[key.node].work->open) {
      if (open.session == session) visit(key, open);
    }
  }
}

// `span`: of `open`. It does not count as a failure, but the number of attempts has an end.
AttemptFailed lost_attempt(const NodeKey& key, const OpenRange& open, ItemSpan span,
                           const std::string& reason);

}  // namespace pawl
