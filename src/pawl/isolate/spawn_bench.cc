// How near ProcessRunner comes to a bare vfork + epoll loop, and to xargs, in one run.
//
//   spawn_bench [PROCESSES [ROUNDS [WORD]]]      5,000 times `true [WORD] NUMBER`, two at a time,
//                                                output captured
//
// The number is what xargs appends too: with exactly one argument, GNU true loads its locale before it
// does nothing, which takes as long as starting it. With a WORD it has two, and does not.
// The rounds alternate, so that what disturbs the machine disturbs all; medians are compared.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/isolate/process_runner.h"

namespace pawl {
namespace {

constexpr int at_once = 2;

struct Bare {
  pid_t pid;
  int pidfd;
  int pipes[2];
};

Bare bare_spawn(Spawner& spawner, int null_fd, char** environment, std::vector<std::string> words) {
  static char program[] = "/bin/true";
  std::vector<char*> argv = {nullptr, program};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) abort();
  SpawnRequest request;
  request.path = program;
  request.argv = argv.data() + 1;
  request.environment = environment;
  request.in = null_fd;
  request.out = out[1];
  request.err = err[1];
  getrlimit(RLIMIT_NOFILE, &request.open_files);
  Spawned spawned = spawner.spawn(request);
  if (spawned.error != 0) abort();
  close(out[1]);
  close(err[1]);
  return {spawned.pid, spawned.pidfd, {out[0], err[0]}};
}

void bare_end(const Bare& bare) {
  char buffer[4096];
  siginfo_t info{};
  for (int pipe : bare.pipes) {
    while (read(pipe, buffer, sizeof buffer) > 0) {
    }
    close(pipe);
  }
  waitid(P_PIDFD, static_cast<id_t>(bare.pidfd), &info, WEXITED);
  close(bare.pidfd);
}

std::vector<std::string> words_of(const std::string& word, int number) {
  std::vector<std::string> words;
  if (!word.empty()) words.push_back(word);
  words.push_back(std::to_string(number));
  return words;
}

void bare_loop(int processes, const std::string& word) {
  Spawner spawner;
  int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::map<int, Bare> running;
  for (int started = 0, ended = 0; ended < processes;) {
    while (started < processes && started - ended < at_once) {
      Bare bare = bare_spawn(spawner, null_fd, environ, words_of(word, started));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = bare.pidfd;
      epoll_ctl(epoll, EPOLL_CTL_ADD, bare.pidfd, &event);
      running.emplace(bare.pidfd, bare);
      started++;
    }
    epoll_event events[at_once];
    int count = epoll_wait(epoll, events, at_once, -1);
    for (int i = 0; i < count; i++, ended++) {
      // Closing is not enough: a process between vfork and close-on-exec still holds a copy.
      epoll_ctl(epoll, EPOLL_CTL_DEL, events[i].data.fd, nullptr);
      bare_end(running.extract(events[i].data.fd).mapped());
    }
  }
  close(epoll);
  close(null_fd);
}

class Refill final : public Sink<ProcessNews> {
 public:
  void put(ProcessNews) override { ended++; }
  int ended = 0;
};

void runner_loop(LinuxLoop& loop, Clock& clock, const ProcessRunnerOptions& options, int processes,
                 const std::string& word) {
  Refill news;
  auto runner = ProcessRunner::create(loop, clock, options, news).value();
  for (int started = 0; news.ended < processes;) {
    for (; started < processes && started - news.ended < at_once; started++) {
      std::vector<std::string> argv = words_of(word, started);
      argv.insert(argv.begin(), "true");
      runner->start(static_cast<uint64_t>(started),
                    {.argv = std::move(argv), .output_path = "e1/n/0.1"});
    }
    loop.run_once(Duration::forever());
  }
}

void xargs(int processes, const std::string& word) {
  std::string line = "seq " + std::to_string(processes) + " | xargs -P2 -n1 true " + word;
  if (system(line.c_str()) != 0) abort();
}

template <class Body>
double rate(Clock& clock, int processes, Body body) {
  Instant began = clock.monotonic();
  body();
  return processes * 1e9 / static_cast<double>((clock.monotonic() - began).ns);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  using namespace pawl;
  int processes = argc > 1 ? std::atoi(argv[1]) : 5000;
  int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  std::string word = argc > 3 ? argv[3] : "";
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  ProcessRunnerOptions options;
  for (char** entry = environ; *entry != nullptr; entry++) options.environment.push_back(*entry);
  options.output_root = "/tmp/pawl-spawn-bench";
  std::vector<double> bare;
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round < rounds; round++) {
    bare.push_back(rate(clock, processes, [&] { bare_loop(processes, word); }));
    ours.push_back(
        rate(clock, processes, [&] { runner_loop(*loop, clock, options, processes, word); }));
    theirs.push_back(rate(clock, processes, [&] { xargs(processes, word); }));
  }
  double b = median(bare);
  double o = median(ours);
  double x = median(theirs);
  std::printf("bare loop      %8.0f /s\nProcessRunner  %8.0f /s\nxargs -P2 -n1  %8.0f /s\n", b, o,
              x);
  std::printf("runner/bare %.3f   runner/xargs %.2f\n", o / b, o / x);
  return 0;
}
