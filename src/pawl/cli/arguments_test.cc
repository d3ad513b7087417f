#include "pawl/cli/arguments.h"

#include <gtest/gtest.h>

namespace pawl::cli {
namespace {

const VerbSpec spec{.name = "run",
                    .arguments = "FILE",
                    .summary = "run a workflow",
                    .details = {},
                    .options = {{"jobs", 'j', "N", "at once"},
                                {"input", 'i', "K=V", "an input"},
                                {"quiet", 'q', "", "say less"}},
                    .examples = {"pawl run a.yaml"},
                    .positionals_min = 1,
                    .positionals_max = 1};

std::string error_of(const std::vector<std::string>& words) {
  Result<Arguments> given = parse_arguments(spec, words);
  return given.ok() ? "" : given.error().message;
}

TEST(Arguments, OptionsStandAnywhereInEveryForm) {
  Arguments given =
      parse_arguments(spec, {"-j4", "a.yaml", "--input", "x=1", "--input=y=2", "-q"}).value();
  EXPECT_EQ(given.value("jobs"), "4");
  EXPECT_EQ(given.values("input"), (std::vector<std::string>{"x=1", "y=2"}));
  EXPECT_TRUE(given.has("quiet"));
  EXPECT_EQ(given.positionals(), std::vector<std::string>{"a.yaml"});
}

TEST(Arguments, TheLastValueCountsAndTwoDashesEndTheOptions) {
  Arguments given = parse_arguments(spec, {"--jobs", "1", "--jobs", "2", "--", "--jobs"}).value();
  EXPECT_EQ(given.value("jobs"), "2");
  EXPECT_EQ(given.positionals(), std::vector<std::string>{"--jobs"});
}

TEST(Arguments, WrongWordsNameTheNearestRightOne) {
  EXPECT_NE(error_of({"a", "--job", "3"}).find("did you mean --jobs?"), std::string::npos);
  EXPECT_NE(error_of({"a", "--jobs"}).find("--jobs needs a value: --jobs N"), std::string::npos);
  EXPECT_NE(error_of({"a", "--jobs", ""}).find("--jobs needs a value: --jobs N"),
            std::string::npos);
  EXPECT_NE(error_of({"a", "--jobs="}).find("--jobs needs a value: --jobs N"), std::string::npos);
  EXPECT_NE(error_of({"a", "--quiet=1"}).find("takes no value"), std::string::npos);
  EXPECT_NE(error_of({}).find("usage: pawl run FILE"), std::string::npos);
  EXPECT_NE(error_of({"a", "b"}).find("unexpected \"b\""), std::string::npos);
}

TEST(Arguments, HelpNeedsNothingElse) {
  Result<Arguments> given = parse_arguments(spec, {"--help"});
  ASSERT_TRUE(given.ok());
  EXPECT_TRUE(given->has("help"));
  std::string help = help_of(spec);
  for (const char* part : {"Usage: pawl run FILE", "-j, --jobs N", "pawl run a.yaml", "--help"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
}

TEST(Arguments, ACommandKeepsItsOwnOptions) {
  VerbSpec each = spec;
  each.place = OptionPlace::before_command;
  each.positionals_max = 100;
  Arguments given = parse_arguments(each, {"-j", "2", "gzip", "-k", "--jobs", "{}"}).value();
  EXPECT_EQ(given.value("jobs"), "2");
  EXPECT_EQ(given.positionals(), (std::vector<std::string>{"gzip", "-k", "--jobs", "{}"}));
}

TEST(Arguments, NumbersHaveALeastValue) {
  Arguments given = parse_arguments(spec, {"a", "--jobs", "0"}).value();
  EXPECT_FALSE(number_of(given, "jobs", 1, 1).ok());
  EXPECT_EQ(number_of(given, "jobs", 1, 0).value(), 0u);
  EXPECT_EQ(number_of(given, "none", 7, 1).value(), 7u);
  EXPECT_FALSE(number_of(parse_arguments(spec, {"a", "--jobs", "4x"}).value(), "jobs", 1, 1).ok());
}

}  // namespace
}  // namespace pawl::cli
