#include "pawl/sim/museum.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "pawl/sim/runner.h"

namespace pawl::sim {
namespace {

constexpr uint64_t seeds_max = 60;

Plan plan_of(const Exhibit& exhibit, uint64_t seed) {
  Plan plan = make_plan(seed);
  EXPECT_TRUE(apply_plan_text(plan, exhibit.plan).ok()) << exhibit.name;
  return plan;
}

// Each defect is caught within some seeds, and the same seeds hold without it: so it was the defect
// that was caught.
TEST(Museum, EveryDefectIsCaught) {
  std::vector<Exhibit> exhibits = museum();
  EXPECT_GE(exhibits.size(), 35u);
  for (const Exhibit& exhibit : exhibits) {
    uint64_t seed = 0;
    Verdict verdict{true, "", "", 0, {}, {}};
    while (verdict.passed && seed < seeds_max) {
      Plan plan = plan_of(exhibit, ++seed);
      verdict = judge(plan, &exhibit, Runs::once);
      Verdict without = judge(plan, nullptr, Runs::once);
      EXPECT_TRUE(without.passed) << exhibit.name << ", seed " << seed
                                  << " without the defect: " << without.invariant << " "
                                  << without.what;
    }
    EXPECT_FALSE(verdict.passed) << exhibit.name << " lives";
    std::printf("%-24s seed %2d  %-5s %s\n", exhibit.name, static_cast<int>(seed),
                verdict.invariant.c_str(), verdict.what.substr(0, 100).c_str());
  }
}

const Exhibit& exhibit_named(const std::vector<Exhibit>& exhibits, const std::string& name) {
  for (const Exhibit& exhibit : exhibits)
    if (exhibit.name == name) return exhibit;
  ADD_FAILURE() << "the museum has no " << name;
  return exhibits.front();
}

// Of faults of which only one kind shows the defect, that kind is left, and none too many.
TEST(Museum, MinimisingLeavesTheFaultsThatAreNeeded) {
  std::vector<Exhibit> exhibits = museum();
  const Exhibit& exhibit = exhibit_named(exhibits, "lease_by_wall_clock");
  for (uint64_t seed = 1; seed <= seeds_max; ++seed) {
    Plan plan = make_plan(seed);
    ASSERT_TRUE(apply_plan_text(plan, "faults wall_jump worker_drain slow_evaluator").ok());
    Verdict verdict = judge(plan, &exhibit, Runs::once);
    if (verdict.passed || plan.faults.size() < 4) continue;
    Plan small = minimise(plan, &exhibit, verdict.invariant);
    EXPECT_LT(small.faults.size(), plan.faults.size());
    EXPECT_EQ(judge(small, &exhibit, Runs::once).invariant, verdict.invariant);
    for (size_t i = 0; i < small.faults.size(); ++i) {
      EXPECT_EQ(small.faults[i].kind, FaultKind::wall_jump);
      Plan fewer = small;
      fewer.faults.erase(fewer.faults.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_NE(judge(fewer, &exhibit, Runs::once).invariant, verdict.invariant);
    }
    return;
  }
  FAIL() << "no seed with several faults was caught";
}

}  // namespace
}  // namespace pawl::sim
