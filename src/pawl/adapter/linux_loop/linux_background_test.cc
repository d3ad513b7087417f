#include "pawl/adapter/linux_loop/linux_background.h"

#include "pawl/testing/contract/background_contract.h"

namespace pawl {
namespace {

class LinuxHarness final : public BackgroundHarness {
 public:
  Background& background() override { return *background_; }
  void until(Callback<bool()> happened) override {
    while (!happened()) std::this_thread::yield();
  }
  void end() override { background_.reset(); }

 private:
  std::unique_ptr<LinuxBackground> background_ = std::make_unique<LinuxBackground>(3);
};

std::unique_ptr<BackgroundHarness> make() {
  return std::make_unique<LinuxHarness>();
}

INSTANTIATE_TEST_SUITE_P(Linux, BackgroundContract, testing::Values(&make));

}  // namespace
}  // namespace pawl
