#include "pawl/app/machine.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pawl {
namespace {

uint64_t cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<uint64_t>(CPU_COUNT(&set));
  return static_cast<uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long pages = 0;
  unsigned long resident = 0;
  bool read = std::fscanf(file, "%lu %lu", &pages, &resident) == 2;
  std::fclose(file);
  return read ? uint64_t{resident} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

Amounts machine_capacity() {
  auto pages = static_cast<uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  uint64_t memory = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  Amounts capacity = {{"cpu", cores() * 1000}};
  if (memory > 0) capacity.push_back({"memory", std::min(memory, amount_max)});
  return capacity;
}

WorkerUsage ProcessMeter::read(Instant now) {
  WorkerUsage usage;
  usage.memory_bytes = resident_bytes();
  timespec spent{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0) return usage;
  int64_t cpu_ns = spent.tv_sec * 1'000'000'000 + spent.tv_nsec;
  int64_t passed = (now - last_).ns;
  if (last_cpu_ns_ >= 0 && passed > 0)
    usage.cpu_permille =
        static_cast<uint32_t>((cpu_ns - last_cpu_ns_) / std::max<int64_t>(1, passed / 1000));
  last_ = now;
  last_cpu_ns_ = cpu_ns;
  return usage;
}

}  // namespace pawl
