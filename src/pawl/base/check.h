// Always-on checks for what must hold. A failed check is a bug in Pawl, never a user's mistake:
// it prints one line and aborts, in release builds too. What a user can cause is a Result.
//
//   PAWL_CHECK(open > 0, "a completion for a node without open attempts");
#pragma once

namespace pawl {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* message);

}  // namespace pawl

#define PAWL_CHECK(condition, message)                               \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::pawl::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)
