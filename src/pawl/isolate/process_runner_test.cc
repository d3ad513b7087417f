// ProcessRunner with real programs: ordinary ones, and those that do not want to end, print without
// end, leave children behind, or are too many.
#include "pawl/isolate/process_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "pawl/adapter/linux_loop/linux_clock.h"

namespace pawl {
namespace {

class News final : public Sink<ProcessNews> {
 public:
  void put(ProcessNews news) override {
    if (auto* ended = std::get_if<ProcessEnded>(&news)) {
      bool first = ended_.emplace(ended->id, std::move(*ended)).second;
      EXPECT_TRUE(first) << "two ends for one start";
    } else {
      progress.push_back(std::get<ProcessProgress>(news));
    }
  }
  bool has(uint64_t id) const { return ended_.contains(id); }
  size_t count() const { return ended_.size(); }
  const ProcessEnded& at(uint64_t id) const { return ended_.at(id); }
  std::vector<ProcessProgress> progress;

 private:
  std::map<uint64_t, ProcessEnded> ended_;
};

class ProcessRunnerTest : public testing::Test {
 protected:
  ProcessRunnerTest() {
    std::string pattern = testing::TempDir() + "pawl-runner-XXXXXX";
    root = mkdtemp(pattern.data());
    options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "COLOUR=red"};
    options.output_root = root + "/output";
    options.kill_grace = Duration::milliseconds(30);
    options.guardian = {PAWL_GUARDIAN};
  }
  ~ProcessRunnerTest() override {
    runner_.reset();
    std::filesystem::remove_all(root);
  }

  ProcessRunner& runner() {
    if (!runner_) runner_ = std::move(ProcessRunner::create(*loop, clock, options, news).value());
    return *runner_;
  }
  const ProcessEnded& run(ProcessCommand command) {
    uint64_t id = ++last_;
    if (command.output_path.empty()) command.output_path = "e1/node/" + std::to_string(id) + ".1";
    runner().start(id, std::move(command));
    return wait(id);
  }
  const ProcessEnded& wait(uint64_t id) {
    while (!news.has(id)) loop->run_once(Duration::forever());
    return news.at(id);
  }
  uint64_t begin(ProcessCommand command) {
    runner().start(++last_, std::move(command));
    return last_;
  }
  const ProcessEnded& shell(const std::string& line) {
    return run({.shell = true, .argv = {line}});
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  // Whether no process of that number runs (a zombie does not).
  static bool gone(pid_t pid) {
    std::string stat = content("/proc/" + std::to_string(pid) + "/stat");
    size_t name_end = stat.rfind(')');
    return name_end == std::string::npos || stat.at(name_end + 2) == 'Z';
  }

  std::string root;
  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
  ProcessRunnerOptions options;
  News news;

 private:
  std::unique_ptr<ProcessRunner> runner_;
  uint64_t last_ = 0;
};

std::map<int, std::string> open_pipes() {
  std::map<int, std::string> pipes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the iterator's own
    std::string target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.starts_with("pipe:")) pipes[std::stoi(entry.path().filename())] = target;
  }
  return pipes;
}

// As when the user's epoll watches are used up: what cannot be watched takes the pipes' place.
TEST_F(ProcessRunnerTest, AProgramWhosePipesCannotBeWatchedIsEndedAndSaysWhy) {
  run({.argv = {"true"}});
  std::map<int, std::string> before = open_pipes();
  uint64_t id = begin({.argv = {"sleep", "1000"}});
  int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int replaced = 0;
  for (const auto& [fd, target] : open_pipes()) {
    if (before.contains(fd) && before.at(fd) == target) continue;
    ASSERT_EQ(dup2(file, fd), fd);
    ++replaced;
  }
  close(file);
  ASSERT_GT(replaced, 0);
  const ProcessEnded& ended = wait(id);
  EXPECT_EQ(ended.end, ProcessEnd::not_started);
  EXPECT_NE(ended.error.find("its output cannot be followed: event loop: epoll_ctl"),
            std::string::npos)
      << ended.error;
  EXPECT_EQ(run({.argv = {"true"}}).end, ProcessEnd::exited) << "others go on";
}

TEST_F(ProcessRunnerTest, AProgramThatSucceedsLeavesNoFile) {
  const ProcessEnded& ended = run({.argv = {"true"}});
  EXPECT_EQ(ended.end, ProcessEnd::exited);
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(ended.out.path.empty());
  EXPECT_FALSE(std::filesystem::exists(options.output_root));
}

TEST_F(ProcessRunnerTest, ExitCodesAndSignalsAreToldApart) {
  const ProcessEnded& three = shell("exit 3");
  EXPECT_EQ(three.end, ProcessEnd::exited);
  EXPECT_EQ(three.code, 3);
  const ProcessEnded& killed = shell("kill -USR1 $$");
  EXPECT_EQ(killed.end, ProcessEnd::signalled);
  EXPECT_EQ(killed.code, SIGUSR1);
  const ProcessEnded& nine = shell("kill -KILL $$");
  EXPECT_EQ(nine.end, ProcessEnd::signalled);
  EXPECT_EQ(nine.code, SIGKILL);
}

TEST_F(ProcessRunnerTest, WhatCannotStartSaysWhy) {
  const ProcessEnded& missing = run({.argv = {"no-such-program-here"}});
  EXPECT_EQ(missing.end, ProcessEnd::not_started);
  EXPECT_EQ(missing.error, "no such program: \"no-such-program-here\" (looked in PATH)");
  const ProcessEnded& path = run({.argv = {"/no/such/program"}});
  EXPECT_EQ(path.error, "no such program: \"/no/such/program\"");
  const ProcessEnded& directory = run({.argv = {"true"}, .directory = "/no/such/place"});
  EXPECT_EQ(directory.end, ProcessEnd::not_started);
  EXPECT_EQ(directory.error,
            "cannot enter directory \"/no/such/place\": No such file or directory");
  const ProcessEnded& not_executable = run({.argv = {"/etc/passwd"}});
  EXPECT_EQ(not_executable.error, "cannot run \"/etc/passwd\": Permission denied");
  std::string script = root + "/script";
  std::ofstream(script) << "#!/no/such/interpreter\n";
  chmod(script.c_str(), 0755);
  EXPECT_NE(run({.argv = {script}}).error.find("interpreter it names"), std::string::npos);
  const ProcessEnded& empty = run({.argv = {}});
  EXPECT_EQ(empty.end, ProcessEnd::not_started);
}

TEST_F(ProcessRunnerTest, AScriptWithoutInterpreterLineIsRunByTheShell) {
  std::string script = root + "/script";
  std::ofstream(script) << "echo from a script: $1\n";
  chmod(script.c_str(), 0755);
  EXPECT_EQ(run({.argv = {script, "yes"}}).out.head, "from a script: yes\n");
}

TEST_F(ProcessRunnerTest, EnvironmentDirectoryAndDescriptorsAreThoseAsked) {
  const ProcessEnded& env = run({.argv = {"env"}, .environment = {{"COLOUR", "blue"}, {"A", "1"}}});
  EXPECT_NE(env.out.head.find("COLOUR=blue\n"), std::string::npos);
  EXPECT_EQ(env.out.head.find("COLOUR=red"), std::string::npos);
  EXPECT_NE(env.out.head.find("\nA=1\n"), std::string::npos);
  EXPECT_NE(env.out.head.find("PAWL_PROGRESS=3\n"), std::string::npos);
  EXPECT_EQ(run({.argv = {"/bin/pwd"}, .directory = "/usr"}).out.head, "/usr\n");
  // 4 is ls itself, reading the directory.
  EXPECT_EQ(run({.argv = {"ls", "/proc/self/fd"}}).out.head, "0\n1\n2\n3\n4\n");
  EXPECT_EQ(shell("cat; echo $?").out.head, "0\n");
  EXPECT_EQ(shell("set -- $(cat /proc/$$/stat); test $5 = $$ && printf leader").out.head, "leader");
}

TEST_F(ProcessRunnerTest, LimitsHold) {
  EXPECT_EQ(
      run({.shell = true, .argv = {"ulimit -n; exit 0"}, .limits = {.open_files = 17}}).out.head,
      "17\n");
  EXPECT_EQ(run({.shell = true, .argv = {"ulimit -v; exit 0"}, .limits = {.memory_bytes = 1 << 28}})
                .out.head,
            "262144\n");
  const ProcessEnded& file = run({.shell = true,
                                  .argv = {"exec head -c 100000 /dev/zero > " + root + "/big"},
                                  .limits = {.file_bytes = 1000}});
  EXPECT_EQ(file.end, ProcessEnd::signalled);
  EXPECT_EQ(file.code, SIGXFSZ);
}

using ProcessEndingsTest = ProcessRunnerTest;

class ManualClock final : public Clock {
 public:
  Instant monotonic() override { return now; }
  WallTime wall() override { return {}; }
  Instant now{1'000'000'000'000};
};

TEST_F(ProcessEndingsTest, AProgramThatIgnoresTermIsKilledAfterTheGrace) {
  const ProcessEnded& ended = run({.shell = true,
                                   .argv = {"trap '' TERM; while :; do sleep 1000; done"},
                                   .run_timeout = Duration::milliseconds(20)});
  EXPECT_EQ(ended.end, ProcessEnd::run_timeout);
}

TEST_F(ProcessEndingsTest, AProgramMayEndInOrderAfterTerm) {
  options.kill_grace = Duration::minutes(1);
  uint64_t id =
      begin({.shell = true,
             .argv = {"trap 'echo bye; exit 0' TERM; echo 0.1 ready >&3; sleep 1000 & wait"}});
  while (news.progress.empty()) loop->run_once(Duration::forever());
  runner().stop(id, StopMode::terminate);
  const ProcessEnded& ended = wait(id);
  EXPECT_EQ(ended.end, ProcessEnd::stopped);
  EXPECT_EQ(ended.out.head, "bye\n");
}

TEST_F(ProcessEndingsTest, AStoppedProgramCanBeEnded) {
  options.kill_grace = Duration::minutes(1);
  uint64_t id = begin({.shell = true, .argv = {"echo 0.1 >&3; kill -STOP $$"}});
  while (news.progress.empty()) loop->run_once(Duration::forever());
  runner().stop(id, StopMode::terminate);
  EXPECT_EQ(wait(id).end, ProcessEnd::stopped);
}

TEST_F(ProcessEndingsTest, ProgressLinesKeepTheHeartbeatAlive) {
  ManualClock manual;
  auto timed = ProcessRunner::create(*loop, manual, options, news).value();
  std::string fifo = root + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  timed->start(900, {.shell = true,
                     .argv = {"read line < " + fifo + "; echo 0.25 going on >&3; sleep 1000"},
                     .heartbeat_timeout = Duration::seconds(60)});
  manual.now = manual.now + Duration::seconds(40);
  timed->turn();  // from now on its pipes are watched
  std::ofstream(fifo) << "go\n";
  while (news.progress.empty()) loop->run_once(Duration::forever());
  EXPECT_EQ(news.progress[0].permille, 250u);
  EXPECT_EQ(news.progress[0].message, "going on");
  manual.now = manual.now + Duration::seconds(40);
  timed->turn();
  EXPECT_FALSE(news.has(900));
  manual.now = manual.now + Duration::seconds(21);
  timed->turn();
  while (!news.has(900)) {
    loop->run_once(Duration::milliseconds(1));
    manual.now = manual.now + Duration::milliseconds(1);
    timed->turn();
  }
  EXPECT_EQ(news.at(900).end, ProcessEnd::heartbeat_timeout);
}

TEST_F(ProcessEndingsTest, EveryWordIsPassedOnBeforeTheEnd) {
  const ProcessEnded& ended =
      shell("i=1; while [ $i -le 60 ]; do echo 0.5 $i >&3; i=$((i+1)); done; echo 1 over >&3");
  EXPECT_EQ(ended.code, 0);
  ASSERT_EQ(news.progress.size(), 61u);
  for (size_t i = 0; i < 60; ++i) EXPECT_EQ(news.progress[i].message, std::to_string(i + 1));
  EXPECT_EQ(news.progress.back().message, "over");
}

TEST_F(ProcessEndingsTest, AFloodOfProgressIsThinned) {
  const ProcessEnded& ended =
      shell("head -c 400000 /dev/zero | sed 's/\\x00/0.5\\n/g' >&3; echo 1 over >&3");
  EXPECT_EQ(ended.code, 0);
  EXPECT_LT(news.progress.size(), 400'000u);
  EXPECT_EQ(news.progress.back().message, "over") << "the newest is never left out";
}

TEST_F(ProcessEndingsTest, EndlessOutputTakesBoundedMemoryAndDisk) {
  options.output_file_bytes_max = 1 << 20;
  run({.argv = {"true"}});
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_SELF, &before);
  const ProcessEnded& ended = shell("yes | head -c 200000000");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(ended.out.bytes, 200'000'000u);
  EXPECT_EQ(ended.out.head.size(), output_head_bytes);
  EXPECT_TRUE(ended.out.cut);
  std::string file = content(ended.out.path);
  EXPECT_EQ(file.substr(0, 4), "y\ny\n");
  EXPECT_EQ(file.substr(1 << 20),
            "\n[pawl: output limit of 1048576 bytes reached; the rest was dropped]\n");
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024);
}

TEST_F(ProcessEndingsTest, WhatMattersIsKeptInFiles) {
  const ProcessEnded& large = shell("head -c 5000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(content(large.out.path), std::string(5000, 'x'));
  const ProcessEnded& warned = shell("echo fine; echo careful >&2");
  EXPECT_EQ(content(warned.err.path), "careful\n");
  EXPECT_TRUE(warned.out.path.empty());
  const ProcessEnded& failed = shell("echo before it failed; exit 1");
  EXPECT_EQ(content(failed.out.path), "before it failed\n");
}

TEST_F(ProcessEndingsTest, TheOutputOfALongProgramCanBeFollowed) {
  options.watch_after = options.file_after = {};
  std::string fifo = root + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  uint64_t id = begin({.shell = true,
                       .argv = {"echo early; read line < " + fifo + "; echo late"},
                       .output_path = "e1/n/0.1"});
  std::string file = options.output_root + "/e1/n/0.1.out";
  while (content(file) != "early\n") loop->run_once(Duration::milliseconds(1));
  EXPECT_FALSE(news.has(id));
  std::ofstream(fifo) << "go\n";
  wait(id);
  EXPECT_EQ(content(file), "early\nlate\n");
}

TEST_F(ProcessEndingsTest, AFullOrForbiddenDiskIsToldAndDoesNotEndTheProgram) {
  std::ofstream(root + "/output") << "a file where a directory should be";
  const ProcessEnded& ended = shell("head -c 10000 /dev/zero; exit 0");
  EXPECT_EQ(ended.end, ProcessEnd::exited);
  EXPECT_NE(ended.out.error.find("cannot create"), std::string::npos);
}

TEST_F(ProcessEndingsTest, NothingOfTheGroupOutlivesItsLeader) {
  const ProcessEnded& ended = shell("sleep 1000 > /dev/null 2>&1 3>&1 & echo $!");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(gone(std::stoi(ended.out.head)));
}

TEST_F(ProcessEndingsTest, AnEscapedChildThatHoldsTheOutputIsFoundAndKilled) {
  const ProcessEnded& ended = shell("setsid sleep 1000 & echo $!; exit 4");
  EXPECT_EQ(ended.code, 4);
  // Who dies closes its files a moment before it is dead; 1000 s would outlast the patience of this test.
  while (!gone(std::stoi(ended.out.head))) loop->run_once(Duration::milliseconds(1));
}

TEST_F(ProcessEndingsTest, AnEscapedChildOfAStoppedProgramIsFoundAndKilled) {
  std::string pid_file = root + "/pid";
  uint64_t id = begin({.shell = true,
                       .argv = {"setsid sh -c 'echo $$ > " + pid_file +
                                "; echo 0.1 >&3; exec sleep 1000 > /dev/null 2>&1 3>&1' & wait"}});
  while (news.progress.empty()) loop->run_once(Duration::forever());
  runner().stop(id, StopMode::kill);
  wait(id);
  EXPECT_TRUE(gone(std::stoi(content(pid_file))));
}

TEST_F(ProcessEndingsTest, ManyStoppedAtOnceShareTheSearchesForWhatEscaped) {
  constexpr uint64_t many = 40;
  std::vector<uint64_t> ids;
  for (uint64_t i = 0; i < many; i++) {
    std::string escaped = "echo $$ > " + root + "/escaped." + std::to_string(i);
    ids.push_back(begin(
        {.shell = true,
         .argv = {"echo $$ > " + root + "/leader." + std::to_string(i) + "; setsid sh -c '" +
                  escaped + "; echo 0.1 >&3; exec sleep 1000 > /dev/null 2>&1 3>&1' & wait"}}));
  }
  while (news.progress.size() < many) loop->run_once(Duration::forever());
  for (uint64_t id : ids) runner().stop(id, StopMode::kill);
  for (uint64_t i = 0; i < many; i++) {  // all are dead before the runner looks
    siginfo_t info{};
    auto leader = static_cast<id_t>(std::stoi(content(root + "/leader." + std::to_string(i))));
    ASSERT_EQ(waitid(P_PID, leader, &info, WEXITED | WNOWAIT), 0);
  }
  for (uint64_t i = 0; i < many; i++) {
    EXPECT_EQ(wait(ids[i]).end, ProcessEnd::stopped);
    EXPECT_TRUE(gone(std::stoi(content(root + "/escaped." + std::to_string(i)))));
  }
  EXPECT_LT(runner().searches(), many);
}

// A tracer that holds a process at its exit stands for whatever the kernel cannot end, as a disk that hangs.
TEST_F(ProcessEndingsTest, WhatCannotBeKilledIsToldAsEndedAllTheSame) {
  std::map<uint64_t, pid_t> held;  // of the group, and escaped from it
  for (const std::string leaves : {"", "setsid "}) {
    std::string pid_file = root + "/held" + leaves;
    uint64_t id =
        begin({.shell = true,
               .argv = {leaves + "sh -c 'echo $$ > \"" + pid_file +
                        "\"; echo 0.1 >&3; exec sleep 1000 > /dev/null 2>&1 3>&1' & wait"}});
    while (news.progress.size() <= held.size()) loop->run_once(Duration::forever());
    held[id] = std::stoi(content(pid_file));
    if (ptrace(PTRACE_SEIZE, held[id], nullptr, PTRACE_O_TRACEEXIT) != 0)
      GTEST_SKIP() << "not allowed to trace: " << std::strerror(errno);
  }
  for (auto [id, pid] : held) runner().stop(id, StopMode::kill);
  for (auto [id, pid] : held) {
    EXPECT_EQ(wait(id).end, ProcessEnd::stopped);
    EXPECT_FALSE(gone(pid));
    EXPECT_EQ(waitpid(pid, nullptr, __WALL), pid);
    ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  }
}

// Runs `body` in a process of its own; its result is the exit code.
template <class Body>
pid_t in_child(Body body) {
  pid_t pid = fork();
  if (pid == 0) _exit(body());
  return pid;
}

TEST_F(ProcessEndingsTest, MoreProcessesThanFitAreDeclinedNotLost) {
  pid_t child = in_child([&] {
    rlimit few{512, 512};
    setrlimit(RLIMIT_NOFILE, &few);
    uint32_t slots = runner().max_slots();
    for (uint64_t id = 1; id <= 20'000; id++) runner().start(id, {.argv = {"sleep", "1000"}});
    if (slots < 10 || slots > 128 || runner().running() != slots) return 1;
    if (news.count() != 20'000 - slots) return 2;
    if (news.at(20'000).end != ProcessEnd::declined) return 3;
    if (news.at(20'000).error.find("ulimit -n") == std::string::npos) return 4;
    for (uint64_t id = 1; id <= slots; id++) runner().stop(id, StopMode::kill);
    while (news.count() < 20'000) loop->run_once(Duration::forever());
    return 0;
  });
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(ProcessEndingsTest, WithoutDescriptorsLeftALaunchIsDeclined) {
  pid_t child = in_child([&] {
    rlimit few{512, 512};
    setrlimit(RLIMIT_NOFILE, &few);
    runner();
    while (dup(1) >= 0) {
    }
    const ProcessEnded& ended = run({.argv = {"true"}});
    return ended.end == ProcessEnd::declined ? 0 : 1;
  });
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// The leader, a child in its group, one without environment, and one in a session of its own.
std::string family(const std::string& pids) {
  std::string note = "sh -c 'echo $$ >> " + pids + "; exec sleep 1000' > /dev/null 2>&1 3>&1 &\n";
  return "echo $$ >> " + pids + "\n" + note + "env -i " + note + "setsid " + note + "sleep 1000";
}

std::vector<pid_t> read_pids(const std::string& path) {
  std::ifstream in(path);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

TEST_F(ProcessEndingsTest, NoTaskProcessOutlivesPawlKilledByForce) {
  std::string pids = root + "/pids";
  pid_t pawl = in_child([&] {
    begin({.shell = true, .argv = {family(pids)}});
    loop->run();
    return 0;
  });
  while (read_pids(pids).size() < 4) sched_yield();
  std::vector<pid_t> family_pids = read_pids(pids);
  for (pid_t pid : family_pids) EXPECT_FALSE(gone(pid));
  kill(pawl, SIGKILL);
  waitpid(pawl, nullptr, 0);
  Instant killed = clock.monotonic();
  for (pid_t pid : family_pids) {
    while (!gone(pid) && clock.monotonic() - killed < Duration::seconds(20)) sched_yield();
    EXPECT_TRUE(gone(pid)) << pid;
  }
  RecordProperty("all_gone_after_us", static_cast<int>((clock.monotonic() - killed).ns / 1000));
}

TEST_F(ProcessEndingsTest, NoTaskProcessOutlivesTheRunner) {
  std::string pids = root + "/pids";
  {
    News other;
    auto short_lived = ProcessRunner::create(*loop, clock, options, other).value();
    short_lived->start(1, {.shell = true, .argv = {family(pids)}});
    while (read_pids(pids).size() < 4) sched_yield();
  }
  Instant closed = clock.monotonic();
  for (pid_t pid : read_pids(pids)) {
    while (!gone(pid) && clock.monotonic() - closed < Duration::seconds(20)) sched_yield();
    EXPECT_TRUE(gone(pid)) << pid;
  }
}

TEST_F(ProcessEndingsTest, AMissingGuardianIsToldAtStart) {
  options.guardian = {"/no/such/guardian"};
  auto created = ProcessRunner::create(*loop, clock, options, news);
  ASSERT_FALSE(created.ok());
  EXPECT_NE(created.error().message.find("/no/such/guardian"), std::string::npos);
}

}  // namespace
}  // namespace pawl
