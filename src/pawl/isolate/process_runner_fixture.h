// What the tests of the process runner share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/isolate/process_runner.h"

namespace pawl {

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

}  // namespace pawl
