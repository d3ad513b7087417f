// The exhaustive sweep: a script of 200 appends (with idle marks, trims and orderly restarts), in
// which the k-th storage call fails in every way there is, for all k.
#include <gtest/gtest.h>

#include "pawl/adapter/wal/wal_script.h"
#include "pawl/adapter/wal/wal_verify.h"

namespace pawl {
namespace {

constexpr uint64_t positions = 200;

uint64_t calls_of_a_quiet_run() {
  SimDisk disk(1);
  WalScript script(disk);
  script.run(positions);
  EXPECT_EQ(script.verdict(), "");
  script.finish(Ending::clean);
  return disk.calls();
}

void sweep(SimFault fault, Survival survival, uint64_t stride = 1) {
  uint64_t calls = calls_of_a_quiet_run();
  ASSERT_GT(calls, positions);
  for (uint64_t k = 1; k <= calls; k += stride) {
    SimDisk disk(k * 31 + static_cast<uint64_t>(survival));
    disk.set_survival(survival);
    disk.plan(k, fault);
    WalScript script(disk);
    script.run(positions);
    ASSERT_EQ(script.verdict(), "") << "call " << k << ", last error: " << script.last_error();
    script.finish(k % 2 == 0 ? Ending::clean : Ending::abrupt);
    disk.calm();
    if (disk.crashed()) disk.restart();
    WalReport report = verify_wal(disk, "log");
    ASSERT_FALSE(report.problem) << "call " << k << ": " << report.problem->where << ": "
                                 << report.problem->what;
    ASSERT_EQ(report.tail, positions);
    ASSERT_TRUE(script.reopen()) << script.last_error();
    ASSERT_EQ(script.verdict(), "") << "call " << k;
  }
}

TEST(WalSweep, crash_at_every_call_and_nothing_of_it_arrives) {
  sweep(SimFault::crash, Survival::nothing);
}
TEST(WalSweep, crash_at_every_call_and_all_of_it_arrives) {
  sweep(SimFault::crash, Survival::everything);
}
TEST(WalSweep, crash_at_many_calls_and_a_prefix_arrives) {
  sweep(SimFault::crash, Survival::prefix, 3);
}
TEST(WalSweep, crash_at_every_call_and_any_sectors_arrive) {
  sweep(SimFault::crash, Survival::sectors);
}
TEST(WalSweep, every_call_fails_once) {
  sweep(SimFault::io_error, Survival::random);
}
TEST(WalSweep, many_writes_are_short_once) {
  sweep(SimFault::short_write, Survival::random, 3);
}
TEST(WalSweep, the_disk_is_full_at_every_call_once) {
  sweep(SimFault::disk_full, Survival::random);
}

// Two failures, the second one most often in the recovery from the first.
TEST(WalSweep, a_second_crash_during_recovery) {
  uint64_t calls = calls_of_a_quiet_run();
  for (uint64_t k = 1; k <= calls; k += 23) {
    for (uint64_t gap = 1; gap <= 24; ++gap) {
      SimDisk disk(k * 131 + gap);
      disk.plan(k, SimFault::crash);
      disk.plan(k + gap, gap % 3 == 0 ? SimFault::io_error : SimFault::crash);
      WalScript script(disk);
      script.run(k / 3 + 20 < positions ? k / 3 + 20 : positions);
      ASSERT_EQ(script.verdict(), "") << "calls " << k << " and " << k + gap;
    }
  }
}

TEST(WalSweep, random_faults_for_long) {
  uint64_t injected = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SimDisk disk(seed);
    disk.random_faults(SimFault::crash, 4);
    disk.random_faults(SimFault::io_error, 2);
    disk.random_faults(SimFault::disk_full, 4);
    WalScript script(disk);
    script.run(positions);
    if (script.verdict().starts_with("does not open")) continue;  // three faults in a row: try on
    ASSERT_EQ(script.verdict(), "") << "seed " << seed;
    injected += disk.faults_injected();
  }
  EXPECT_GT(injected, 100u);
}

}  // namespace
}  // namespace pawl
