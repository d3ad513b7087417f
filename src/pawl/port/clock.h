// Time, as the machine tells it.
//
// Contract (testing/contract/clock_contract.h): monotonic() never runs backwards in one process and counts running
// time (its origin is arbitrary); wall() may jump in any direction at any time. Any thread. Cost: tens of nanoseconds.
#pragma once

#include "pawl/base/time.h"

namespace pawl {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant monotonic() = 0;
  virtual WallTime wall() = 0;
};

}  // namespace pawl
