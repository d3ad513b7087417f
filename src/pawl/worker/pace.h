// How long a function's items take, by what they took lately: how much of it is worth handing over at once.
//
//   pace.took("resize", 10, Duration::microseconds(30));
//   pace.each("resize");                    // about 3 us
//   pace.each("never seen");                // nothing
//
// The mean of its launches, each newer one weighing a quarter. Kept of functions_max functions; one more, and
// all are measured anew. Threading: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "pawl/base/time.h"

namespace pawl {

class Pace {
 public:
  static constexpr size_t functions_max = 4096;

  void took(const std::string& function, uint64_t items, Duration time);  // items > 0
  std::optional<Duration> each(const std::string& function) const;        // at least 1 ns

 private:
  std::unordered_map<std::string, int64_t> mean_ns_;
};

}  // namespace pawl
