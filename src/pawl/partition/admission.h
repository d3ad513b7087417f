// Who comes in when something is nearly full. The one rule, for whatever can fill up: a submission of priority p
// may fill (9 + p) eighteenths of it, so 0 half and 9 all. It is asked before anything is written down; what has
// been accepted is never dropped.
//
//   Admission admission(plan.priority, now);
//   admission.consider({Shed::executions, "open_executions_max", "", open, limit, drain});
//   if (admission.refused()) return admission.refusal(dice);   // RESOURCE_EXHAUSTED, and when to come again
//
// The priority of a submission is the highest of its workflow's nodes. The time is what is too much, over the rate at
// which it drains (schedule/drain_rate.h); of several full things the one that takes longest is named.
// Limits: retry_after_min, retry_after_max. A limit of 0 is none. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/base/random.h"
#include "pawl/model/effect.h"
#include "pawl/schedule/drain_rate.h"

namespace pawl {

// Of submissions that were refused because something is full: what.
enum class Shed : uint8_t {
  memory = 0,      // open_bytes_max
  executions = 1,  // open_executions_max
  name_space = 2,  // name_space_open_executions_max
  queue = 3,       // a queue's waiting_max
  inbox = 4,       // inbox_depth_max
  disk = 5,        // no room on the disk: no priority helps
};
constexpr size_t shed_kinds = 6;
const char* name(Shed shed);  // "memory"

constexpr Duration retry_after_min = Duration::milliseconds(100);
constexpr Duration retry_after_max = Duration::seconds(60);

// What is told to whoever is to come again in about `wait`: no less and no more than the limits, and those refused
// together are told different times, so that they do not come back together.
Duration told_wait(Duration wait, Random& dice);

// Something that can fill up.
struct Bound {
  Shed shed = Shed::memory;
  std::string_view limit_name;  // "open_executions_max"
  std::string_view whose;       // a namespace's or queue's name; empty: the partition's
  uint64_t used = 0;
  uint64_t limit = 0;  // 0: none
  const DrainRate& drain;
};

// How much of it the priority may fill; never 0 of a limit that is not.
uint64_t share_of(uint64_t limit, uint8_t priority);

class Admission {
 public:
  Admission(uint8_t priority, Instant now) : priority_(priority), now_(now) {}

  // What `bound` names must outlive this.
  void consider(const Bound& bound);
  const std::optional<Bound>& refused() const { return refused_; }
  Reply refusal(Random& dice) const;

 private:
  uint8_t priority_;
  Instant now_;
  std::optional<Bound> refused_;  // the one that takes longest
  Duration until_;
};

}  // namespace pawl
