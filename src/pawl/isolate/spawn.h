// Starts one program without copying this process: clone(CLONE_VM | CLONE_VFORK), so that the cost
// does not grow with our memory (fork from a process of 2 GB manages 24 a second, this 4,000).
//
//   Spawner spawner;
//   Spawned child = spawner.spawn(request);   // child.error != 0: says at which step it failed
//
// The child is leader of its own process group, has default signal dispositions and an empty mask,
// dies with the *thread* that spawned it (PR_SET_PDEATHSIG), and holds no descriptor but 0 to 3 as
// long as every descriptor of this process is close-on-exec. The calling thread sleeps until the
// exec. Threading: one thread per Spawner.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "pawl/model/workflow.h"

namespace pawl {

struct SpawnRequest {
  const char* path = nullptr;    // absolute, or relative to `directory`
  char** argv = nullptr;         // null-terminated; argv[-1] is writable (for scripts without #!)
  char** environment = nullptr;  // null-terminated
  const char* directory = nullptr;  // null: ours
  int in = -1;                      // the child's descriptors 0, 1, 2, 3; all must be above 3 here
  int out = -1;
  int err = -1;
  int progress = -1;  // -1: none
  ProcessLimits limits;
  rlimit open_files{};                         // what the child gets when limits.open_files is 0
  std::atomic<int32_t>* group_slot = nullptr;  // receives the group's id before the program starts
};

enum class SpawnStep : uint8_t { create, prepare, directory, limits, program };

struct Spawned {
  pid_t pid = -1;
  int pidfd = -1;
  int error = 0;  // errno; 0: the program runs
  SpawnStep step = SpawnStep::create;
};

class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  Spawned spawn(const SpawnRequest& request);

 private:
  char* stack_ = nullptr;
};

}  // namespace pawl
