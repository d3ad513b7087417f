// The simulated network under the contract of port/transport.h, in fair and in foul weather.
#include "pawl/sim/network.h"

#include "pawl/sim/judges.h"
#include "pawl/testing/contract/transport_contract.h"

namespace pawl::sim {
namespace {

struct Fair {
  Transport& transport() { return network; }
  void settle() {
    while (universe.step()) {
    }
    EXPECT_FALSE(universe.violated());
  }

  Universe universe;
  Judges judges{universe, Limits(), 1, nullptr};
  Seams seams;
  SimNetwork network{universe, judges, seams, Random(7)};
};

struct Foul : Fair {
  Foul() {
    network.weather() = {.loss_permille = 300,
                         .twice_permille = 300,
                         .delay_min = Duration::microseconds(50),
                         .delay_max = Duration::milliseconds(50),
                         .bytes_per_second = 100'000};
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(SimulatedFair, TransportContract, Fair);
INSTANTIATE_TYPED_TEST_SUITE_P(SimulatedFoul, TransportContract, Foul);

TEST(SimNetwork, LosesNothingInFairWeatherAndSomeInFoul) {
  auto arrived = [](auto&& fixture) {
    ReceivedMessages received;
    fixture.transport().bind(2, received);
    for (int i = 0; i < 100; ++i) {
      Message message;
      message.to = 2;
      fixture.transport().send(std::move(message));
    }
    fixture.settle();
    return received.take().size();
  };
  EXPECT_EQ(arrived(Fair()), 100u);
  EXPECT_NE(arrived(Foul()), 100u);
}

}  // namespace
}  // namespace pawl::sim
