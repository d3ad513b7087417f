// What durability costs, through the library, against a bare commit on the same disk in
// the same run: the latency of one task, a chain of dependent tasks, and the throughput
// of mapped no-op tasks.
//
//   ./dev bench runtime_bench        (arguments: [tasks] [directory])

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "pawl/app/runtime.h"

namespace {

using namespace pawl;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// p50 of one 4 KiB O_DIRECT|O_DSYNC write into a file whose blocks have been written before: what
// no durable step on this disk can beat.
double bare_commit(const std::string& directory) {
  std::string path = directory + "/bare";
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_DSYNC, 0600);
  if (fd < 0) fd = open(path.c_str(), O_RDWR | O_CREAT | O_DSYNC, 0600);
  constexpr size_t block = 4096;
  constexpr int blocks = 512;
  void* memory = aligned_alloc(block, block);
  memset(memory, 'x', block);
  for (int i = 0; i < blocks; ++i) (void)!pwrite(fd, memory, block, i * static_cast<off_t>(block));
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    auto start = SteadyClock::now();
    (void)!pwrite(fd, memory, block, (i % blocks) * static_cast<off_t>(block));
    times.push_back(seconds_since(start));
  }
  free(memory);
  close(fd);
  unlink(path.c_str());
  return median(times);
}

Workflow chain(uint32_t length) {
  Workflow workflow;
  workflow.name = "chain";
  for (uint32_t i = 0; i < length; ++i) {
    Node node;
    node.id = "n" + std::to_string(i);
    node.type = NodeType::function;
    node.function = "nothing";
    node.with = {{{"null", {}}}};
    if (i > 0) node.needs = {i - 1};
    workflow.nodes.push_back(std::move(node));
  }
  PAWL_CHECK(finish(workflow).ok(), "a chain is a workflow");
  return workflow;
}

Workflow mapped(uint32_t items) {
  Workflow workflow = chain(1);
  workflow.name = "mapped";
  workflow.nodes[0].for_each = make_expression(std::to_string(items));
  PAWL_CHECK(finish(workflow).ok(), "a mapped node is a workflow");
  return workflow;
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
    exit(1);
  }
  return std::move(*result);
}

void run(Runtime& runtime, WorkflowId workflow) {
  ExecutionResult result = must(runtime.run(workflow, "{}"));
  PAWL_CHECK(result.status == ExecutionStatus::succeeded, "a no-op does not fail");
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t tasks = argc > 1 ? static_cast<uint32_t>(std::stoul(argv[1])) : 1'000'000;
  std::string base = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  std::string directory = base + "/pawl-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;

  FunctionRegistry functions;
  PAWL_CHECK(
      functions.add("nothing", [](FunctionCall&) -> Result<std::string> { return std::string(); })
          .ok(),
      "the first function of its name");
  {
    auto runtime = must(Runtime::open({directory + "/state", 2, ""}, functions));

    WorkflowId one = must(runtime->register_workflow(chain(1)));
    for (int i = 0; i < 200; ++i) run(*runtime, one);
    std::vector<double> times;
    std::vector<double> bare;
    for (int round = 0; round < 5; ++round) {
      bare.push_back(bare_commit(directory));
      for (int i = 0; i < 300; ++i) {
        auto start = SteadyClock::now();
        run(*runtime, one);
        times.push_back(seconds_since(start));
      }
    }
    double commit = median(bare);
    double p50 = median(times);
    std::printf("bare commit                 p50 %7.1f us\n", commit * 1e6);
    std::printf("one no-op task              p50 %7.1f us   %5.2f bare commits (target <= 3)\n",
                p50 * 1e6, p50 / commit);

    constexpr uint32_t steps = 1000;
    WorkflowId steps_id = must(runtime->register_workflow(chain(steps)));
    run(*runtime, steps_id);
    std::vector<double> chains;
    std::vector<double> chain_bare;
    for (int round = 0; round < 7; ++round) {
      chain_bare.push_back(bare_commit(directory));
      auto start = SteadyClock::now();
      run(*runtime, steps_id);
      chains.push_back(seconds_since(start) / steps);
    }
    std::printf("chain of %u, per step          %7.1f us   %5.2f bare commits (target <= 1.5)\n",
                steps, median(chains) * 1e6, median(chains) / median(chain_bare));

    WorkflowId many = must(runtime->register_workflow(mapped(tasks)));
    for (int round = 0; round < 3; ++round) {
      double cpu = cpu_seconds();
      auto start = SteadyClock::now();
      run(*runtime, many);
      double wall = seconds_since(start);
      std::printf(
          "mapped no-op tasks          %9.0f tasks/s   %5.2f us CPU each (target 500,000/s)\n",
          tasks / wall, (cpu_seconds() - cpu) / tasks * 1e6);
    }
  }
  std::filesystem::remove_all(directory);
  return 0;
}
