#include "pawl/isolate/process_runner.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pawl/isolate/process_runner_fixture.h"

namespace pawl {
namespace {

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
