// Which entries of the ready queue still stand for something, and how many tasks of a queue may be granted.
// Private to this folder.
#pragma once

#include "pawl/partition/state.h"

namespace pawl {

// How many tasks of the node's queue and priority may be granted; see Queue::ready_at.
uint64_t& ready_tasks(State& state, const Execution& execution, NodeIndex node);
// The first run of tasks in `range` of which attempt `attempt` may really be granted; empty: none. Queue
// entries are not searched for when a task is cancelled or parked, so some have gone stale.
ItemSpan ready_span(const NodeRun& run, const TaskRange& range, AttemptNumber attempt);
// Takes stale entries off the fronts of the ready queue.
void drop_stale(State& state);

}  // namespace pawl
