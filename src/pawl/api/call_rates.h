// How often each caller may call: a token bucket per caller.
//
//   CallRates rates({.per_second = 100, .burst = 200});
//   Duration wait = rates.take("team-a/ci-bot", now);      // zero: it may; never above a second
//
// Limits: callers_max buckets; one that is full again is forgotten, and while none is, a new caller waits.
// Threading: one caller. No clock of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "pawl/schedule/rate_limit.h"

namespace pawl {

struct CallRate {
  uint64_t per_second = 0;  // 0: no limit
  uint64_t burst = 1;       // at once, after a rest
};

class CallRates {
 public:
  static constexpr size_t callers_max = 100'000;

  explicit CallRates(CallRate rate, size_t callers = callers_max)
      : rate_(rate), callers_max_(callers) {}

  Duration take(const std::string& caller, Instant now);
  size_t callers() const { return buckets_.size(); }

 private:
  const CallRate rate_;
  const size_t callers_max_;
  std::map<std::string, RateLimit> buckets_;
};

}  // namespace pawl
