// For tests: a background that makes no call by itself.
//
//   HandBackground::Calls calls;                            // must outlive it
//   PayloadDesk desk(store, loop, std::make_unique<HandBackground>(calls));
//   make_next(calls);                                       // in the order in which they came, however late they may be
#pragma once

#include <deque>
#include <utility>

#include "pawl/base/check.h"
#include "pawl/port/background.h"

namespace pawl {

class HandBackground final : public Background {
 public:
  using Calls = std::deque<Callback<void()>>;
  explicit HandBackground(Calls& calls) : calls_(calls) {}
  using Background::run;
  void run(Callback<void()> call, Duration) override { calls_.push_back(std::move(call)); }

 private:
  Calls& calls_;
};

inline void make_next(HandBackground::Calls& calls) {
  PAWL_CHECK(!calls.empty(), "nothing was given to the background");
  Callback<void()> call = std::move(calls.front());
  calls.pop_front();
  call();
}

}  // namespace pawl
