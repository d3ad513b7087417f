// Ended executions that have left memory: they stand in the view and come back when named.
//
//   PAWL_TRY(load_named(partition.restoring(), view, command));   // before step()
//   PAWL_TRY(load_named(partition.restoring(), view, query));     // before answer()
//   ...
//   partition.evict();                                            // some time after
//
// Nothing that step() or answer() says, and no state hash, depends on what is in memory: what is
// loaded is what would be there if nothing had ever left. Open executions never leave, so events
// always find theirs, and a late report of an ended execution is refused unseen.
//
// Limits: an execution id above last_execution and a request id are the only look-ups that can miss;
// the first costs nothing, the second one get() of the view.
#pragma once

#include "pawl/model/command.h"
#include "pawl/partition/query.h"
#include "pawl/port/view.h"

namespace pawl {

// Forgotten executions are nowhere, from the moment in which that is decided; their request ids are
// still known, in the week of the forgetting and in the next (snapshot.h).
//
// OK also when there is nothing to load; DATA_LOSS or UNAVAILABLE when the view cannot be read.
Status load_execution(State& state, View& view, ExecutionId id);
Status load_named(State& state, View& view, const Command& command);
Status load_named(State& state, View& view, const Query& query);

// The execution that a command or query names; 0: none.
ExecutionId named(const Command& command);
ExecutionId named(const Query& query);

// In memory, or in the view.
Result<bool> exists(const State& state, View& view, ExecutionId id);

// The list over memory and view together. `name_space`: as for answer().
QueryResult list_executions(const State& state, View& view, const ListExecutions& query,
                            const std::string& name_space = "");

}  // namespace pawl
