#include "pawl/schedule/rate_limit.h"

#include <algorithm>

#include "pawl/base/check.h"

namespace pawl {

void RateLimit::configure(uint64_t rate_permille, uint64_t burst, Instant now) {
  const uint64_t full = burst * parts_per_grant;
  parts_ = rate_ == 0 ? full : std::min(parts(now), full);
  rate_ = rate_permille;
  full_ = full;
  since_ = now;
}

void RateLimit::empty(Instant now) {
  parts_ = 0;
  since_ = now;
}

uint64_t RateLimit::parts(Instant now) const {
  uint64_t gained = 0;
  auto passed = static_cast<uint64_t>(std::max<int64_t>(0, (now - since_).ns));
  if (__builtin_mul_overflow(passed, rate_, &gained)) return full_;
  return gained > full_ - parts_ ? full_ : parts_ + gained;
}

uint64_t RateLimit::available(Instant now) const {
  return rate_ == 0 ? UINT64_MAX : parts(now) / parts_per_grant;
}

void RateLimit::take(uint64_t grants, Instant now) {
  if (rate_ == 0) return;
  parts_ = parts(now);
  since_ = now;
  PAWL_CHECK(grants <= parts_ / parts_per_grant, "more is granted than the rate allows");
  parts_ -= grants * parts_per_grant;
}

Instant RateLimit::next(Instant now) const {
  if (rate_ == 0) return Instant::never();
  uint64_t have = parts(now);
  if (have >= parts_per_grant) return now;
  uint64_t wait = (parts_per_grant - have + rate_ - 1) / rate_;
  return now + Duration{static_cast<int64_t>(wait)};
}

}  // namespace pawl
