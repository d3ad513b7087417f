// The one place where a thread waits. Shells are actors: the loop gives them turns.
//
// Contract (testing/contract/loop_contract.h): turn() is called after add(), wake(), the actor's deadline and any turn
// that returned true (more to do), perhaps another actor's; on the loop's thread, never nested. A wake() during a turn
// causes another. Actors must outlive their registration; from remove() on there is no turn. wake() may be called from
// any thread and never blocks; everything else on the loop's thread, which in the simulator is the only one.
#pragma once

#include "pawl/base/time.h"

namespace pawl {

class Actor {
 public:
  virtual ~Actor() = default;
  virtual bool turn() = 0;               // true: has more to do at once
  virtual Instant deadline() const = 0;  // on Clock::monotonic(), read after turns; or never()
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual void add(Actor& actor) = 0;
  virtual void remove(Actor& actor) = 0;
  virtual void wake() = 0;
};

}  // namespace pawl
