// Simulated time per real time: on a sparse plan (long attempts, long leases, idle time skipped) and
// on the default seeds.

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "pawl/sim/world.h"

namespace {

void measure(const char* name, const std::string& text, uint64_t seeds) {
  using Steady = std::chrono::steady_clock;
  double simulated = 0;
  uint64_t events = 0;
  auto begin = Steady::now();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    pawl::sim::Plan plan = pawl::sim::make_plan(seed);
    if (!apply_plan_text(plan, text).ok()) return;
    pawl::sim::Seams seams;
    pawl::sim::RunResult result = run(plan, seams);
    simulated += static_cast<double>(result.tally.simulated.ns) / 1e9;
    events += result.tally.events;
  }
  double real = std::chrono::duration<double>(Steady::now() - begin).count();
  std::printf("%-8s %8.0f s simulated in %6.2f s: %8.0f times real time, %.2f M events/s\n", name,
              simulated, real, simulated / real, static_cast<double>(events) / real / 1e6);
}

}  // namespace

int main() {
  std::ifstream file(std::string(PAWL_PLANS) + "/sparse.plan");
  std::string sparse;
  for (std::string line; std::getline(file, line);) sparse += line + "\n";
  measure("sparse", sparse, 20);
  measure("default", "faults swarm\n", 100);
}
