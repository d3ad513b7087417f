#include "pawl/adapter/linux_loop/linux_background.h"

#include <utility>

namespace pawl {

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
  calls_.emplace(std::chrono::steady_clock::now() + std::chrono::nanoseconds(after.ns),
                 std::move(call));
  changed_.notify_one();
}

void LinuxBackground::work() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (calls_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto due = calls_.begin()->first;
    if (due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
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
