#include "pawl/partition/held.h"

#include <algorithm>

namespace pawl {

std::optional<HeldPart> held_part(const State& state, SessionId session, const HeldAttempts& named,
                                  ItemIndex from) {
  if (from >= named.range.end) return std::nullopt;
  const Execution* execution = state.executions.find(named.range.execution);
  if (execution == nullptr || named.range.node >= execution->nodes.size()) return std::nullopt;
  const NodeWork* work = execution->nodes[named.range.node].work.get();
  if (work == nullptr) return std::nullopt;
  auto it = std::upper_bound(work->open.begin(), work->open.end(), from,
                             [](ItemIndex item, const OpenRange& o) { return item < o.span.end; });
  for (; it != work->open.end() && it->span.begin < named.range.end; ++it) {
    if (it->session == session && it->attempt == named.attempt && it->nonce == named.nonce)
      return HeldPart{{std::max(from, it->span.begin), std::min(named.range.end, it->span.end)},
                      it->since};
  }
  return std::nullopt;
}

}  // namespace pawl
