// What a session still holds of attempts that it names.
//
//   ItemIndex at = named.range.begin;
//   while (auto part = held_part(state, session, named, at)) {
//     ...
//     at = part->span.end;
//   }
#pragma once

#include <optional>

#include "pawl/partition/state.h"

namespace pawl {

struct HeldPart {
  ItemSpan span;    // never empty
  Instant granted;  // since
};

// The first part of named.range at or after `from` that is held under exactly this token. What is not:
// another attempt is current there, or the task has ended (one item of a range may have been cancelled
// while the others ran on).
std::optional<HeldPart> held_part(const State& state, SessionId session, const HeldAttempts& named,
                                  ItemIndex from);

}  // namespace pawl
