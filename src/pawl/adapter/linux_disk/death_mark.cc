#include "pawl/adapter/linux_disk/death_mark.h"

#include <signal.h>
#include <unistd.h>

#include <mutex>
#include <new>

namespace pawl {
namespace {

constexpr size_t stack_bytes = 64 << 10;
constexpr int deaths[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
constexpr size_t kinds = sizeof(deaths) / sizeof(deaths[0]);

// A signal's handler is the process's, and is told nothing but the signal.
std::mutex mutex;
int marks = 0;  // alive, in all threads
struct sigaction before[kinds];
std::new_handler before_new = nullptr;
thread_local volatile int armed_file = -1;
thread_local volatile off_t armed_at = 0;

// Only calls that POSIX lists as async-signal-safe.
void leave_mark(int signal, siginfo_t* info, void*) {
  auto number = static_cast<char>(signal);
  if (armed_file >= 0 && ::pwrite(armed_file, &number, 1, armed_at) < 0) armed_file = -1;
  for (size_t kind = 0; kind < kinds; ++kind) {
    if (deaths[kind] == signal) ::sigaction(signal, &before[kind], nullptr);
  }
  // A fault comes again by itself, at the instruction that this returns to.
  if (info->si_code <= 0) ::raise(signal);
}

void out_of_memory() {
  armed_file = -1;
  if (before_new != nullptr) return before_new();
  throw std::bad_alloc();
}

void take_over() {
  struct sigaction action = {};
  action.sa_sigaction = leave_mark;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t kind = 0; kind < kinds; ++kind) ::sigaction(deaths[kind], &action, &before[kind]);
  before_new = std::set_new_handler(out_of_memory);
}

void give_back() {
  for (size_t kind = 0; kind < kinds; ++kind) ::sigaction(deaths[kind], &before[kind], nullptr);
  std::set_new_handler(before_new);
}

}  // namespace

DeathMark::DeathMark(int file, off_t at) : file_(file), at_(at) {
  stack_t now = {};
  if (::sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0) {
    stack_ = std::make_unique<char[]>(stack_bytes);
    stack_t own = {};
    own.ss_sp = stack_.get();
    own.ss_size = stack_bytes;
    ::sigaltstack(&own, nullptr);
  }
  std::lock_guard lock(mutex);
  if (marks++ == 0) take_over();
  arm();
}

DeathMark::~DeathMark() {
  armed_file = -1;
  {
    std::lock_guard lock(mutex);
    if (--marks == 0) give_back();
  }
  if (!stack_) return;
  stack_t none = {};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

void DeathMark::arm() {
  armed_at = at_;
  armed_file = file_;
}

}  // namespace pawl
