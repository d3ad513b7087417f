// What a process to run is, and how it went: plain values, without any word of workflows.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/base/time.h"
#include "pawl/model/workflow.h"

namespace pawl {

// Every member has an initialiser, so that {.argv = {"true"}} is a whole command.
struct ProcessCommand {
  bool shell = false;  // argv[0] is a line for /bin/sh -c (run directly where it has no syntax)
  std::vector<std::string> argv = {};  // otherwise: program and arguments
  std::vector<std::pair<std::string, std::string>> environment =
      {};                      // over the runner's; the last one wins
  std::string directory = {};  // empty: the runner's
  ProcessLimits limits = {};
  Duration run_timeout = {};        // 0: none
  Duration heartbeat_timeout = {};  // 0: none; between two progress lines
  std::vector<std::pair<std::string, std::string>> output_files = {};  // declared: name -> path
  std::string output_path = {};  // under the runner's output root, without suffix; empty: no files
};

enum class ProcessEnd : uint8_t {
  exited,             // code: exit code
  signalled,          // code: signal number, not sent by us
  out_of_memory,      // the kernel's OOM killer chose it
  run_timeout,        // we ended it
  heartbeat_timeout,  // we ended it
  stopped,            // ended after stop()
  not_started,        // no such program, no such directory, ...
  declined,           // this machine has no room for another process now
};

// One output stream. `head` is all of it when bytes == head.size(); otherwise it is in the file.
struct ProcessOutput {
  std::string head;    // the first output_head_bytes
  std::string tail;    // the last output_tail_bytes when bytes > head.size()
  std::string path;    // the file; empty: none was made
  uint64_t bytes = 0;  // produced, kept or not
  bool cut = false;    // the file holds less than was produced
  std::string error;   // why the file could not be written; empty: all is well

  bool whole_in_head() const { return bytes == head.size(); }
};

constexpr uint64_t output_head_bytes = 4096;
constexpr uint64_t output_tail_bytes = 1024;

struct ProcessEnded {
  uint64_t id = 0;
  ProcessEnd end = ProcessEnd::exited;
  int32_t code = 0;
  std::string error;  // not_started, declined: why, in one line
  ProcessOutput out;
  ProcessOutput err;
};

struct ProcessProgress {
  uint64_t id = 0;
  uint32_t permille = 0;
  std::string message;
};

using ProcessNews = std::variant<ProcessEnded, ProcessProgress>;

}  // namespace pawl
