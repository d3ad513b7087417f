// Which partition a question is for: pure rules, no memory.
//
//   Route route = route_of(request, 3);
//   if (route.kind == Route::one) partitions[route.slot]->put(request);
//
// Whatever names an execution goes where the execution is, which its id says. A submission with a
// request id goes where all with that id go, for ever: `request_slot` is part of the format of a state
// directory. What is known of workflows and queues is told to all; workflows are asked of the first.
#pragma once

#include <cstdint>

#include "pawl/partition/request.h"

namespace pawl {

struct Route {
  enum Kind : uint8_t {
    one,         // partition `slot`
    any,         // one, whichever: a submission without a request id
    everywhere,  // all of them, and their answers are merged
    in_turn,     // the first, then all others, which are told what it answered
  };
  Kind kind = one;
  uint32_t slot = 0;
};
// Of anything but StopWaiting, which follows its ticket. A worker's words (sessions, reports) and ticks
// are for one partition, which whoever has them knows: a failed check.
Route route_of(const Request& request, uint32_t slots);

// Where the submissions of one request id go.
uint32_t request_slot(const std::string& name_space, const std::string& request_id, uint32_t slots);

// The submission that a request makes; null: none.
SubmitExecution* submission_in(Request& request);

// A queue's rate and burst as partition `slot` of `slots` is told them: its share, at least one. The
// shares' sum is what was asked for, if that is at least `slots`. What is out of bounds stays so, for
// the partition to refuse.
ConfigureQueue share_of(ConfigureQueue whole, uint32_t slot, uint32_t slots);

}  // namespace pawl
