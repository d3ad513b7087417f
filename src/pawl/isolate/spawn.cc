#include "pawl/isolate/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cerrno>

#include "pawl/base/check.h"

namespace pawl {
namespace {

constexpr size_t stack_bytes = 64 * 1024;

// Shared with the child, which runs in our memory until it execs.
struct Handover {
  const SpawnRequest* request;
  pid_t parent;
  SpawnStep step;
  int error;
};

// Everything below until `execve` runs in the child, on our memory: system calls only.

bool limit_to(__rlimit_resource_t which, uint64_t value) {
  if (value == 0) return true;
  rlimit limit{value, value};
  return setrlimit(which, &limit) == 0;
}

// At the soft limit the kernel sends XCPU, which says what has happened, and only at the hard one KILL.
bool limit_cpu_to(uint64_t seconds) {
  if (seconds == 0) return true;
  rlimit ours{};
  if (getrlimit(RLIMIT_CPU, &ours) != 0) return false;
  rlimit limit{seconds, seconds};
  if (seconds < ours.rlim_max) limit.rlim_max = seconds + 1;
  return setrlimit(RLIMIT_CPU, &limit) == 0;
}

bool apply_limits(const SpawnRequest& r) {
  if (r.limits.open_files == 0 && setrlimit(RLIMIT_NOFILE, &r.open_files) != 0) return false;
  return limit_to(RLIMIT_NOFILE, r.limits.open_files) &&
         limit_to(RLIMIT_AS, r.limits.memory_bytes) && limit_cpu_to(r.limits.cpu_seconds) &&
         limit_to(RLIMIT_FSIZE, r.limits.file_bytes);
}

// A handler of ours must not run in the child: it would run on our memory. Ignored signals stay
// ignored (nohup), except SIGPIPE, which Pawl itself ignores.
void reset_signals() {
  struct sigaction fresh {};
  fresh.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; signal++) {
    struct sigaction current {};
    if (sigaction(signal, nullptr, &current) != 0) continue;
    bool reset =
        current.sa_handler != SIG_DFL && (current.sa_handler != SIG_IGN || signal == SIGPIPE);
    if (reset) sigaction(signal, &fresh, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool place_descriptors(const SpawnRequest& r) {
  return dup2(r.in, 0) >= 0 && dup2(r.out, 1) >= 0 && dup2(r.err, 2) >= 0 &&
         (r.progress < 0 || dup2(r.progress, 3) >= 0);
}

int fail(Handover& handover, SpawnStep step) {
  handover.error = errno;
  handover.step = step;
  _exit(127);
}

int child_main(void* argument) {
  Handover& handover = *static_cast<Handover*>(argument);
  const SpawnRequest& r = *handover.request;
  setpgid(0, 0);
  if (r.group_slot != nullptr) r.group_slot->store(getpid(), std::memory_order_release);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != handover.parent) _exit(127);  // killed before the line above
  if (!place_descriptors(r)) return fail(handover, SpawnStep::prepare);
  if (r.directory != nullptr && chdir(r.directory) != 0)
    return fail(handover, SpawnStep::directory);
  if (!apply_limits(r)) return fail(handover, SpawnStep::limits);
  reset_signals();
  execve(r.path, r.argv, r.environment);
  if (errno == ENOEXEC) {  // a script without #!, which a shell would run
    static char shell[] = "/bin/sh";
    r.argv[-1] = shell;
    r.argv[0] = const_cast<char*>(r.path);
    execve(shell, r.argv - 1, r.environment);
  }
  return fail(handover, SpawnStep::program);
}

}  // namespace

Spawner::Spawner() {
  void* memory = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  PAWL_CHECK(memory != MAP_FAILED, "no memory for the stack of new processes");
  stack_ = static_cast<char*>(memory);
}

Spawner::~Spawner() {
  munmap(stack_, stack_bytes);
}

Spawned Spawner::spawn(const SpawnRequest& request) {
  Handover handover{&request, getpid(), SpawnStep::create, 0};
  Spawned result;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  result.pid = clone(child_main, stack_ + stack_bytes,
                     CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &handover, &result.pidfd);
  int clone_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (result.pid < 0) {
    result.error = clone_error;
    return result;
  }
  result.error = handover.error;
  result.step = handover.step;
  if (result.error != 0) {
    if (request.group_slot != nullptr) request.group_slot->store(0, std::memory_order_release);
    waitpid(result.pid, nullptr, 0);
    close(result.pidfd);
    result.pidfd = -1;
  }
  return result;
}

}  // namespace pawl
