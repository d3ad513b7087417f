// What this machine has, and what this process uses of it.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/port/usage_meter.h"

namespace pawl {

// Bytes that this process may use: the machine's, or less where a control group allows less.
uint64_t memory_to_use();
// Of the groups, from the process's own up to all of them, that /proc/PID/cgroup's text names below `root`
// (/sys/fs/cgroup): the least of their limits. UINT64_MAX: none has one.
uint64_t group_memory_limit(const std::string& groups, const std::string& root);

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
