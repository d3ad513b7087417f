// In answers for people: what runs, by the newest word of the workers, instead of what is granted. The
// rest of what is granted waits in a worker's queue and counts as ready.
//
//   QueryResult result = answer(state, GetExecution{id});
//   tell_running(result, peers);
//
// A count never exceeds what is granted: a worker's word may be older than the report of its end.
#pragma once

#include "pawl/engine/peers.h"
#include "pawl/partition/query.h"

namespace pawl {

void tell_running(QueryResult& result, const Peers& peers);

}  // namespace pawl
