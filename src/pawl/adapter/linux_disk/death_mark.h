// While it lives, a death that this thread brings on the process leaves a byte in a file.
//
//   DeathMark mark(file, offset);
//   ... a failed check, an uncaught exception, SIGSEGV: the signal's number stands at `offset` ...
//
// Those are SIGABRT, SIGBUS, SIGFPE, SIGILL and SIGSEGV, in this thread; also when its stack is at its
// end. SIGKILL leaves nothing, and neither does an allocation that fails, until arm() is called again:
// the machine or a limit has refused it. The program's own handlers are called afterwards, and stand
// again when the last mark of the process has gone.
// Errors: none; what cannot be written is not there.
// Threading: it belongs to the thread that made it; one per thread.
#pragma once

#include <sys/types.h>

#include <memory>

namespace pawl {

class DeathMark {
 public:
  DeathMark(int file, off_t at);
  ~DeathMark();
  DeathMark(const DeathMark&) = delete;
  DeathMark& operator=(const DeathMark&) = delete;

  void arm();

 private:
  int file_;
  off_t at_;
  std::unique_ptr<char[]> stack_;  // for the handler; none if the thread has one
};

}  // namespace pawl
