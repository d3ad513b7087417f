// The epoll loop and the machine's clocks under the contracts of port/loop.h and port/clock.h.
#include <chrono>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/testing/contract/clock_contract.h"
#include "pawl/testing/contract/loop_contract.h"

namespace pawl {
namespace {

class LinuxClockHarness final : public ClockHarness {
 public:
  Clock& clock() override { return clock_; }
  void pass(Duration time) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(time.ns);
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
  }
  bool set_wall(Duration) override { return false; }

 private:
  LinuxClock clock_;
};

class LinuxLoopHarness final : public LoopHarness {
 public:
  Loop& loop() override { return *loop_; }
  Clock& clock() override { return clock_; }
  bool until(Callback<bool()> happened) override {
    while (!happened()) loop_->run_once(Duration::forever());
    return true;
  }

 private:
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_ = LinuxLoop::create(clock_).value();
};

std::unique_ptr<ClockHarness> make_clock() {
  return std::make_unique<LinuxClockHarness>();
}
std::unique_ptr<LoopHarness> make_loop() {
  return std::make_unique<LinuxLoopHarness>();
}
INSTANTIATE_TEST_SUITE_P(Linux, ClockContract, testing::Values(&make_clock));
INSTANTIATE_TEST_SUITE_P(Linux, LoopContract, testing::Values(&make_loop));

}  // namespace
}  // namespace pawl
