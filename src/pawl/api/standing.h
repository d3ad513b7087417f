// Whoever has been let in, asked again while what it began goes on: a token may end, or be revoked.
//
//   Standing standing(shown, now);                                        // it has just been authenticated
//   PAWL_TRY(standing.check(authenticator, now, Duration::seconds(1)));   // before each further call
//
// Errors: those of authenticate(), with each check() until it knows them again. Threading: one thread.
#pragma once

#include <utility>

#include "pawl/api/access.h"
#include "pawl/base/time.h"

namespace pawl {

class Standing {
 public:
  Standing() = default;
  Standing(Credentials shown, Instant now) : shown_(std::move(shown)), checked_(now) {}

  // Asks once in `every`.
  Status check(const Authenticator& authenticator, Instant now, Duration every) {
    if (now - checked_ < every) return still_;
    checked_ = now;
    Result<Caller> known = authenticator.authenticate(shown_);
    still_ = known.ok() ? Status() : known.error();
    return still_;
  }

 private:
  Credentials shown_;
  Instant checked_;
  Status still_;
};

}  // namespace pawl
