#include "pawl/worker/pace.h"

#include <algorithm>

namespace pawl {

void Pace::took(const std::string& function, uint64_t items, Duration time) {
  int64_t each = std::max<int64_t>(time.ns / static_cast<int64_t>(items), 1);
  if (mean_ns_.size() == functions_max && !mean_ns_.contains(function)) mean_ns_.clear();
  auto [mean, first] = mean_ns_.try_emplace(function, each);
  if (!first) mean->second = std::max<int64_t>(mean->second + (each - mean->second) / 4, 1);
}

std::optional<Duration> Pace::each(const std::string& function) const {
  auto mean = mean_ns_.find(function);
  if (mean == mean_ns_.end()) return std::nullopt;
  return Duration{mean->second};
}

}  // namespace pawl
