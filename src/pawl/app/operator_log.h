// Telemetry of a process: counters in memory, and lines in a file or on standard error. Whoever reads that may be
// slow or stopped; what it does not take at once is left out, and counted as log_lines_lost.
//
//   OperatorLog log(".pawl/pawl.log", {LogFormat::text, LogLevel::warn});
//   OperatorLog other("", {LogFormat::json, LogLevel::info});           // on standard error
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "pawl/api/log_text.h"

namespace pawl {

class OperatorLog final : public Telemetry {
 public:
  // The file is made with the first line.
  OperatorLog(std::string path, const LogOptions& options)
      : path_(std::move(path)), options_(options) {}
  ~OperatorLog() override;

  void count(std::string_view name, uint64_t delta) override;
  void gauge(std::string_view name, int64_t value) override;
  void log(const LogLine& line) override;
  bool logs(LogLevel level) const override { return level >= options_.level; }
  std::map<std::string, int64_t, std::less<>> values() const;

 private:
  bool write_line(int fd, std::string text);

  const std::string path_;  // empty: standard error
  const LogOptions options_;
  int fd_ = -1;
  bool torn_ = false;  // a part of a line was all there was room for
  mutable std::mutex mutex_;
  std::map<std::string, int64_t, std::less<>> values_;
};

}  // namespace pawl
