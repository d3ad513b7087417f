// The network between engine and workers: loses, delays, duplicates and reorders, and takes its time for many
// bytes, by dice and by what the weather is.
//
//   SimNetwork network(universe, dice);
//   network.weather().loss_permille = 300;
//   network.cut(7, true);                      // nothing to or from address 7
#pragma once

#include <map>
#include <optional>
#include <set>

#include "pawl/base/callback.h"
#include "pawl/base/random.h"
#include "pawl/port/transport.h"
#include "pawl/sim/seams.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

struct Weather {
  uint32_t loss_permille = 0;
  uint32_t twice_permille = 0;
  Duration delay_min = Duration::microseconds(50);
  Duration delay_max = Duration::microseconds(500);
  uint64_t bytes_per_second = 0;  // between two addresses, and in order; 0: as many as you like
};

class Judges;

class SimNetwork final : public Transport {
 public:
  SimNetwork(Universe& universe, Judges& judges, Seams& seams, Random dice)
      : universe_(universe), judges_(judges), seams_(seams), dice_(dice) {}

  void bind(Address address, Sink<Message>& receiver) override { receivers_[address] = &receiver; }
  void unbind(Address address) override { receivers_.erase(address); }
  void send(Message message) override;

  Weather& weather() { return weather_; }
  void cut(Address address, bool off);
  void heal();
  // A machine that has stopped within a call sends nothing more.
  void mute_if(Address engine, Callback<bool()> stopped) { stopped_[engine] = std::move(stopped); }

 private:
  bool muted(Address address) const;
  void tell_judge(const Message& arrived);
  void deliver(const Message& message, uint64_t number);
  void lose(Address address);
  std::optional<Duration> carry(const Message& message);

  Universe& universe_;
  Judges& judges_;
  Seams& seams_;
  Random dice_;
  Weather weather_;
  std::map<Address, Sink<Message>*> receivers_;
  std::set<Address> cut_;
  std::map<std::pair<Address, Address>, Instant> busy_until_;  // while it is slow
  std::map<Address, Callback<bool()>> stopped_;                // engines
  std::map<std::pair<Address, Address>, uint64_t> newest_;     // number of what arrived last
  std::map<std::pair<Address, Address>, uint64_t> highest_sequence_;
  uint64_t sent_ = 0;
};

}  // namespace pawl::sim
