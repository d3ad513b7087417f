#include "pawl/testing/sim_disk.h"

#include <gtest/gtest.h>

#include "pawl/testing/contract/disk_contract.h"

namespace pawl {
namespace {

struct SimFixture {
  SimDisk sim{1, Completion::on_demand};
  Disk& disk() { return sim; }
  void settle(File&) { sim.complete_all(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, DiskContract, SimFixture);

TEST(SimDisk, a_crash_kills_handles_and_keeps_what_was_acknowledged) {
  SimDisk disk(7);
  auto file = disk.create("f", 8192).value();
  ASSERT_TRUE(file->write(0, "kept").ok());
  disk.plan(disk.calls() + 1, SimFault::crash);
  EXPECT_EQ(file->write(4096, "maybe").error().code, Code::unavailable);
  EXPECT_TRUE(disk.crashed());
  EXPECT_FALSE(disk.list("").ok());
  disk.restart();
  EXPECT_EQ(file->read(0, 4).error().code, Code::unavailable);
  EXPECT_EQ(disk.open("f").value()->read(0, 4).value(), "kept");
}

TEST(SimDisk, survival_tears_at_sectors) {
  bool torn = false;
  for (uint64_t seed = 0; seed < 50 && !torn; ++seed) {
    SimDisk disk(seed, Completion::on_demand);
    disk.set_survival(Survival::sectors);
    auto file = disk.create("f", 8192).value();
    Bytes block(4096, 'x');
    file->start_write(0, block);
    disk.restart();
    Bytes left = disk.content("f", 0, 4096);
    torn = left.find('x') != Bytes::npos && left.find('\0') != Bytes::npos;
    for (size_t i = 0; i < left.size(); ++i) ASSERT_EQ(left[i], left[i / 512 * 512]);
  }
  EXPECT_TRUE(torn);
}

TEST(SimDisk, an_io_error_poisons_the_file_but_not_a_new_handle) {
  SimDisk disk(3);
  auto file = disk.create("f", 8192).value();
  disk.plan(disk.calls() + 1, SimFault::io_error);
  EXPECT_FALSE(file->write(0, "x").ok());
  EXPECT_EQ(file->write(0, "x").error().code, Code::failed_precondition);
  EXPECT_TRUE(disk.open("f").value()->write(0, "x").ok());
}

TEST(SimDisk, a_full_disk_refuses_new_space_and_takes_preallocated_writes) {
  SimDisk disk(3);
  disk.set_capacity(16384);
  auto file = disk.create("f", 12288).value();
  EXPECT_EQ(disk.create("g", 8192).error().code, Code::resource_exhausted);
  EXPECT_TRUE(file->write(8192, Bytes(4096, 'x')).ok());
  EXPECT_EQ(disk.free_bytes().value(), 4096u);
}

TEST(SimDisk, a_lie_is_acknowledged_remembered_and_mended) {
  for (SimFault fault :
       {SimFault::lost_write, SimFault::misdirected_write, SimFault::flipped_bit}) {
    SimDisk disk(5);
    auto file = disk.create("f", 16384).value();
    ASSERT_TRUE(file->write(0, Bytes(16384, 'a')).ok());
    EXPECT_FALSE(disk.lied());
    disk.plan(disk.calls() + 1, fault);
    EXPECT_TRUE(file->write(4096, Bytes(4096, 'b')).ok());
    EXPECT_TRUE(disk.lied());
    EXPECT_TRUE(file->write(8192, Bytes(4096, 'c')).ok());
    disk.mend();
    EXPECT_FALSE(disk.lied());
    EXPECT_EQ(disk.content("f", 0, 16384),
              Bytes(4096, 'a') + Bytes(4096, 'b') + Bytes(4096, 'c') + Bytes(4096, 'a'));
  }
}

TEST(SimDisk, a_lie_that_is_written_over_is_none) {
  SimDisk disk(5);
  auto file = disk.create("f", 8192).value();
  disk.plan(disk.calls() + 1, SimFault::lost_write);
  EXPECT_TRUE(file->write(0, Bytes(4096, 'b')).ok());
  EXPECT_TRUE(disk.lied());
  EXPECT_TRUE(file->write(0, Bytes(4096, 'c')).ok());
  EXPECT_FALSE(disk.lied());
}

TEST(SimDisk, the_same_seed_gives_the_same_bytes) {
  Bytes seen[2];
  for (Bytes& bytes : seen) {
    SimDisk disk(11);
    auto file = disk.create("f", 65536).value();
    disk.random_faults(SimFault::flipped_bit, 300);
    disk.random_faults(SimFault::misdirected_write, 300);
    for (uint64_t i = 0; i < 16; ++i) ASSERT_TRUE(file->write(i * 4096, Bytes(4096, 'a')).ok());
    EXPECT_GT(disk.faults_injected(), 0u);
    bytes = disk.content("f", 0, 65536);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

}  // namespace
}  // namespace pawl
