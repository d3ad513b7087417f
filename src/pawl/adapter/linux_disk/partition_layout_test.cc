#include "pawl/adapter/linux_disk/partition_layout.h"

#include <gtest/gtest.h>

#include "pawl/testing/sim_disk.h"

namespace pawl {
namespace {

TEST(PartitionLayout, IsSettledOnceAndForAll) {
  SimDisk disk(1);
  EXPECT_EQ(partitions_in(disk).value(), 1u);
  EXPECT_EQ(settle_partitions(disk, 0).value(), 1u);
  EXPECT_EQ(settle_partitions(disk, 8).value(), 8u) << "nothing is there yet";
  EXPECT_EQ(settle_partitions(disk, 4).value(), 4u) << "still nothing";
  ASSERT_TRUE(disk.create("log/segment", 0).ok());
  EXPECT_EQ(settle_partitions(disk, 0).value(), 4u);
  EXPECT_EQ(settle_partitions(disk, 4).value(), 4u);
  EXPECT_EQ(settle_partitions(disk, 2).error().code, Code::failed_precondition);
  EXPECT_EQ(partitions_in(disk).value(), 4u);
}

TEST(PartitionLayout, ADirectoryOfOldHasOne) {
  SimDisk disk(1);
  ASSERT_TRUE(disk.create("log/segment", 0).ok());
  EXPECT_EQ(settle_partitions(disk, 1).value(), 1u);
  EXPECT_EQ(settle_partitions(disk, 2).error().code, Code::failed_precondition);
}

TEST(PartitionLayout, ANumberThatIsNoneIsDamage) {
  for (const char* text : {"", "0\n", "x\n", "99999\n", "8"}) {
    SimDisk disk(1);
    auto file = disk.create("partitions", 0);
    ASSERT_TRUE(file.ok());
    if (*text != '\0') {
      ASSERT_TRUE((*file)->write(0, text).ok());
    }
    EXPECT_EQ(partitions_in(disk).error().code, Code::data_loss) << text;
  }
}

}  // namespace
}  // namespace pawl
