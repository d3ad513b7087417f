// How fast something that fills up empties again, and so how long room for more takes to come.
//
//   DrainRate drain;
//   drain.begin(now);
//   drain.take(40, now);                       // so many tasks have left the queue
//   drain.time_for(100, now)  ->  Duration     // until 100 more will have
//
// An exponentially weighted rate over windows of a second, on the duration clock, in whole numbers: the same
// events give the same times. While nothing leaves, the guess is what Lindy's law says: as long again as it
// has already been. Soft: it begins anew with each process. Pure.
#pragma once

#include <cstdint>

#include "pawl/base/time.h"

namespace pawl {

class DrainRate {
 public:
  void begin(Instant now);
  void take(uint64_t amount, Instant now);
  Duration time_for(uint64_t amount, Instant now) const;

 private:
  static constexpr Duration window = Duration::seconds(1);
  static constexpr int64_t windows_remembered = 4;  // after so long a rest only what is new counts
  uint64_t rate_at(Instant now) const;

  uint64_t rate_ = 0;    // per 1,000 s, over the windows before
  uint64_t amount_ = 0;  // since the present window began
  Instant since_;        // when it did
};

}  // namespace pawl
