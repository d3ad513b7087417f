// Telemetry of a single process: counters in memory, lines in `pawl.log` of the state directory.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "pawl/port/telemetry.h"

namespace pawl {

class OperatorLog final : public Telemetry {
 public:
  // The file is made with the first line.
  explicit OperatorLog(std::string path) : path_(std::move(path)) {}
  ~OperatorLog() override;

  void count(std::string_view name, uint64_t delta) override;
  void gauge(std::string_view name, int64_t value) override;
  void log(std::string_view line) override;
  std::map<std::string, int64_t, std::less<>> values() const;

 private:
  std::string path_;
  int fd_ = -1;
  mutable std::mutex mutex_;
  std::map<std::string, int64_t, std::less<>> values_;
};

}  // namespace pawl
