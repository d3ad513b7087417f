// Counts and rare events, for operators and for the simulator's coverage.
//
// Contract: never blocks, never fails, any thread. `name` is a string literal in snake_case.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawl {

class Telemetry {
 public:
  virtual ~Telemetry() = default;
  virtual void count(std::string_view name, uint64_t delta) = 0;
  virtual void gauge(std::string_view name, int64_t value) = 0;
  virtual void log(std::string_view line) = 0;  // one line for the operator; no secrets
};

}  // namespace pawl
