#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "pawl/sim/world.h"

int main(int argc, char** argv) {
  uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  pawl::sim::Coverage coverage;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    std::fprintf(stderr, "seed %" PRIu64 "\n", seed);
    pawl::sim::Seams seams;
    pawl::sim::RunOptions options;
    options.trace = argc > 3 ? stdout : nullptr;
    auto result = run(pawl::sim::make_plan(seed), seams, options);
    coverage.add(result.coverage);
    if (result.violation)
      std::printf("seed %" PRIu64 " %s %s\n", seed, result.violation->invariant.c_str(),
                  result.violation->what.c_str());
    else
      std::printf("seed %" PRIu64 " ok: %" PRIu64 " events, %" PRIu64 " ended, %" PRIu64
                  " attempts, %" PRIu64 " faults, %" PRIu64 " restarts %ld s\n",
                  seed, result.tally.events, result.tally.executions_ended, result.tally.attempts,
                  result.tally.faults, result.tally.restarts,
                  static_cast<long>(result.tally.simulated.ns / 1'000'000'000));
  }
  std::printf("missing: %s\n", coverage.missing().c_str());
}
