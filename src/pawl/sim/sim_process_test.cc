// A simulated process under the contracts of port/clock.h and port/loop.h.
#include "pawl/sim/sim_process.h"

#include "pawl/testing/contract/clock_contract.h"
#include "pawl/testing/contract/loop_contract.h"

namespace pawl::sim {
namespace {

class SimClockHarness final : public ClockHarness {
 public:
  Clock& clock() override { return clock_; }
  void pass(Duration time) override {
    bool passed = false;
    universe_.after(time, [&] { passed = true; });
    while (!passed) universe_.step();
  }
  bool set_wall(Duration by) override {
    jump_.offset = by;
    return true;
  }
  bool any_thread() const override { return false; }

 private:
  Universe universe_;
  WallJump jump_;
  SimClock clock_{universe_, jump_, Duration::seconds(1'000)};
};

class SimLoopHarness final : public LoopHarness {
 public:
  Loop& loop() override { return process_; }
  Clock& clock() override { return process_.clock(); }
  bool until(Callback<bool()> happened) override {
    while (!happened())
      if (!universe_.step()) return false;
    return true;
  }
  bool any_thread() const override { return false; }

 private:
  Universe universe_;
  WallJump jump_;
  SimProcess process_{universe_, jump_, Random(7)};
};

std::unique_ptr<ClockHarness> make_clock() {
  return std::make_unique<SimClockHarness>();
}
std::unique_ptr<LoopHarness> make_loop() {
  return std::make_unique<SimLoopHarness>();
}
INSTANTIATE_TEST_SUITE_P(Simulated, ClockContract, testing::Values(&make_clock));
INSTANTIATE_TEST_SUITE_P(Simulated, LoopContract, testing::Values(&make_loop));

}  // namespace
}  // namespace pawl::sim
