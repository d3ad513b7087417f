// How long things took, counted in fixed buckets: what a histogram of Prometheus is made of.
//
//   Histogram wait;
//   wait.observe(Duration::milliseconds(3), 100);   // a hundred tasks of one grant
//   wait.count();                                   // 100
//   wait.at_most(5);                                // of these, within bounds[5] (5 ms): 100
//
// Bounds are the same everywhere, so that any two can be compared. observe() costs a search of a few
// comparisons, whatever the number of things. Values below zero count as zero. Pure; threading:
// compatible (one thread writes and reads).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "pawl/base/time.h"

namespace pawl {

class Histogram {
 public:
  static constexpr std::array<Duration, 20> bounds{
      Duration::microseconds(100),  Duration::microseconds(250),
      Duration::microseconds(500),  Duration::milliseconds(1),
      Duration::microseconds(2500), Duration::milliseconds(5),
      Duration::milliseconds(10),   Duration::milliseconds(25),
      Duration::milliseconds(50),   Duration::milliseconds(100),
      Duration::milliseconds(250),  Duration::milliseconds(500),
      Duration::seconds(1),         Duration::milliseconds(2500),
      Duration::seconds(5),         Duration::seconds(10),
      Duration::seconds(30),        Duration::minutes(1),
      Duration::minutes(10),        Duration::hours(1)};

  void observe(Duration value, uint64_t times = 1) {
    value = std::max(value, Duration{});
    auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    buckets_[static_cast<size_t>(bucket)] += times;
    count_ += times;
    constexpr uint64_t second = 1'000'000'000;
    auto ns = static_cast<uint64_t>(value.ns);
    rest_ns_ += ns % second * times;
    seconds_ += ns / second * times + rest_ns_ / second;
    rest_ns_ %= second;
  }

  void add(const Histogram& other) {
    for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    constexpr uint64_t second = 1'000'000'000;
    rest_ns_ += other.rest_ns_;
    seconds_ += other.seconds_ + rest_ns_ / second;
    rest_ns_ %= second;
  }

  uint64_t count() const { return count_; }
  // Together: whole seconds, and nanoseconds beyond them.
  uint64_t sum_seconds() const { return seconds_; }
  uint64_t sum_rest_ns() const { return rest_ns_; }
  // Those within bounds[bound].
  uint64_t at_most(size_t bound) const {
    uint64_t sum = 0;
    for (size_t i = 0; i <= bound; ++i) sum += buckets_[i];
    return sum;
  }

 private:
  std::array<uint64_t, bounds.size() + 1> buckets_{};
  uint64_t count_ = 0;
  uint64_t seconds_ = 0;
  uint64_t rest_ns_ = 0;
};

}  // namespace pawl
