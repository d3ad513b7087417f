#include "pawl/adapter/linux_loop/linux_clock.h"

#include <ctime>

namespace pawl {
namespace {

int64_t read_clock(clockid_t which) {
  timespec t{};
  clock_gettime(which, &t);
  return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Instant LinuxClock::monotonic() {
  return {read_clock(CLOCK_MONOTONIC)};
}
WallTime LinuxClock::wall() {
  return {read_clock(CLOCK_REALTIME)};
}

}  // namespace pawl
