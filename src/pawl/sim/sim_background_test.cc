#include "pawl/sim/sim_background.h"

#include "pawl/testing/contract/background_contract.h"

namespace pawl::sim {
namespace {

class SimHarness final : public BackgroundHarness {
 public:
  Background& background() override { return *background_; }
  void until(Callback<bool()> happened) override {
    while (!happened() && universe_.step()) {
    }
  }
  void end() override { background_.reset(); }

 private:
  Universe universe_;
  WallJump jump_;
  SimProcess process_{universe_, jump_, Random(7)};
  std::unique_ptr<SimBackground> background_ =
      std::make_unique<SimBackground>(process_, Random(8), Duration::seconds(1));
};

std::unique_ptr<BackgroundHarness> make() {
  return std::make_unique<SimHarness>();
}

INSTANTIATE_TEST_SUITE_P(Simulated, BackgroundContract, testing::Values(&make));

}  // namespace
}  // namespace pawl::sim
