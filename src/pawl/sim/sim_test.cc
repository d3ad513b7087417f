#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/base/random.h"
#include "pawl/sim/runner.h"

namespace pawl::sim {
namespace {

std::string words(const Plan& plan, const Verdict& verdict) {
  return verdict.invariant + ": " + verdict.what + "\n  again: ./dev sim --seed " +
         std::to_string(plan.seed);
}

// Every change: 500 seeds, each twice. They must hold, do something, and get everywhere.
TEST(Simulation, DefaultSeedsHoldAndReachEveryRareState) {
  Seeds seeds;
  Summary summary = judge_seeds(seeds, [](const Plan& plan, const Verdict& verdict) {
    EXPECT_TRUE(verdict.passed) << words(plan, verdict);
  });
  EXPECT_EQ(summary.coverage.missing(), "");
  EXPECT_GE(summary.tally.operations, 50 * seeds.count);
  EXPECT_GE(summary.tally.executions_ended, 15 * seeds.count);
  EXPECT_GE(summary.tally.attempts, 50 * seeds.count);
  EXPECT_GE(summary.tally.faults, 4 * seeds.count);
}

TEST(Simulation, SameSeedSameTraceOtherSeedOtherTrace) {
  Verdict first = judge(make_plan(7), nullptr, Runs::once);
  EXPECT_EQ(judge(make_plan(7), nullptr, Runs::once).trace_hash, first.trace_hash);
  EXPECT_NE(judge(make_plan(8), nullptr, Runs::once).trace_hash, first.trace_hash);
}

// What happens depends on where something lies.
struct OrderByAddress final : Seams {
  bool message(Message&) override {
    kept.push_back(std::make_unique<std::array<char, 512>>());
    return mix64(reinterpret_cast<uintptr_t>(kept.back().get())) % 16 != 0;
  }
  std::vector<std::unique_ptr<std::array<char, 512>>> kept;
};

// What happens depends on a byte that nobody has written.
struct UnwrittenByte final : Seams {
  bool message(Message&) override {
    void* (*volatile take)(size_t) = std::malloc;  // the compiler is not to know what this gives
    auto* bytes = static_cast<volatile unsigned char*>(take(200));
    unsigned char byte = bytes[150];
    std::free(const_cast<unsigned char*>(bytes));
    return byte != 0x5a;
  }
};

template <class Defect>
std::string invariant_broken_twice() {
  Exhibit exhibit{"", "", "",
                  []() -> std::unique_ptr<Seams> { return std::make_unique<Defect>(); }};
  return judge(make_plan(7), &exhibit, Runs::twice).invariant;
}

TEST(Simulation, TwoRunsShowWhatDependsOnTheHeap) {
  EXPECT_EQ(invariant_broken_twice<Seams>(), "");
  EXPECT_EQ(invariant_broken_twice<OrderByAddress>(), "I26");
#ifndef __SANITIZE_ADDRESS__  // fills the heap by itself, in both runs alike
  EXPECT_EQ(invariant_broken_twice<UnwrittenByte>(), "I26");
#endif
}

TEST(Simulation, AFifthOfTheSeedsHaveNoFaultsAndATenthOneKind) {
  int without = 0;
  int one_kind = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    Plan plan = make_plan(seed);
    without += plan.faults.empty();
    bool same = !plan.faults.empty();
    for (const Fault& fault : plan.faults) same &= fault.kind == plan.faults[0].kind;
    one_kind += same;
  }
  EXPECT_NEAR(without, 200, 50);
  EXPECT_GE(one_kind, 70);
}

TEST(Simulation, PlanTextChangesWhatTheSeedDecides) {
  Plan plan = make_plan(3);
  ASSERT_TRUE(apply_plan_text(plan, "workers 7  # many\nlease_ms 1500\nfaults wall_jump\n").ok());
  EXPECT_EQ(plan.workers, 7u);
  EXPECT_EQ(plan.lease, Duration::milliseconds(1500));
  ASSERT_FALSE(plan.faults.empty());
  for (const Fault& fault : plan.faults) EXPECT_EQ(fault.kind, FaultKind::wall_jump);
  EXPECT_FALSE(apply_plan_text(plan, "wrokers 7\n").ok());
  EXPECT_FALSE(apply_plan_text(plan, "workers many\n").ok());
  EXPECT_FALSE(apply_plan_text(plan, "faults earthquake\n").ok());
}

Seeds given_seeds(uint64_t count) {
  Seeds seeds;
  seeds.count = count;
  seeds.runs = Runs::once;
  seeds.jq = std::make_shared<jq::Interpreter>(200, [](void*) { std::abort(); });
  auto given = read_given(PAWL_SAME, *seeds.jq);
  EXPECT_TRUE(given.ok()) << given.error().message;
  if (given.ok()) seeds.given = std::move(*given);
  return seeds;
}

// As tests/e2e/same_test.py shows for every other deployment; here with faults between.
TEST(Simulation, WorkflowsOfFilesBecomeTheSameAsEverywhere) {
  Seeds seeds = given_seeds(24);
  Summary summary = judge_seeds(seeds, [&](const Plan& plan, const Verdict& verdict) {
    EXPECT_TRUE(verdict.passed) << words(plan, verdict) << " --given tests/same";
  });
  EXPECT_GE(summary.tally.executions_ended, 2 * seeds.given.size() * seeds.count);
  EXPECT_GE(summary.tally.faults, 4 * seeds.count);
  EXPECT_GE(summary.tally.restarts, seeds.count);
}

// A worker that had been away held on to what had been cancelled; an answer that was lost left a dead letter to chance.
TEST(Simulation, SeedsThatOnceFailedOnWorkflowsOfFiles) {
  Seeds seeds = given_seeds(1);
  for (uint64_t seed : {150, 201}) {
    Result<Plan> plan = plan_of(seeds, seed);
    ASSERT_TRUE(plan.ok());
    Verdict verdict = judge(*plan, nullptr, Runs::once);
    EXPECT_TRUE(verdict.passed) << words(*plan, verdict) << " --given tests/same";
  }
}

TEST(Simulation, AWorkflowOfAFileThatBecomesAnotherIsNoticed) {
  Seeds seeds = given_seeds(1);
  for (Given& given : seeds.given) {
    size_t at = given.expected.find("\"status\":\"succeeded\"");
    given.expected.replace(at, 22, "\"status\":\"skipped\"");
  }
  Result<Plan> plan = plan_of(seeds, 1);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(judge(*plan, nullptr, Runs::once).invariant, "I27");
}

// The scenarios of tests/scenario/*.plan, each over some seeds.
TEST(Simulation, PlanFilesHold) {
  for (const char* name : {"sparse", "crash_loop", "bad_network", "poison"}) {
    std::ifstream file(std::string(PAWL_PLANS) + "/" + name + ".plan");
    ASSERT_TRUE(file) << name;
    Seeds seeds;
    seeds.count = 10;
    seeds.runs = Runs::once;
    seeds.plan_text.assign(std::istreambuf_iterator<char>(file), {});
    Plan plan = make_plan(1);
    ASSERT_TRUE(apply_plan_text(plan, seeds.plan_text).ok()) << name;
    judge_seeds(seeds, [&](const Plan& run, const Verdict& verdict) {
      EXPECT_TRUE(verdict.passed) << name << ".plan: " << words(run, verdict);
    });
  }
}

}  // namespace
}  // namespace pawl::sim
