// What /proc knows about processes that are not our children. Reading it costs some
// 10 us a process.
//
// A TaggedSearch finds processes by a mark in their environment: how those are caught that have left
// the process group of the program that started them (setsid). Every process a runner starts
// carries PAWL_GUARD=<run>.<id>, and its descendants inherit it. What has both left its group and
// dropped the mark is not found; only a sandbox can hold that.
//
//   TaggedSearch search(run);
//   while (search.step(200)) do_something_else();
//   for (const TaggedProcess& process : search.found()) kill_tagged(process, run);
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/port/executor.h"

namespace pawl {

constexpr std::string_view tag_name = "PAWL_GUARD=";

struct TaggedProcess {
  pid_t pid = 0;
  uint64_t id = 0;
};

// Looks for all living processes whose mark begins with `run` and a dot, a part of the machine's
// processes at a time, so that a thread with other work can look through ten thousand of them. One
// that is just executing a new program shows no environment for a moment, and one may be forked
// behind the place where we look: whoever must be sure searches twice.
class TaggedSearch {
 public:
  explicit TaggedSearch(std::string_view run);
  ~TaggedSearch();
  TaggedSearch(const TaggedSearch&) = delete;
  TaggedSearch& operator=(const TaggedSearch&) = delete;

  bool step(size_t processes);  // looks at so many more of them; false: those were the last
  const std::vector<TaggedProcess>& found() const { return found_; }

 private:
  struct Folder;
  std::string tag_;
  std::unique_ptr<Folder> folder_;  // null: read to its end
  std::string environment_;
  std::vector<TaggedProcess> found_;
};

// SIGKILL, if the process is still the one that was found: numbers are reused within seconds on a
// machine that starts thousands of processes a second, and then it would hit a stranger.
void kill_tagged(const TaggedProcess& process, std::string_view run);

// Whether a process of that group lives. A zombie does not, whoever forgot to reap it.
bool group_lives(pid_t group);
bool process_lives(pid_t pid);

// What a process and all that descends from it use: processor time so far, with that of those which have
// been waited for, and resident memory now, where what several share counts for each. Beyond
// processes_looked_at of them the rest is left out. Nothing: the process is gone.
constexpr size_t processes_looked_at = 256;
std::optional<LaunchUsage> usage_of_tree(pid_t pid);

}  // namespace pawl
