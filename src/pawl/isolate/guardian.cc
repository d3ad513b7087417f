#include "pawl/isolate/guardian.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "pawl/isolate/process_table.h"

namespace pawl {
namespace {

constexpr int life_fd = 3;
constexpr int groups_fd = 4;
constexpr int sweeps_max = 200;
constexpr useconds_t sweep_pause_us = 5'000;

Error failed(const std::string& what, int error) {
  return Error{Code::unavailable, "guardian process: " + what + ": " + std::strerror(error)};
}

size_t table_bytes(uint32_t slots) {
  return slots * sizeof(std::atomic<int32_t>);
}

std::atomic<int32_t>* map_table(int fd, uint32_t slots) {
  void* memory = mmap(nullptr, table_bytes(slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<int32_t>*>(memory);
}

// An empty environment, so that a guardian of a Pawl that runs as another Pawl's task carries no
// mark and is not swept with it before its own work is done.
int spawn_guardian(std::vector<std::string> command, int life, int groups, pid_t& pid) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* no_environment[] = {nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawn_file_actions_adddup2(&actions, life, life_fd);
  posix_spawn_file_actions_adddup2(&actions, groups, groups_fd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  int error = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), no_environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// A descriptor above those the child's end at, so that placing them cannot overwrite one another.
int moved_up(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  close(fd);
  return moved;
}

// Each once: from then on the number may be given to a stranger.
void kill_groups(std::atomic<int32_t>* groups, uint32_t slots) {
  for (uint32_t slot = 0; slot < slots; slot++) {
    if (groups[slot].load(std::memory_order_acquire) == 0) continue;
    if (int32_t group = groups[slot].exchange(0); group > 1) kill(-group, SIGKILL);
  }
}

}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::start(const std::vector<std::string>& command,
                                                  const std::string& run, uint32_t slots) {
  std::unique_ptr<Guardian> guardian(new Guardian());
  int memory = memfd_create("pawl-groups", MFD_CLOEXEC);
  if (memory < 0) return failed("memfd_create", errno);
  memory = moved_up(memory);
  if (memory < 0) return failed("no descriptor for it", errno);
  if (ftruncate(memory, static_cast<off_t>(table_bytes(slots))) != 0)
    return failed("ftruncate", errno);
  guardian->groups_ = map_table(memory, slots);
  guardian->slots_ = slots;
  if (guardian->groups_ == nullptr) return failed("mmap", errno);
  for (uint32_t slot = slots; slot-- > 0;) guardian->free_.push_back(slot);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed("pipe2", errno);
  int life = moved_up(ends[0]);
  guardian->life_ = moved_up(ends[1]);
  if (life < 0 || guardian->life_ < 0) {
    close(life);
    close(memory);
    return failed("no descriptor for it", errno);
  }
  std::vector<std::string> words = command;
  words.insert(words.end(), {run, std::to_string(slots)});
  int error = spawn_guardian(words, life, memory, guardian->pid_);
  close(life);
  close(memory);
  if (error != 0)
    return failed("cannot start " + command.front() + " (it belongs beside pawl; copy both)",
                  error);
  return guardian;
}

Guardian::~Guardian() {
  if (life_ >= 0) close(life_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  if (groups_ != nullptr) munmap(groups_, table_bytes(slots_));
}

std::atomic<int32_t>* Guardian::take_slot() {
  if (free_.empty()) return nullptr;
  uint32_t slot = free_.back();
  free_.pop_back();
  return &groups_[slot];
}

void Guardian::give_back(std::atomic<int32_t>* slot) {
  if (slot == nullptr) return;
  slot->store(0, std::memory_order_release);
  free_.push_back(static_cast<uint32_t>(slot - groups_));
}

int guardian_main(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) return 2;
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  auto slots = static_cast<uint32_t>(std::strtoul(arguments[1].c_str(), nullptr, 10));
  std::atomic<int32_t>* groups = map_table(groups_fd, slots);
  if (groups == nullptr) return 1;
  char byte = 0;
  while (read(life_fd, &byte, 1) < 0 && errno == EINTR) {
  }
  // Until nothing is found twice: a process may have forked while we looked, or be in the middle of
  // an exec, when it shows no mark.
  int clean = 0;
  for (int sweep = 0; sweep < sweeps_max && clean < 2; sweep++) {
    if (sweep > 0) usleep(sweep_pause_us);
    kill_groups(groups, slots);
    TaggedSearch search(arguments[0]);
    while (search.step(SIZE_MAX)) {
    }
    for (const TaggedProcess& process : search.found()) kill_tagged(process, arguments[0]);
    clean = search.found().empty() ? clean + 1 : 0;
  }
  return clean < 2 ? 1 : 0;
}

}  // namespace pawl
