// What a worker knows about itself, for whoever watches over it.
//
//   const WorkerFigures& figures = worker.figures();
//   figures.failed[size_t(FailureKind::timeout)];   // attempts, since the worker was made
//
// Plain integers of the worker's thread; a range of a thousand items is one observation. An attempt that
// was stopped, or whose session ended before it did, is counted nowhere. Threading: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pawl/base/histogram.h"
#include "pawl/model/message.h"

namespace pawl {

struct WorkerFigures {
  static constexpr size_t kinds = static_cast<size_t>(FailureKind::declined) + 1;

  uint64_t launches = 0;
  uint64_t succeeded = 0;                // attempts, as all that follow
  std::array<uint64_t, kinds> failed{};  // by FailureKind
  Histogram queued;                      // from the arrival of the grant until the start
  Histogram ran;                         // from there to the end

  void take(const AttemptReport& report);  // one of what was launched
};

}  // namespace pawl
