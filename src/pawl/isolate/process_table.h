// What /proc knows about processes that are not our children. Reading it costs some
// 10 us a process.
//
// find_tagged() finds processes by a mark in their environment: how those are caught that have left
// the process group of the program that started them (setsid). Every process a runner starts
// carries PAWL_GUARD=<run>.<id>, and its descendants inherit it. What has both left its group and
// dropped the mark is not found; only a sandbox can hold that.
#pragma once

#include <sys/types.h>

#include <cstdint>
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

// All living processes whose mark begins with `run` and a dot. One that is just executing a new
// program shows no environment for a moment: whoever must be sure looks twice.
std::vector<TaggedProcess> find_tagged(std::string_view run);

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
