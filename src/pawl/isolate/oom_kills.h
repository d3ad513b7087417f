// Tells the kernel's OOM killer from whoever else sends SIGKILL.
//
//   OomKills oom;
//   OomMark begin = oom.mark(clock.monotonic());   // a program is about to start
//   ...                                            // SIGKILL has ended it, and nobody has reaped it yet
//   if (oom.any_since(begin, pid)) ...
//
// The kernel does not say whom it killed, only how often it did: on the whole machine (/proc/vmstat), and in
// each cgroup of version 2 (memory.events.local). A program that ends in the cgroup in which it began, this
// process's, is judged by the count of that one; a program that was moved, and every program where there is
// no such count, by the machine's. (Of what has ended version 1 does not show the cgroup any more.)
//
// So a yes is wrong only where somebody else sent the signal and the OOM killer killed something else there
// in the program's life, or less than mark_lasts before it: the machine's count takes long to read,
// and programs that start one after the other share it. Threading: one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "pawl/base/time.h"

namespace pawl {

struct OomFiles {
  std::string machine = "/proc/vmstat";
  std::string cgroups = "/sys/fs/cgroup";  // where those of version 2 are mounted
};

// How often it had killed; nothing: not known.
struct OomMark {
  std::optional<uint64_t> machine{};
  std::optional<uint64_t> cgroup{};  // the one of this process
};

class OomKills {
 public:
  static constexpr Duration mark_lasts = Duration::milliseconds(1);

  explicit OomKills(const OomFiles& files = {});
  ~OomKills();
  OomKills(const OomKills&) = delete;
  OomKills& operator=(const OomKills&) = delete;

  OomMark mark(Instant now);
  // `pid` has ended, and stands in /proc still.
  bool any_since(const OomMark& mark, pid_t pid) const;

 private:
  int machine_fd_ = -1;
  int cgroup_fd_ = -1;
  std::string cgroup_;  // of this process, as /proc names it
  std::optional<uint64_t> machine_;
  Instant read_at_;  // machine_
};

}  // namespace pawl
