// Where calls that wait are made, so that who must not wait (a loop's thread, which keeps the lease) does not.
//
//   background->run([this] { fetch(); });     // fetch() wakes the loop when it has something
//
// Contract (testing/contract/background_contract.h): each call is made once, never within run(), not before `after` has
// passed, in no certain order, several at once. The end waits for those under way and drops the others. Any thread.
#pragma once

#include <utility>

#include "pawl/base/callback.h"
#include "pawl/base/time.h"

namespace pawl {

class Background {
 public:
  virtual ~Background() = default;
  void run(Callback<void()> call) { run(std::move(call), {}); }
  virtual void run(Callback<void()> call, Duration after) = 0;
};

}  // namespace pawl
