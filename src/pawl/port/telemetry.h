// Counts and lines for operators; the counts also for the simulator's coverage.
//
//   telemetry.count("checkpoints", 1);
//   telemetry.warn("log_not_trimmed", "log not trimmed: " + error.message);
//   if (telemetry.logs(LogLevel::debug)) telemetry.log({.level = LogLevel::debug, ...});
//
// Contract (testing/contract/telemetry_contract.h): never blocks, never fails (a line that finds no room is lost), any
// thread. Names of counts and events are string literals in snake_case that stay as they are: dashboards and alerts are
// made of them. No secrets in a line: no inputs, outputs or environment, nothing that programs printed, no tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/base/hash.h"
#include "pawl/model/ids.h"

namespace pawl {

enum class LogLevel : uint8_t { debug = 0, info = 1, warn = 2, error = 3 };

struct LogLine {
  LogLevel level = LogLevel::info;
  const char* event = "";           // "execution_ended"
  std::string message{};            // for people, one line
  ExecutionId execution{};          // 0: of none
  std::string node{};               // its id
  std::optional<ItemIndex> item{};  // of a mapped node, where it is about one
  AttemptNumber attempt = 0;        // 0: of none
  std::string worker{};             // its name
  std::optional<Hash128> trace{};   // id of the execution's trace
  std::string name_space{};         // of the execution
  std::string user{};               // who submitted it; empty: nobody was asked who he is
};

class Telemetry {
 public:
  virtual ~Telemetry() = default;
  virtual void count(std::string_view name, uint64_t delta) = 0;
  virtual void gauge(std::string_view name, int64_t value) = 0;
  virtual void log(const LogLine& line) = 0;
  // Whether lines of the level are kept; the same for life. Ask before making one that costs.
  virtual bool logs(LogLevel level) const { return level >= LogLevel::warn; }

  void warn(const char* event, std::string message) {
    log({.level = LogLevel::warn, .event = event, .message = std::move(message)});
  }
};

}  // namespace pawl
