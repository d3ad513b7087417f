#include "pawl/adapter/wal/chain.h"

#include <sched.h>

#include <atomic>
#include <thread>

namespace pawl::wal {

namespace {

// Waking a sleeping thread costs microseconds, so small groups gather first.
constexpr uint64_t wake_links = 64;
constexpr uint64_t wake_bytes = 64 * 1024;

class InlineChain final : public Chain {
 public:
  explicit InlineChain(ChainPoint start) : point_(start) {}
  void add(ChainLink link) override {
    point_ = next_point(point_, link.position, link.epoch, link.payload);
  }
  ChainPoint newest() override { return point_; }
  ChainPoint newest_after(uint64_t) override { return point_; }

 private:
  ChainPoint point_;
};

class ThreadedChain final : public Chain {
 public:
  ThreadedChain(ChainPoint start, ChainLimits limits)
      : backlog_(start, limits), thread_([this] { run(); }) {}

  ~ThreadedChain() override {
    stopping_ = true;
    wake();
    thread_.join();
  }

  void add(ChainLink link) override {
    ++unannounced_links_;
    unannounced_bytes_ += link.payload.size();
    backlog_.add(std::move(link));
    if (unannounced_links_ >= wake_links || unannounced_bytes_ >= wake_bytes) wake();
  }

  ChainPoint newest() override { return backlog_.glimpse(); }

  ChainPoint newest_after(uint64_t bytes) override {
    backlog_.hand_over();
    while (uint64_t hashed = backlog_.advance()) {
      if (hashed >= bytes) break;
      bytes -= hashed;
    }
    return backlog_.newest();
  }

 private:
  void wake() {
    unannounced_links_ = 0;
    unannounced_bytes_ = 0;
    wakes_.fetch_add(1);
    wakes_.notify_one();
  }

  void run() {
    // A core that runs nothing else counts as free: whoever waits for a write is woken there at
    // once, instead of behind the hash of a group that takes as long as a write.
    sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    while (true) {
      uint32_t seen = wakes_.load();
      while (!stopping_ && backlog_.advance() > 0) {
      }
      if (stopping_) return;
      wakes_.wait(seen);
    }
  }

  ChainBacklog backlog_;
  uint64_t unannounced_links_ = 0;
  uint64_t unannounced_bytes_ = 0;
  std::atomic<uint32_t> wakes_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Chain> make_chain(ChainMode mode, ChainPoint start, ChainLimits limits) {
  if (mode == ChainMode::in_line) return std::make_unique<InlineChain>(start);
  return std::make_unique<ThreadedChain>(start, limits);
}

}  // namespace pawl::wal
