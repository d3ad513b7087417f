#include "pawl/sim/network.h"

#include <algorithm>
#include <memory>

#include "pawl/sim/judges.h"

namespace pawl::sim {

void SimNetwork::cut(Address address, bool off) {
  if (!off) {
    cut_.erase(address);
    return;
  }
  cut_.insert(address);
  if (dice_.chance(500)) lose(address);
}

// What a transport may notice of a broken connection, or believe to have noticed.
void SimNetwork::lose(Address address) {
  universe_.after(Duration::milliseconds(static_cast<int64_t>(dice_.below(50))), [this, address] {
    for (uint32_t slot = 0; slot < judges_.partitions(); ++slot) {
      auto engine = receivers_.find(engine_address(slot));
      if (engine == receivers_.end() || muted(engine->first)) continue;
      Message notice;
      notice.from = address;
      notice.to = engine->first;
      notice.body = Unreachable{};
      universe_.note("unreachable", address);
      universe_.reached(Sometimes::worker_unreachable);
      engine->second->put(std::move(notice));
    }
  });
}

bool SimNetwork::muted(Address address) const {
  auto engine = stopped_.find(address);
  return engine != stopped_.end() && engine->second();
}

void SimNetwork::heal() {
  weather_ = {};
  cut_.clear();
}

// What a slow network takes until these bytes are through, behind those before them; nothing if there are too many.
std::optional<Duration> SimNetwork::carry(const Message& message) {
  constexpr Duration queue_max = Duration::seconds(10);
  if (weather_.bytes_per_second == 0) return Duration{};
  const uint64_t bytes = carried_bytes(message.body);
  Instant& until = busy_until_[{message.from, message.to}];
  until = std::max(until, universe_.now());
  if (until - universe_.now() > queue_max) return std::nullopt;
  until = until + Duration{static_cast<int64_t>(bytes * 1'000'000'000 / weather_.bytes_per_second)};
  universe_.coverage.reached_if(until - universe_.now() > Duration::milliseconds(200),
                                Sometimes::network_slow);
  return until - universe_.now();
}

void SimNetwork::send(Message message) {
  if (muted(message.from)) return;
  uint64_t& highest = highest_sequence_[{message.from, message.to}];
  if (message.sequence == 1) highest = 0;
  universe_.coverage.reached_if(message.sequence > 0 && message.sequence <= highest,
                                Sometimes::retransmission_used);
  highest = std::max(highest, message.sequence);
  uint64_t number = ++sent_;
  universe_.note("send", message.from << 32 | message.to, message.sequence, message.body.index());
  if (cut_.contains(message.from) || cut_.contains(message.to) ||
      dice_.chance(weather_.loss_permille))
    return universe_.reached(Sometimes::message_lost);
  const std::optional<Duration> through = carry(message);
  if (!through) return universe_.reached(Sometimes::message_lost);
  auto shared = std::make_shared<const Message>(std::move(message));
  int copies = dice_.chance(weather_.twice_permille) ? 2 : 1;
  if (copies == 2) universe_.reached(Sometimes::message_duplicated);
  for (int copy = 0; copy < copies; ++copy) {
    uint64_t spread = static_cast<uint64_t>(weather_.delay_max.ns - weather_.delay_min.ns);
    Duration delay{weather_.delay_min.ns + static_cast<int64_t>(dice_.below(spread + 1))};
    universe_.after(*through + delay, [this, shared, number] { deliver(*shared, number); });
  }
}

void SimNetwork::tell_judge(const Message& arrived) {
  Oracle* judge = judges_.of_engine(arrived.to);
  if (judge == nullptr) judge = judges_.of_engine(arrived.from);
  if (judge == nullptr) return;
  if (const auto* hello = std::get_if<Hello>(&arrived.body)) judge->arrived(*hello);
  if (const auto* welcome = std::get_if<Welcome>(&arrived.body)) judge->arrived(*welcome);
  if (const auto* recall = std::get_if<Recall>(&arrived.body)) judge->arrived(*recall);
  if (const auto* reports = std::get_if<Reports>(&arrived.body))
    for (const AttemptReport& report : reports->reports) judge->arrived(report);
}

void SimNetwork::deliver(const Message& message, uint64_t number) {
  auto receiver = receivers_.find(message.to);
  if (receiver == receivers_.end() || cut_.contains(message.to)) return;
  uint64_t& newest = newest_[{message.from, message.to}];
  universe_.coverage.reached_if(number < newest, Sometimes::message_overtaken);
  newest = std::max(newest, number);
  Message arrived = message;
  if (!seams_.message(arrived)) return;
  universe_.note("arrive", message.from << 32 | message.to, message.sequence, message.body.index());
  tell_judge(arrived);
  if (judges_.of_engine(arrived.to) != nullptr && dice_.chance(1)) lose(arrived.from);
  receiver->second->put(std::move(arrived));
}

}  // namespace pawl::sim
