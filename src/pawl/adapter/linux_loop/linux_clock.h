// The machine's clocks. monotonic() is CLOCK_MONOTONIC: a laptop that slept has not been running.
// Any thread; about 25 ns.
#pragma once

#include "pawl/port/clock.h"

namespace pawl {

class LinuxClock final : public Clock {
 public:
  Instant monotonic() override;
  WallTime wall() override;
};

}  // namespace pawl
