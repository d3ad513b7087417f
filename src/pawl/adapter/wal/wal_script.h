// A log under test on a simulated disk: a script of appends that goes on through every failure as
// an engine would, and judges each recovery. Used by the tests of this folder only.
//
//   WalScript script(disk);
//   script.run(200);                   // appends until position 200, reopening whatever fails
//   EXPECT_EQ(script.verdict(), "");   // nothing acknowledged lost, nothing invented
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/wal/wal.h"
#include "pawl/base/random.h"
#include "pawl/testing/sim_disk.h"

namespace pawl {

class StillClock final : public Clock {
 public:
  Instant monotonic() override { return now_; }
  WallTime wall() override { return {}; }
  void advance(Duration by) { now_ = now_ + by; }

 private:
  Instant now_{1};
};

WalOptions small_wal_options();

enum class Ending : uint8_t { clean, abrupt };

class WalScript final {
 public:
  explicit WalScript(SimDisk& disk) : disk_(disk) {}

  void run(uint64_t positions);
  void finish(Ending ending);  // closes the log, or just lets go of it
  bool reopen();               // and judges; false: the log does not open
  const std::string& verdict() const { return verdict_; }
  const std::string& last_error() const { return last_error_; }
  uint64_t acknowledged() const { return acknowledged_; }
  Wal* log() { return log_.get(); }

 private:
  void append_one();
  void judge_recovery();
  void recover_after(const std::string& failure);
  void fail(const std::string& what) {
    if (verdict_.empty()) verdict_ = what;
  }
  Bytes payload(uint64_t position) const;

  SimDisk& disk_;
  StillClock clock_;
  std::unique_ptr<Wal> log_;
  std::vector<Bytes> sent_{Bytes()};  // by position: the newest payload sent
  uint64_t acknowledged_ = 0;
  uint64_t trimmed_before_ = 1;
  uint64_t life_ = 0;
  uint64_t epoch_ = 0;
  std::string verdict_;
  std::string last_error_;
};

}  // namespace pawl
