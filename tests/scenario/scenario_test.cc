// Every file tests/scenario/*.scenario is a test of its own.
//
//   scenario_test --gtest_filter='*diamond*'

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "pawl/partition/query.h"
#include "pawl/testing/scenario/scenario_runner.h"

namespace pawl {
namespace {

std::vector<std::string> files() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(PAWL_SCENARIOS)) {
    if (entry.path().extension() == ".scenario") found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string read(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, HappensAsWritten) {
  std::string wrong = run_scenario(read(GetParam()));
  EXPECT_TRUE(wrong.empty()) << GetParam() << ": " << wrong;
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(files()), [](const auto& file) {
  std::string name = std::filesystem::path(file.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ScenarioFiles, AskWhyInEveryWayInWhichSomethingCanWait) {
  std::string all;
  for (const std::string& file : files()) all += read(file);
  for (int code = 0; code <= static_cast<int>(WhyCode::cancelled); ++code) {
    std::regex asked("\nwhy [^:\n]* " + std::string(name(static_cast<WhyCode>(code))) + "[ \n]");
    EXPECT_TRUE(std::regex_search(all, asked)) << name(static_cast<WhyCode>(code));
  }
}

TEST(ScenarioFiles, FailWhereTheyAreWrong) {
  std::string flow = "workflow\n  name: w\n  nodes:\n    a: {run: \"true\"}\nsubmit w\n";
  EXPECT_EQ(run_scenario(flow + "expect e1 running\n"), "");
  EXPECT_EQ(run_scenario(flow + "expect e1 parked\n"), "line 6: expect e1 parked: it is running");
  EXPECT_NE(run_scenario(flow + "why e1 running\n"), "");
  EXPECT_NE(run_scenario(flow + "dispatched e1/a\n"), "");
  EXPECT_NE(run_scenario(flow + "cancel e2\n"), "");
  EXPECT_NE(run_scenario(flow + "dance\n"), "");
  EXPECT_NE(run_scenario(""), "");
}

}  // namespace
}  // namespace pawl
