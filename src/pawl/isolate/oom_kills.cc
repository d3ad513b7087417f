#include "pawl/isolate/oom_kills.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string_view>

namespace pawl {
namespace {

// Its cgroup of version 2; empty: there is none, or no such process.
std::string cgroup_of(const std::string& process) {
  std::ifstream lines("/proc/" + process + "/cgroup");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "";
}

std::optional<uint64_t> count_in(int fd) {
  char text[16 * 1024];
  const ssize_t size = fd < 0 ? -1 : pread(fd, text, sizeof text, 0);
  if (size < 0) return std::nullopt;
  const std::string_view all(text, static_cast<size_t>(size));
  constexpr std::string_view key = "\noom_kill ";
  const size_t at = all.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  uint64_t count = 0;
  std::from_chars(all.data() + at + key.size(), all.data() + all.size(), count);
  return count;
}

}  // namespace

OomKills::OomKills(const OomFiles& files) : cgroup_(cgroup_of("self")) {
  machine_fd_ = open(files.machine.c_str(), O_RDONLY | O_CLOEXEC);
  if (cgroup_.empty()) return;
  const std::string events = files.cgroups + cgroup_ + "/memory.events.local";
  cgroup_fd_ = open(events.c_str(), O_RDONLY | O_CLOEXEC);
}

OomKills::~OomKills() {
  if (machine_fd_ >= 0) close(machine_fd_);
  if (cgroup_fd_ >= 0) close(cgroup_fd_);
}

OomMark OomKills::mark(Instant now) {
  if (!machine_ || now - read_at_ >= mark_lasts) {
    machine_ = count_in(machine_fd_);
    read_at_ = now;
  }
  return {machine_, count_in(cgroup_fd_)};
}

bool OomKills::any_since(const OomMark& mark, pid_t pid) const {
  const std::optional<uint64_t> machine = count_in(machine_fd_);
  const bool on_machine = mark.machine && machine && *machine > *mark.machine;
  const std::optional<uint64_t> in_cgroup = count_in(cgroup_fd_);
  if (!mark.cgroup || !in_cgroup || cgroup_of(std::to_string(pid)) != cgroup_) return on_machine;
  return *in_cgroup > *mark.cgroup;
}

}  // namespace pawl
