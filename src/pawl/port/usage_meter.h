// What this process uses, for a worker's heartbeats.
//
// read() gives memory, processor time since the call before, and the version; what cannot be known stays
// as it is made. Costs microseconds. One thread at a time.
#pragma once

#include "pawl/base/time.h"
#include "pawl/model/placement.h"

namespace pawl {

class UsageMeter {
 public:
  virtual ~UsageMeter() = default;
  virtual WorkerUsage read(Instant now) = 0;
};

}  // namespace pawl
