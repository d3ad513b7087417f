#include "pawl/api/call_rates.h"

namespace pawl {

Duration CallRates::take(const std::string& caller, Instant now) {
  if (rate_.per_second == 0) return {};
  auto known = buckets_.find(caller);
  if (known == buckets_.end()) {
    if (buckets_.size() >= callers_max_)
      std::erase_if(buckets_,
                    [&](const auto& one) { return one.second.available(now) >= rate_.burst; });
    if (buckets_.size() >= callers_max_) return Duration::seconds(1);
    known = buckets_.emplace(caller, RateLimit()).first;
    known->second.configure(rate_.per_second * 1000, rate_.burst, now);
  }
  RateLimit& bucket = known->second;
  if (bucket.available(now) == 0) return bucket.next(now) - now;
  bucket.take(1, now);
  return {};
}

}  // namespace pawl
