// A small process that outlives Pawl by a moment: when Pawl dies in whatever way, kill -9 included,
// it kills what Pawl's tasks left running. (A task's first process dies with Pawl by
// PR_SET_PDEATHSIG; its children would not.)
//
// How it knows: it holds the read end of a pipe whose only writer is Pawl, so end-of-file means
// death; and a page of memory shared with Pawl that lists the process groups now running. Telling
// it about a task is one store, made by the new process itself before its program starts.
//
//   auto guardian = Guardian::start({"/usr/bin/pawl-guardian"}, 1000);
//   request.group_slot = guardian->take_slot();  ...  guardian->give_back(slot);
//
// The program to start is `pawl-guardian`, or any whose main() calls guardian_main() with its
// arguments after those given here. Threading: the thread of the runner.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/base/result.h"

namespace pawl {

class Guardian {
 public:
  // `run` is the mark of this Pawl's processes (process_table.h).
  static Result<std::unique_ptr<Guardian>> start(const std::vector<std::string>& command,
                                                 const std::string& run, uint32_t slots);
  ~Guardian();  // has the guardian sweep, and waits for it
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  std::atomic<int32_t>* take_slot();  // null when all are taken
  void give_back(std::atomic<int32_t>* slot);

 private:
  Guardian() = default;

  pid_t pid_ = -1;
  int life_ = -1;  // write end; never written
  std::atomic<int32_t>* groups_ = nullptr;
  uint32_t slots_ = 0;
  std::vector<uint32_t> free_;
};

// The guardian's main(): `arguments` are RUN and SLOTS; descriptors 3 (life) and 4
// (groups) are open.
int guardian_main(const std::vector<std::string>& arguments);

}  // namespace pawl
