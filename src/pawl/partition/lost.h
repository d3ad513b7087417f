// Attempts of a session that will never be reported.
//
//   for_each_open(state, session, [&](const NodeKey& key, const OpenRange& open) {
//     lost.push_back(lost_attempt(key, open, open.span, "its lease ran out"));
//   });
//   for (AttemptFailed& attempt : lost) step.emit(std::move(attempt));
//
// Each is an event of its own, so that the history of its execution tells of it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pawl/partition/state.h"

namespace pawl {

// What sessions that `wanted` holds for were granted and have not reported, always in the same order, in one walk
// over all that is granted. `visit` must not change the state.
template <class Wanted, class Visit>
void for_each_open_of(const State& state, Wanted wanted, Visit visit) {
  auto open_of = [&](const NodeKey& key) -> const SmallVector<OpenRange>& {
    return state.executions.find(key.execution)->nodes[key.node].work->open;
  };
  std::vector<NodeKey> nodes;
  for (const NodeKey& key : state.granted) {
    const SmallVector<OpenRange>& open = open_of(key);
    if (std::any_of(open.begin(), open.end(),
                    [&](const OpenRange& one) { return wanted(one.session); }))
      nodes.push_back(key);
  }
  for (const NodeKey& key : ascending(std::move(nodes))) {
    for (const OpenRange& open : open_of(key)) {
      if (wanted(open.session)) visit(key, open);
    }
  }
}

template <class Visit>
void for_each_open(const State& state, SessionId session, Visit visit) {
  for_each_open_of(
      state, [&](SessionId one) { return one == session; }, visit);
}

// `span`: of `open`. It does not count as a failure, but the number of attempts has an end.
AttemptFailed lost_attempt(const NodeKey& key, const OpenRange& open, ItemSpan span,
                           const std::string& reason);

}  // namespace pawl
