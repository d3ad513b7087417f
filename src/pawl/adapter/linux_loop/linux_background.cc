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

void LinuxBackground::run(Callback<void()> call) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
  changed_.notify_one();
}

void LinuxBackground::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !calls_.empty(); });
    if (closing_) return;
    Callback<void()> call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    call();
    call = {};
    lock.lock();
  }
}

}  // namespace pawl
