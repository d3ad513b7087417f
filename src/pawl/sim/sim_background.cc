#include "pawl/sim/sim_background.h"

#include <utility>

namespace pawl::sim {

void SimBackground::run(Callback<void()> call, Duration after) {
  const uint64_t most = static_cast<uint64_t>(longest_.ns) >> dice_.below(10);
  const Duration takes{static_cast<int64_t>(1 + dice_.below(most + 1))};
  make_in(after + takes, std::move(call));
}

void SimBackground::make_in(Duration delay, Callback<void()> call) {
  process_.after(delay, [this, alive = alive_, call = std::move(call)] {
    if (!*alive) return;
    if (process_.paused()) return make_in(Duration::milliseconds(1), call);
    call();
  });
}

}  // namespace pawl::sim
