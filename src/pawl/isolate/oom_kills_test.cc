// Programs that SIGKILL ends: by the kernel's OOM killer, or by hand while it strikes elsewhere.
#include "pawl/isolate/oom_kills.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <filesystem>
#include <fstream>
#include <optional>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/isolate/process_runner.h"

namespace pawl {
namespace {

void write_count(const std::string& path, uint64_t kills) {
  std::ofstream(path) << "before 1\noom_kill " << kills << "\nbehind 1\n";
}

// This process's cgroup of version 2, as /proc names it.
std::string own_cgroup() {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "";
}

// One that is removed with the object. Empty path: we may make none.
class Cgroup {
 public:
  explicit Cgroup(const std::string& root) {
    const std::string path = root + "/pawl-test-" + std::to_string(getpid());
    if (access((root + "/cgroup.procs").c_str(), W_OK) == 0 && mkdir(path.c_str(), 0755) == 0)
      path_ = path;
  }
  ~Cgroup() {
    if (path_.empty()) return;
    EXPECT_EQ(rmdir(path_.c_str()), 0) << path_;
  }
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  const std::string& path() const { return path_; }
  bool set(const std::string& file, const std::string& value) const {
    if (path_.empty() || access((path_ + "/" + file).c_str(), W_OK) != 0) return false;
    std::ofstream out(path_ + "/" + file);
    return static_cast<bool>(out << value << std::flush);
  }
  // Before a command of the shell: it runs in there.
  std::string enter() const { return "echo $$ > " + path_ + "/cgroup.procs && exec "; }

 private:
  std::string path_;
};

class OomKillsTest : public testing::Test, private Sink<ProcessNews> {
 protected:
  OomKillsTest() {
    std::string pattern = testing::TempDir() + "pawl-oom-XXXXXX";
    root_ = mkdtemp(pattern.data());
    write_count(machine(), 7);
  }
  ~OomKillsTest() override {
    runner_.reset();
    std::filesystem::remove_all(root_);
  }

  std::string machine() const { return root_ + "/vmstat"; }
  std::string cgroups() const { return root_ + "/cgroups"; }
  std::string events() const { return cgroups() + own_cgroup() + "/memory.events.local"; }
  void make_cgroup_count(uint64_t kills) {
    std::filesystem::create_directories(cgroups() + own_cgroup());
    write_count(events(), kills);
  }
  static std::string counts(const std::string& path, uint64_t kills) {
    return "printf \"before 1\\noom_kill " + std::to_string(kills) + "\\n\" > " + path + "; ";
  }
  void start_runner(const OomFiles& files) {
    ProcessRunnerOptions options;
    options.environment = {"PATH=/usr/bin:/bin"};
    options.oom_files = files;
    runner_ = std::move(ProcessRunner::create(*loop_, clock_, options, *this).value());
  }
  ProcessEnd end_of(const std::string& line) {
    ended_.reset();
    runner_->start(++last_, {.shell = true, .argv = {line}});
    while (!ended_) loop_->run_once(Duration::forever());
    return ended_->end;
  }

 private:
  void put(ProcessNews news) override {
    if (auto* ended = std::get_if<ProcessEnded>(&news)) ended_ = std::move(*ended);
  }

  std::string root_;
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_ = LinuxLoop::create(clock_).value();
  std::unique_ptr<ProcessRunner> runner_;
  std::optional<ProcessEnded> ended_;
  uint64_t last_ = 0;
};

const std::string by_hand = "kill -KILL $$";

TEST_F(OomKillsTest, AKillByHandAfterAnOomKillElsewhereIsASignal) {
  start_runner({machine(), cgroups()});
  write_count(machine(), 8);
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
}

TEST_F(OomKillsTest, WithoutACountOfItsCgroupTheMachineDecides) {
  start_runner({machine(), cgroups()});
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
  EXPECT_EQ(end_of(counts(machine(), 8) + by_hand), ProcessEnd::out_of_memory);
}

TEST_F(OomKillsTest, WithoutAnyCountASignalIsASignal) {
  start_runner({"/no/such/file", cgroups()});
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
}

TEST_F(OomKillsTest, AnOomKillInAnotherCgroupIsNotItsOwn) {
  if (own_cgroup().empty()) GTEST_SKIP() << "no cgroups of version 2 on this machine";
  make_cgroup_count(3);
  start_runner({machine(), cgroups()});
  EXPECT_EQ(end_of(counts(machine(), 8) + by_hand), ProcessEnd::signalled);
  EXPECT_EQ(end_of(counts(events(), 4) + by_hand), ProcessEnd::out_of_memory);
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
}

TEST_F(OomKillsTest, WhereItHasMovedToAnotherCgroupTheMachineDecides) {
  std::optional<Cgroup> other;
  for (const char* root : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"})
    if (!other || other->path().empty()) other.emplace(root);
  if (own_cgroup().empty() || other->path().empty())
    GTEST_SKIP() << "no cgroup of version 2 may be made on this machine";
  make_cgroup_count(3);
  start_runner({machine(), cgroups()});
  const std::string moves = other->enter() + "/bin/sh -c '";
  EXPECT_EQ(end_of(moves + by_hand + "'"), ProcessEnd::signalled);
  EXPECT_EQ(end_of(moves + counts(machine(), 8) + by_hand + "'"), ProcessEnd::out_of_memory);
}

TEST_F(OomKillsTest, ProgramsThatStartTogetherShareAReading) {
  OomKills oom({machine(), cgroups()});
  Instant now{1'000};
  EXPECT_EQ(oom.mark(now).machine, 7u);
  write_count(machine(), 8);
  EXPECT_EQ(oom.mark(now + Duration::microseconds(999)).machine, 7u);
  EXPECT_EQ(oom.mark(now + OomKills::mark_lasts).machine, 8u);
}

// With the kernel's own counts.
TEST_F(OomKillsTest, TheOomKillerIsToldFromOtherKills) {
  std::optional<Cgroup> small;
  const std::string bytes = std::to_string(32 << 20);
  bool limited = false;
  for (auto [root, limit] : {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                             std::pair{"/sys/fs/cgroup", "memory.max"}}) {
    if (limited) break;
    small.emplace(root);
    limited = small->set(limit, bytes);
  }
  if (!limited)
    GTEST_SKIP() << "no cgroup with a limit of memory may be made on this machine: neither in "
                    "/sys/fs/cgroup/memory (version 1) nor in /sys/fs/cgroup (version 2)";
  small->set("memory.swap.max", "0");
  // Should it not get in there, it fails before the machine is out of memory.
  const std::string devours = "ulimit -v 1000000 && " + small->enter() + "tail /dev/zero";
  start_runner({});
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
  const int elsewhere = system(devours.c_str());
  ASSERT_TRUE(WIFSIGNALED(elsewhere) && WTERMSIG(elsewhere) == SIGKILL) << elsewhere;
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
  EXPECT_EQ(end_of(devours), ProcessEnd::out_of_memory);
  EXPECT_EQ(end_of(by_hand), ProcessEnd::signalled);
}

}  // namespace
}  // namespace pawl
