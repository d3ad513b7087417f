#include "pawl/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace pawl {

void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "pawl: bug: %s:%d: %s: %s\n", file, line, condition, message);
  std::abort();
}

}  // namespace pawl
