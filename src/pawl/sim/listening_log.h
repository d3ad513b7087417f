// Tells the oracle what the engine hands to the log and what the log answers.
#pragma once

#include "pawl/port/log.h"
#include "pawl/sim/oracle.h"

namespace pawl::sim {

class ListeningLog final : public Log {
 public:
  ListeningLog(Log& log, Oracle& oracle) : log_(log), oracle_(oracle) {}

  Result<uint64_t> take_over() override {
    Result<uint64_t> epoch = log_.take_over();
    if (epoch.ok()) oracle_.took_over(epoch_ = *epoch);
    return epoch;
  }
  void append(uint64_t position, Bytes group, AppendMode mode) override {
    oracle_.handed(position, epoch_, group);
    log_.append(position, std::move(group), mode);
  }
  std::optional<AppendDone> poll() override {
    std::optional<AppendDone> done = log_.poll();
    if (done && done->outcome == AppendOutcome::ok) oracle_.acknowledged(done->position);
    if (done && done->outcome != AppendOutcome::ok) oracle_.log_failed();
    return done;
  }
  uint64_t first() const override { return log_.first(); }
  uint64_t tail() const override { return log_.tail(); }
  Result<std::unique_ptr<LogReader>> read(uint64_t from) override { return log_.read(from); }
  Status trim(uint64_t before) override { return log_.trim(before); }
  uint64_t bytes() const override { return log_.bytes(); }
  Durability durability() const override { return log_.durability(); }
  DiskSpace space() override { return log_.space(); }
  Instant idle_deadline() const override { return log_.idle_deadline(); }
  void idle() override { log_.idle(); }

 private:
  Log& log_;
  Oracle& oracle_;
  uint64_t epoch_ = 0;
};

}  // namespace pawl::sim
