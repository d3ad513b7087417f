// A loop for tests of what works on threads of its own: nothing turns, and who waits is woken when the tested does it.
//
//   WakeLoop loop;
//   PayloadDesk desk(store, loop);
//   loop.until([&] { return desk.arrivals() == 1u; });
//
// Threading: wake() from any thread; one thread waits.
#pragma once

#include <condition_variable>
#include <mutex>

#include "pawl/port/loop.h"

namespace pawl {

class WakeLoop final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {
    std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_all();
  }
  // For one wake().
  void wait() {
    until([this] { return wakes_ > 0; });
    std::lock_guard lock(mutex_);
    --wakes_;
  }
  // Until `happened`, which is looked at whenever somebody wakes the loop.
  template <class Condition>
  void until(Condition happened) {
    std::unique_lock lock(mutex_);
    woken_.wait(lock, happened);
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
};

}  // namespace pawl
