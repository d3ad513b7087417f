// Calls that wait, in simulated time: each is made a while later, unless its process has died by then.
//
//   PayloadDesk desk(payloads, process, std::make_unique<SimBackground>(process, dice, longest));
#pragma once

#include <memory>

#include "pawl/base/callback.h"
#include "pawl/base/random.h"
#include "pawl/port/background.h"
#include "pawl/sim/sim_process.h"

namespace pawl::sim {

class SimBackground final : public Background {
 public:
  SimBackground(SimProcess& process, Random dice, Duration longest)
      : process_(process), dice_(dice), longest_(longest) {}
  ~SimBackground() override { *alive_ = false; }

  using Background::run;
  void run(Callback<void()> call, Duration after) override;

 private:
  void make_in(Duration delay, Callback<void()> call);

  SimProcess& process_;
  Random dice_;
  const Duration longest_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace pawl::sim
