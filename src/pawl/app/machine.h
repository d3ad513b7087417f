// What this machine has, and what this process uses of it.
#pragma once

#include "pawl/port/usage_meter.h"

namespace pawl {

// All cores that this process may use ("cpu") and all memory ("memory").
Amounts machine_capacity();

// Resident memory and processor time of this process since the last call, from /proc/self; what cannot
// be read stays 0. One thread at a time.
class ProcessMeter final : public UsageMeter {
 public:
  WorkerUsage read(Instant now) override;

 private:
  Instant last_;
  int64_t last_cpu_ns_ = -1;
};

}  // namespace pawl
