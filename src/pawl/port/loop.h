// The one place where a thread waits. Shells are actors: the loop gives them turns.
//
// Contract: turn() is called after wake(), after the actor's deadline has passed, and after any turn
// that returned true (there is more to do); always from the loop's thread, never nested. A wake()
// that arrives during a turn causes another turn. Actors must outlive their registration.
// wake() may be called from any thread and never blocks; everything else on the loop's thread.
#pragma once

#include "pawl/base/time.h"

namespace pawl {

class Actor {
 public:
  virtual ~Actor() = default;
  virtual bool turn() = 0;               // true: has more to do at once
  virtual Instant deadline() const = 0;  // on Clock::monotonic(); Instant::never() if none
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual void add(Actor& actor) = 0;
  virtual void remove(Actor& actor) = 0;
  virtual void wake() = 0;
};

}  // namespace pawl
