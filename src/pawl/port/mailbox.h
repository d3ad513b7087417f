// A sink that any thread fills and one thread empties on its own turn.
//
//   Mailbox<Finished> inbox(loop);          // producers: inbox.put(...)
//   bool Shell::turn() { inbox.take_all(batch_); for (Finished& f : batch_) ... }
//
// Order per producer is kept. The loop is woken once per change from empty to not empty. take_all()
// trades vectors with the producers, so that a steady flow allocates nothing; looking into an empty
// mailbox costs one load.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "pawl/port/loop.h"
#include "pawl/port/sink.h"

namespace pawl {

template <class T>
class Mailbox final : public Sink<T> {
 public:
  explicit Mailbox(Loop& loop) : loop_(loop) {}

  void put(T value) override {
    bool was_empty = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      was_empty = waiting_.empty();
      waiting_.push_back(std::move(value));
      filled_.store(true, std::memory_order_release);
    }
    if (was_empty) loop_.wake();
  }

  bool empty() const { return !filled_.load(std::memory_order_acquire); }

  // Replaces the content of `into` by all that waits.
  void take_all(std::vector<T>& into) {
    into.clear();
    if (empty()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    into.swap(waiting_);
    filled_.store(false, std::memory_order_relaxed);
  }

 private:
  Loop& loop_;
  std::atomic<bool> filled_{false};
  std::mutex mutex_;
  std::vector<T> waiting_;
};

}  // namespace pawl
