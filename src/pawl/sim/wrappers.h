// Ports that pass everything on: a defect overrides the one call it spoils.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "pawl/port/clock.h"
#include "pawl/port/disk.h"
#include "pawl/port/log.h"
#include "pawl/port/view.h"

namespace pawl::sim {

class WrappedLog : public Log {
 public:
  explicit WrappedLog(Log& log) : real(log) {}
  Result<uint64_t> take_over() override { return real.take_over(); }
  uint64_t first() const override { return real.first(); }
  uint64_t tail() const override { return real.tail(); }
  void append(uint64_t position, Bytes group, AppendMode mode) override {
    real.append(position, std::move(group), mode);
  }
  std::optional<AppendDone> poll() override { return real.poll(); }
  Result<std::unique_ptr<LogReader>> read(uint64_t from) override { return real.read(from); }
  Status trim(uint64_t before) override { return real.trim(before); }
  uint64_t bytes() const override { return real.bytes(); }
  Durability durability() const override { return real.durability(); }
  DiskSpace space() override { return real.space(); }
  Instant idle_deadline() const override { return real.idle_deadline(); }
  void idle() override { real.idle(); }

 protected:
  Log& real;
};

class WrappedDisk : public Disk {
 public:
  explicit WrappedDisk(Disk& disk) : real(disk) {}
  Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override {
    return real.create(path, size);
  }
  Result<std::unique_ptr<File>> open(const std::string& path) override { return real.open(path); }
  Status publish(const std::string& temporary, const std::string& final_name) override {
    return real.publish(temporary, final_name);
  }
  Status remove(const std::string& path) override { return real.remove(path); }
  Status make_directory(const std::string& path) override { return real.make_directory(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return real.list(directory);
  }
  Result<uint64_t> free_bytes() override { return real.free_bytes(); }

 protected:
  Disk& real;
};

class WrappedView : public View {
 public:
  explicit WrappedView(View& view) : real(view) {}
  uint64_t position() const override { return real.position(); }
  uint64_t trim_position() const override { return real.trim_position(); }
  void submit(ViewBatch batch) override { real.submit(std::move(batch)); }
  void submit_again() override { real.submit_again(); }
  std::optional<Status> poll() override { return real.poll(); }
  Result<std::optional<Bytes>> get(ByteView key) override { return real.get(key); }
  std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) override {
    return real.scan(from, to);
  }

 protected:
  View& real;
};

}  // namespace pawl::sim
