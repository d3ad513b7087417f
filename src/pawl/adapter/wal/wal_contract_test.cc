#include <stdlib.h>

#include <filesystem>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/wal/wal_script.h"
#include "pawl/testing/contract/log_contract.h"
#include "pawl/testing/sim_disk.h"

namespace pawl {
namespace {

template <class World>
class WalFixture {
 public:
  WalFixture() { log_ = Wal::open(world_.disk(), clock_, small_wal_options()).value(); }
  Log& log() { return *log_; }
  void reopen() {
    PAWL_CHECK(log_->close().ok(), "close failed");
    log_.reset();
    log_ = Wal::open(world_.disk(), clock_, small_wal_options()).value();
  }
  void settle() { world_.settle(); }

 private:
  World world_;
  StillClock clock_;
  std::unique_ptr<Wal> log_;
};

struct SimWorld {
  SimDisk sim{1, Completion::on_demand};
  Disk& disk() { return sim; }
  void settle() { sim.complete_all(); }
};

class LinuxWorld final : public Loop {
 public:
  LinuxWorld() {
    std::string pattern = ::testing::TempDir() + "pawl_wal_XXXXXX";
    PAWL_CHECK(::mkdtemp(pattern.data()) != nullptr, "no temporary directory");
    path_ = pattern;
    disk_ = open_linux_disk(path_, {.wake = this}).value();
  }
  ~LinuxWorld() override { std::filesystem::remove_all(path_); }
  Disk& disk() { return *disk_; }
  void settle() {
    rung_.wait(false);
    rung_.store(false);
  }
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {
    rung_.store(true);
    rung_.notify_all();
  }

 private:
  std::string path_;
  std::atomic<bool> rung_ = false;
  std::unique_ptr<Disk> disk_;
};

using OnSim = WalFixture<SimWorld>;
using OnLinux = WalFixture<LinuxWorld>;
INSTANTIATE_TYPED_TEST_SUITE_P(WalOnSim, LogContract, OnSim);
INSTANTIATE_TYPED_TEST_SUITE_P(WalOnLinux, LogContract, OnLinux);

}  // namespace
}  // namespace pawl
