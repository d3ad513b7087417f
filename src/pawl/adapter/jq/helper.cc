#include "pawl/adapter/jq/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "pawl/adapter/jq/frame.h"

namespace pawl::jq {

namespace {

int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

// posix_spawn never copies our memory: starting a helper costs the same whatever our size.
int spawn(std::vector<std::string> command, int socket, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, helper_socket);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, helper_socket + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);  // a Ctrl-C on the terminal is not for the helper
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  int error = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Helper::Helper(HelperOptions options) : options_(std::move(options)) {}

Helper::~Helper() {
  end();
}

void Helper::end() {
  if (!running()) return;
  int status = 0;
  kill();
  reap(status);
}

Status Helper::start() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return Error{Code::unavailable,
                 std::string("cannot make a socket for the jq helper: ") + std::strerror(errno)};
  pid_t pid = 0;
  int error = spawn({options_.path, std::to_string(options_.memory_limit_bytes),
                     std::to_string(options_.programs_max)},
                    pair[1], pid);
  close(pair[1]);
  if (error != 0) {
    close(pair[0]);
    Code code = error == EAGAIN || error == ENOMEM ? Code::unavailable : Code::failed_precondition;
    return Error{code, "cannot start the jq helper " + options_.path + ": " + std::strerror(error) +
                           "; it belongs beside pawl; copy both"};
  }
  fcntl(pair[0], F_SETFL, O_NONBLOCK);
  socket_ = pair[0];
  std::lock_guard<std::mutex> lock(mutex_);
  pid_ = pid;
  return {};
}

bool Helper::transfer(bool writing, char* at, size_t size, int64_t deadline_ns, bool& late) {
  while (size > 0) {
    ssize_t n = writing ? send(socket_, at, size, MSG_NOSIGNAL) : recv(socket_, at, size, 0);
    if (n > 0) {
      at += n;
      size -= static_cast<size_t>(n);
      continue;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    int64_t left = deadline_ns - now_ns();
    if (left <= 0) {
      late = true;
      return false;
    }
    pollfd waiting{socket_, static_cast<short>(writing ? POLLOUT : POLLIN), 0};
    poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left / 1'000'000 + 1, 1'000'000)));
  }
  return true;
}

Result<Bytes> Helper::ask(ByteView request, Duration time_limit) {
  const int64_t begin = now_ns();
  Result<Bytes> answer = answer_to(request, time_limit, saturating_add(begin, time_limit.ns));
  took_ = Duration::nanoseconds(now_ns() - begin);
  return answer;
}

Result<Bytes> Helper::answer_to(ByteView request, Duration time_limit, int64_t deadline) {
  bool late = false;
  auto size = static_cast<uint32_t>(request.size());
  Bytes frame(sizeof size, '\0');
  std::memcpy(frame.data(), &size, sizeof size);
  frame.append(request);
  if (!transfer(true, frame.data(), frame.size(), deadline, late)) return ended(late, time_limit);
  if (!transfer(false, reinterpret_cast<char*>(&size), sizeof size, deadline, late))
    return ended(late, time_limit);
  Bytes answer(size, '\0');
  if (!transfer(false, answer.data(), answer.size(), deadline, late))
    return ended(late, time_limit);
  return answer;
}

void Helper::kill() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

void Helper::reap(int& status) {
  close(socket_);
  socket_ = -1;
  std::lock_guard<std::mutex> lock(mutex_);
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

Error Helper::ended(bool late, Duration time_limit) {
  int status = 0;
  if (late) kill();
  reap(status);
  if (late)
    return Error{Code::deadline_exceeded, "the expression ran longer than " +
                                              std::to_string(time_limit.whole_milliseconds()) +
                                              " ms and was killed"};
  if (WIFEXITED(status) && WEXITSTATUS(status) == out_of_memory_exit)
    return Error{Code::resource_exhausted, "the expression needed more memory than the " +
                                               std::to_string(options_.memory_limit_bytes >> 20) +
                                               " MiB allowed and was killed"};
  std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                        : "exit code " + std::to_string(WEXITSTATUS(status));
  return Error{Code::internal, "the expression crashed jq (" + how + ")"};
}

}  // namespace pawl::jq
