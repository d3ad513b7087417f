#include "pawl/adapter/linux_loop/linux_background.h"

#include <chrono>
#include <utility>

namespace pawl {
namespace {

using Steady = std::chrono::steady_clock;

int64_t now_ns() {
  return std::chrono::nanoseconds(Steady::now().time_since_epoch()).count();
}

}  // namespace

LinuxBackground::LinuxBackground(uint32_t threads) {
  for (uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

LinuxBackground::~LinuxBackground() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void LinuxBackground::run(Callback<void()> call, Duration after) {
  std::lock_guard lock(mutex_);
  calls_.emplace(now_ns() + after.ns, std::move(call));
  changed_.notify_one();
}

void LinuxBackground::work() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (calls_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const int64_t due = calls_.begin()->first;
    if (due > now_ns()) {
      changed_.wait_until(lock, Steady::time_point(std::chrono::nanoseconds(due)));
      continue;
    }
    auto call = calls_.extract(calls_.begin());
    lock.unlock();
    call.mapped()();
    call = {};
    lock.lock();
  }
}

}  // namespace pawl
