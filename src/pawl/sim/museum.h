// The bug museum: defects that really happened somewhere, put between the shipped code and the
// simulated world. The simulator is worth as much as the share of them that it catches.
//
//   for (const Exhibit& exhibit : museum()) {
//     std::unique_ptr<Seams> defect = exhibit.make();
//     RunResult result = run(plan, *defect);          // some seed must be violated
//   }
#pragma once

#include <memory>
#include <vector>

#include "pawl/sim/seams.h"

namespace pawl::sim {

struct Exhibit {
  const char* name;
  const char* incident;  // where it happened
  const char* plan;      // plan text under which it shows soon
  std::unique_ptr<Seams> (*make)();
};

std::vector<Exhibit> museum();
std::vector<Exhibit> storage_exhibits();  // of disks, logs and checkpoints
std::vector<Exhibit> service_exhibits();  // of clocks, messages and answers
std::vector<Exhibit> content_exhibits();  // of timers, retries, payloads and values

}  // namespace pawl::sim
