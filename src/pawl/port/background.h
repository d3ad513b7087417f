// Where calls that wait are made, so that who must not wait (a loop's thread, which keeps the lease) does not.
//
//   background->run([this] { fetch(); });     // fetch() wakes the loop when it has something
//
// Contract (testing/contract/background_contract.h): each call is made once, never within run(), in no certain order,
// several at once. The destructor waits for those under way and drops the others. run(): any thread, a call's too.
#pragma once

#include "pawl/base/callback.h"

namespace pawl {

class Background {
 public:
  virtual ~Background() = default;
  virtual void run(Callback<void()> call) = 0;
};

}  // namespace pawl
