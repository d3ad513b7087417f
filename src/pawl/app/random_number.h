// The system's randomness: for seeds and identities, never for decisions.
#pragma once

#include <sys/random.h>

#include <cstdint>

#include "pawl/base/check.h"

namespace pawl {

inline uint64_t random_number() {
  uint64_t number = 0;
  PAWL_CHECK(getrandom(&number, sizeof number, 0) == sizeof number,
             "the system gives no randomness");
  return number;
}

}  // namespace pawl
