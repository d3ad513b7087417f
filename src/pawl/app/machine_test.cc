#include "pawl/app/machine.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(Machine, HasCoresAndMemoryThatAWorkerMayOffer) {
  Amounts capacity = machine_capacity();
  ASSERT_TRUE(check_amounts(capacity, "this machine").ok());
  EXPECT_GE(fits({{"cpu", 1000}, {"memory", 1 << 20}}, capacity), 1u);
  EXPECT_EQ(fits({{"cpu", 1'000'000'000}}, capacity), 0u);
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
