#include "pawl/cli/expression_check.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pawl::cli {
namespace {

class ExpressionCheckTest : public testing::Test {
 protected:
  // The lines of those that are not accepted; whatever holds "bad" is not.
  std::vector<uint32_t> checked(const std::vector<std::string>& texts) {
    Loaded loaded;
    for (const std::string& text : texts) {
      ExpressionSite site;
      site.expression.text = text;
      site.line = static_cast<uint32_t>(loaded.expressions.size());
      loaded.expressions.push_back(site);
    }
    asked.clear();
    check_expressions(loaded, "f", [this](const std::string& text) {
      asked.push_back(text);
      return text.find("bad") == std::string::npos ? Status() : Error{Code::invalid_argument, text};
    });
    std::vector<uint32_t> lines;
    for (const Problem& problem : loaded.problems) {
      EXPECT_EQ(problem.message, texts[problem.line]);
      lines.push_back(problem.line);
    }
    return lines;
  }

  std::vector<std::string> asked;
};

using Texts = std::vector<std::string>;
using Lines = std::vector<uint32_t>;

TEST_F(ExpressionCheckTest, ManyAreAskedAboutTogetherAndEachOnce) {
  EXPECT_EQ(checked({".a | b", ".c | d", ".a | b"}), Lines{});
  EXPECT_EQ(asked, Texts{"(.a | b),(.c | d)"});
}

TEST_F(ExpressionCheckTest, ConstantsAreNotAskedAbout) {
  EXPECT_EQ(checked({"1", "\"x\"", "{\"a\": [null, 1.5]}", "true"}), Lines{});
  EXPECT_EQ(asked, Texts{});
}

TEST_F(ExpressionCheckTest, WhatIsWrongIsFoundAmongMany) {
  Texts texts;
  for (int i = 0; i < 200; ++i) texts.push_back(".a | f(" + std::to_string(i) + ")");
  EXPECT_EQ(checked(texts), Lines{});
  EXPECT_EQ(asked.size(), 4u);
  texts[7] = texts[8] = "bad";
  texts[150] = "bad | .x";
  EXPECT_EQ(checked(texts), (Lines{7, 8, 150}));
  EXPECT_LT(asked.size(), 40u);
}

TEST_F(ExpressionCheckTest, WhatCouldCompleteAnotherIsAskedAboutAlone) {
  for (const std::string text :
       {"(.a", ".a)", "1), (2", "[.a)", "\"a\\(.b)c\"", ".a # x", "\"", "{a: ]}"}) {
    checked({text, ".z | z"});
    EXPECT_EQ(asked.size(), 2u) << text;
    EXPECT_EQ(std::count(asked.begin(), asked.end(), text), 1) << text;
  }
  checked({"\"(\\\"[\" | f", "{a: [(.b)]}"});
  EXPECT_EQ(asked.size(), 1u);
}

}  // namespace
}  // namespace pawl::cli
