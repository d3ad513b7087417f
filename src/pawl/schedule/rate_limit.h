// A token bucket on the duration clock: at most `rate` grants per time, and `burst` at once after a rest.
//
//   RateLimit limit;
//   limit.configure(2'500, 10, now);          // 2.5 per second, 10 at once; begins full
//   limit.available(now)  ->  10
//   limit.take(10, now);
//   limit.next(now)       ->  now + 400 ms    // when the next one is there
//
// In whole numbers, so that no grant is gained or lost by rounding. A rate of 0 is no limit. Soft state:
// after a recovery it begins empty (empty()), so that restarts never exceed the rate. Pure.
#pragma once

#include <cstdint>

#include "pawl/base/time.h"

namespace pawl {

class RateLimit {
 public:
  // Grants per 1,000 s. The first rate begins full; another one goes on with what is there.
  void configure(uint64_t rate_permille, uint64_t burst, Instant now);
  void empty(Instant now);
  uint64_t available(Instant now) const;  // UINT64_MAX: no limit
  void take(uint64_t grants, Instant now);
  // When at least one is available; never() if there is no limit.
  Instant next(Instant now) const;

 private:
  // A grant costs so many parts; each nanosecond brings `rate_` of them.
  static constexpr uint64_t parts_per_grant = 1'000'000'000'000;
  uint64_t parts(Instant now) const;

  uint64_t rate_ = 0;
  uint64_t full_ = 0;   // parts
  uint64_t parts_ = 0;  // at since_
  Instant since_;
};

}  // namespace pawl
