#include "pawl/schedule/drain_rate.h"

#include <algorithm>

namespace pawl {
namespace {

__extension__ typedef unsigned __int128 Wide;

// Saturates: what is beyond all measure stays so.
uint64_t scaled(uint64_t amount, uint64_t by, uint64_t over) {
  Wide whole = static_cast<Wide>(amount) * by / over;
  return static_cast<uint64_t>(std::min<Wide>(whole, UINT64_MAX));
}

constexpr uint64_t ns_per_1000_s = 1'000'000'000'000;

}  // namespace

void DrainRate::begin(Instant now) {
  *this = {};
  since_ = now;
}

void DrainRate::take(uint64_t amount, Instant now) {
  if (now - since_ >= window) {
    rate_ = rate_at(now);
    amount_ = 0;
    since_ = now;
  }
  amount_ += amount;
}

// The first windows count for themselves, later ones a quarter.
uint64_t DrainRate::rate_at(Instant now) const {
  auto passed = static_cast<uint64_t>(std::max((now - since_).ns, window.ns));
  uint64_t fresh = scaled(amount_, ns_per_1000_s, passed);
  if (now - since_ < window) return rate_ == 0 ? fresh : rate_;
  bool alone = rate_ == 0 || (now - since_).ns >= windows_remembered * window.ns;
  return alone ? fresh : rate_ - rate_ / 4 + fresh / 4;
}

Duration DrainRate::time_for(uint64_t amount, Instant now) const {
  uint64_t rate = rate_at(now);
  if (rate == 0) return now - since_;
  uint64_t ns = scaled(amount, ns_per_1000_s, rate);
  return {static_cast<int64_t>(std::min<uint64_t>(ns, INT64_MAX))};
}

}  // namespace pawl
