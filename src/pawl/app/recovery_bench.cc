// kill -9 with a million open tasks, until ready again: opening the directory to the first answer.
// Two shapes: one mapped node of a million items, and a million single-task executions.
//
//   ./dev bench recovery_bench       (arguments: [tasks] [directory]; `fill` is used by itself)

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "pawl/app/runtime.h"

extern char** environ;

namespace {

using namespace pawl;
using SteadyClock = std::chrono::steady_clock;

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
    exit(1);
  }
  return std::move(*result);
}

// Until then every task that runs goes on running.
std::atomic<bool> measured{false};

FunctionRegistry& functions() {
  static FunctionRegistry* registry = [] {
    auto* made = new FunctionRegistry;
    PAWL_CHECK(made->add("wait",
                         [](FunctionCall&) -> Result<std::string> {
                           measured.wait(false);
                           return std::string();
                         })
                   .ok(),
               "the first function of its name");
    return made;
  }();
  return *registry;
}

Workflow waiting(uint32_t items) {
  Workflow workflow;
  workflow.name = "waiting";
  Node node;
  node.id = "wait";
  node.type = NodeType::function;
  node.function = "wait";
  if (items > 0) node.for_each = make_expression(std::to_string(items));
  workflow.nodes = {node};
  PAWL_CHECK(finish(workflow).ok(), "one node is a workflow");
  return workflow;
}

// Fills the directory, says so, and waits to be killed.
int fill(const std::string& directory, uint32_t tasks, bool mapped) {
  auto runtime = must(Runtime::open({directory, 2, ""}, functions()));
  WorkflowId id = must(runtime->register_workflow(waiting(mapped ? tasks : 0)));
  if (mapped) {
    must(runtime->start(id, "{}"));
  } else {
    must(runtime->start_many(id, std::vector<std::string>(tasks, "{}")));
  }
  std::printf("filled\n");
  std::fflush(stdout);
  pause();
  return 0;
}

void kill_when_filled(const char* self, const std::string& directory, uint32_t tasks,
                      const char* shape) {
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::string count = std::to_string(tasks);
  char* arguments[] = {const_cast<char*>(self),
                       const_cast<char*>("fill"),
                       const_cast<char*>(directory.c_str()),
                       count.data(),
                       const_cast<char*>(shape),
                       nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environ) != 0) exit(1);
  close(ends[1]);
  char word[16];
  bool filled = read(ends[0], word, sizeof word) > 0;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  PAWL_CHECK(filled, "the child died before it had filled the directory");
}

uint64_t tree_bytes(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "fill")
    return fill(argv[2], static_cast<uint32_t>(std::stoul(argv[3])), argv[4][0] == 'm');
  uint32_t tasks = argc > 1 ? static_cast<uint32_t>(std::stoul(argv[1])) : 1'000'000;
  std::string base = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  for (const char* shape : {"executions", "mapped"}) {
    std::string directory = base + "/pawl-bench-XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) return 1;
    kill_when_filled(argv[0], directory, tasks, shape);
    measured = false;
    auto start = SteadyClock::now();
    {
      auto runtime = must(Runtime::open({directory, 2, ""}, functions()));
      QueryResult result = must(runtime->query(GetOverview{}));
      double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
      const auto& overview = std::get<Overview>(result);
      std::printf(
          "%-10s %u open tasks: ready %.2f s after kill -9 (target <= 2); %llu ready, "
          "%llu running, %llu MiB on disk\n",
          shape, tasks, seconds, static_cast<unsigned long long>(overview.ready),
          static_cast<unsigned long long>(overview.running),
          static_cast<unsigned long long>(tree_bytes(directory) >> 20));
      std::fflush(stdout);
      measured = true;
      measured.notify_all();
    }
    std::filesystem::remove_all(directory);
  }
  return 0;
}
