// The one function that changes state. Total: an event is a fact, and every fact a log may hold has
// its effect here, the same in every release. No time but the group's, no dice, no refusal.
//
//   begin_group(state, group.now, group.wall);
//   for (const Event& event : group.events) evolve(state, event);
//
// An event that contradicts the state is a bug or a log that escaped its checksums: PAWL_CHECK.
#pragma once

#include "pawl/model/event.h"
#include "pawl/partition/state.h"

namespace pawl {

void begin_group(State& state, Instant now, WallTime wall);
void evolve(State& state, const Event& event);

}  // namespace pawl
