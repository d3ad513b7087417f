#include "pawl/app/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace pawl {
namespace {

TEST(Machine, HasCoresAndMemoryThatAWorkerMayOffer) {
  Amounts capacity = machine_capacity();
  ASSERT_TRUE(check_amounts(capacity, "this machine").ok());
  EXPECT_GE(fits({{"cpu", 1000}, {"memory", 1 << 20}}, capacity), 1u);
  EXPECT_EQ(fits({{"cpu", 1'000'000'000}}, capacity), 0u);
}

class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest() : root_(std::filesystem::temp_directory_path() / "pawl-groups-XXXXXX") {
    std::string made = root_.string();
    EXPECT_NE(mkdtemp(made.data()), nullptr);
    root_ = made;
  }
  ~GroupsTest() override { std::filesystem::remove_all(root_); }
  void limit(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  uint64_t least(const std::string& groups) { return group_memory_limit(groups, root_.string()); }
  std::filesystem::path root_;
};

TEST_F(GroupsTest, TheLeastLimitOnTheWayUpHolds) {
  limit("a/b/memory.max", "max\n");
  limit("a/memory.max", "1000000\n");
  limit("memory.max", "3000000\n");
  EXPECT_EQ(least("0::/a/b\n"), 1'000'000u);
  EXPECT_EQ(least("0::/other\n"), 3'000'000u);
  EXPECT_EQ(least("0::/\n"), 3'000'000u);
}

TEST_F(GroupsTest, TheFirstVersionHasATreeForMemory) {
  limit("memory/a/memory.limit_in_bytes", "2000000\n");
  EXPECT_EQ(least("5:cpu:/x\n4:memory:/a\n1:name=systemd:/y\n"), 2'000'000u);
}

TEST_F(GroupsTest, WhereNothingIsSaidThereIsNoLimit) {
  EXPECT_EQ(least(""), UINT64_MAX);
  EXPECT_EQ(least("0::/a\nnonsense\n"), UINT64_MAX);
  limit("memory.max", "nonsense");
  EXPECT_EQ(least("0::/a\n"), UINT64_MAX);
  EXPECT_GT(memory_to_use(), 1u << 20);
}

TEST(Machine, AProcessUsesMemoryAndProcessorTime) {
  ProcessMeter meter;
  WorkerUsage first = meter.read(Instant{1});
  EXPECT_GT(first.memory_bytes, 100'000u);
  EXPECT_EQ(first.cpu_permille, 0u) << "nothing to compare with yet";
  volatile uint64_t work = 0;
  for (int i = 0; i < 20'000'000; ++i) work = work + 1;
  // As if a microsecond had passed: far more than one core.
  EXPECT_GT(meter.read(Instant{1001}).cpu_permille, 1000u);
}

}  // namespace
}  // namespace pawl
