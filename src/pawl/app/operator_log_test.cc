// The log of a process, in a file and on standard error, under the contract of port/telemetry.h.
#include "pawl/app/operator_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <csignal>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "pawl/testing/contract/telemetry_contract.h"

namespace pawl {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class FileHarness final : public TelemetryHarness {
 public:
  explicit FileHarness(const LogOptions& options) : log_(directory_ + "/pawl.log", options) {}
  ~FileHarness() override { std::filesystem::remove_all(directory_); }

  Telemetry& telemetry() override { return log_; }
  int64_t value(std::string_view name) override {
    auto values = log_.values();
    auto found = values.find(name);
    return found == values.end() ? 0 : found->second;
  }
  std::vector<std::string> lines() override {
    std::stringstream text;
    text << std::ifstream(directory_ + "/pawl.log").rdbuf();
    return lines_of(text.str());
  }
  void lose_place() override { std::filesystem::remove_all(directory_); }
  bool stop_reading() override { return false; }

 private:
  static std::string make_directory() {
    std::string pattern = testing::TempDir() + "pawl-log-XXXXXX";
    return mkdtemp(pattern.data());
  }
  const std::string directory_ = make_directory();
  OperatorLog log_;
};

// Standard error is a pipe for as long as it lives.
class StandardError {
 public:
  StandardError() : real_(dup(STDERR_FILENO)) {
    signal(SIGPIPE, SIG_IGN);  // as in every process of ours (linux_loop.h)
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    EXPECT_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    in_ = ends[0];
    fcntl(in_, F_SETFL, O_NONBLOCK);
  }
  ~StandardError() {
    dup2(real_, STDERR_FILENO);
    close(real_);
    if (in_ >= 0) close(in_);
  }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;

  void close_reader() {
    close(in_);
    in_ = -1;
  }
  // What has been written since.
  std::string read_all() {
    std::string text;
    char bytes[4096];
    for (ssize_t n = 0; (n = read(in_, bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<size_t>(n));
    return text;
  }

 private:
  int real_;
  int in_ = -1;
};

class PipeHarness final : public TelemetryHarness {
 public:
  Telemetry& telemetry() override { return log_; }
  int64_t value(std::string_view name) override {
    auto values = log_.values();
    auto found = values.find(name);
    return found == values.end() ? 0 : found->second;
  }
  std::vector<std::string> lines() override { return lines_of(text_ += error_.read_all()); }
  void lose_place() override { error_.close_reader(); }
  bool stop_reading() override { return true; }

 private:
  StandardError error_;
  OperatorLog log_{"", {LogFormat::text, LogLevel::info}};
  std::string text_;
};

std::unique_ptr<TelemetryHarness> text_file() {
  return std::make_unique<FileHarness>(LogOptions{LogFormat::text, LogLevel::warn});
}
std::unique_ptr<TelemetryHarness> json_file() {
  return std::make_unique<FileHarness>(LogOptions{LogFormat::json, LogLevel::debug});
}
std::unique_ptr<TelemetryHarness> standard_error() {
  return std::make_unique<PipeHarness>();
}
INSTANTIATE_TEST_SUITE_P(TextFile, TelemetryContract, testing::Values(&text_file));
INSTANTIATE_TEST_SUITE_P(JsonFile, TelemetryContract, testing::Values(&json_file));
INSTANTIATE_TEST_SUITE_P(StandardError, TelemetryContract, testing::Values(&standard_error));

TEST(OperatorLog, WhatFindsNoRoomIsCountedAndTheNextLineIsWhole) {
  StandardError error;
  OperatorLog log("", {LogFormat::plain, LogLevel::warn});
  log.warn("tested", std::string(100'000, 'x'));  // more than a pipe takes
  log.warn("tested", "lost");
  EXPECT_EQ(log.values().at("log_lines_lost"), 2);
  EXPECT_GT(error.read_all().size(), 1'000u);
  log.warn("tested", "next");
  EXPECT_EQ(error.read_all(), "\npawl: next\n");
  log.warn("tested", "and next");
  EXPECT_EQ(error.read_all(), "pawl: and next\n");
  EXPECT_EQ(log.values().at("log_lines_lost"), 2);
}

}  // namespace
}  // namespace pawl
