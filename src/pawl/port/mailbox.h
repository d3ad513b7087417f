// The other end of a sink: keeps what any thread puts until the owner's turn, and wakes the owner's
// loop when there was nothing before.
//
//   Mailbox<Finished> news(loop);      // hand out as Sink<Finished>&
//   for (Finished& one : news.take())  // on the owner's turn, in the order of arrival
//
// put(): any thread. take(): the owner's thread. Unbounded by itself: whoever puts is bounded by
// the credit, slots or tickets it was given.
#pragma once

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
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      first = waiting_.empty();
      waiting_.push_back(std::move(value));
    }
    if (first) loop_.wake();
  }

  std::vector<T> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

  bool empty() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

 private:
  Loop& loop_;
  mutable std::mutex mutex_;
  std::vector<T> waiting_;
};

}  // namespace pawl
