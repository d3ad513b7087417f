#include "pawl/isolate/process_runner.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/isolate/tagged.h"

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
  const ProcessEnded& shell(const std::string& line) {
    return run({.shell = true, .argv = {line}});
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
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

}  // namespace
}  // namespace pawl
