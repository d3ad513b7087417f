// The network between engine and workers: loses, delays, duplicates and reorders, by dice and by
// what the weather is.
//
//   SimNetwork network(universe, dice);
//   network.weather().loss_permille = 300;
//   network.cut(7, true);                      // nothing to or from address 7
#pragma once

#include <map>
#include <set>

#include "pawl/base/random.h"
#include "pawl/port/transport.h"
#include "pawl/sim/call.h"
#include "pawl/sim/seams.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

struct Weather {
  uint32_t loss_permille = 0;
  uint32_t twice_permille = 0;
  Duration delay_min = Duration::microseconds(50);
  Duration delay_max = Duration::microseconds(500);
};

class Oracle;

class SimNetwork final : public Transport {
 public:
  SimNetwork(Universe& universe, Oracle& oracle, Seams& seams, Random dice)
      : universe_(universe), oracle_(oracle), seams_(seams), dice_(dice) {}

  void bind(Address address, Sink<Message>& receiver) override { receivers_[address] = &receiver; }
  void unbind(Address address) override { receivers_.erase(address); }
  void send(Message message) override;

  Weather& weather() { return weather_; }
  void cut(Address address, bool off);
  void heal();
  // A machine that has stopped within a call sends nothing more.
  void mute_engine_if(Call<bool()> stopped) { engine_stopped_ = std::move(stopped); }

 private:
  void deliver(const Message& message, uint64_t number);
  void lose(Address address);

  Universe& universe_;
  Oracle& oracle_;
  Seams& seams_;
  Random dice_;
  Weather weather_;
  std::map<Address, Sink<Message>*> receivers_;
  std::set<Address> cut_;
  Call<bool()> engine_stopped_;
  std::map<std::pair<Address, Address>, uint64_t> newest_;  // number of what arrived last
  std::map<std::pair<Address, Address>, uint64_t> highest_sequence_;
  uint64_t sent_ = 0;
};

}  // namespace pawl::sim
