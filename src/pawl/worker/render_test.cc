#include "pawl/worker/render.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "pawl/base/json.h"
#include "pawl/base/random.h"

namespace pawl {
namespace {

Template text(const std::string& before, const std::string& expression, const std::string& after) {
  Template made;
  if (!before.empty()) made.parts.push_back({before, {}});
  made.parts.push_back({{}, make_expression(expression)});
  if (!after.empty()) made.parts.push_back({after, {}});
  return made;
}

std::string shell(const std::string& json) {
  return render_shell(text("", ".v", ""), {{".v", json}}).value();
}

std::vector<std::string> arguments(const std::string& json, const std::string& before = "") {
  return render_argument(text(before, ".v", ""), {{".v", json}}).value();
}

TEST(Render, ShellLinesQuoteEveryValue) {
  EXPECT_EQ(shell("\"it's\""), "'it'\\''s'");
  EXPECT_EQ(shell("\"$(rm -rf /)\\n;`x`\""), "'$(rm -rf /)\n;`x`'");
  EXPECT_EQ(shell("null"), "''");
  EXPECT_EQ(shell("42"), "'42'");
  EXPECT_EQ(shell("{\"a\": [1, 2]}"), "'{\"a\":[1,2]}'");
  EXPECT_EQ(shell("[1, \"a b\", null, [2, 3]]"), "'1' 'a b' '' '[2,3]'");
  EXPECT_EQ(shell("[]"), "");
  EXPECT_EQ(render_shell(text("gzip -k ", ".f", ".txt | wc"), {{".f", "\"a b\""}}).value(),
            "gzip -k 'a b'.txt | wc");
}

TEST(Render, AnArgumentStaysOneUnlessItIsAListAlone) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(arguments("\"a b; c\""), (Words{"a b; c"}));
  EXPECT_EQ(arguments("null"), (Words{""}));
  EXPECT_EQ(arguments("[1,\"x y\",[2]]"), (Words{"1", "x y", "[2]"}));
  EXPECT_EQ(arguments("[]"), Words{});
  EXPECT_EQ(arguments("[1, 2]", "--list="), (Words{"--list=[1,2]"}));
}

TEST(Render, TextIsRawAndJsonIsJson) {
  EXPECT_EQ(render_text(text("x=", ".v", "!"), {{".v", "\"a'b\""}}).value(), "x=a'b!");
  EXPECT_EQ(render_text(text("x=", ".v", "!"), {{".v", "null"}}).value(), "x=!");
  EXPECT_EQ(render_json(text("{\"n\":", ".v", "}"), {{".v", "[1]"}}), "{\"n\":[1]}");
}

TEST(Render, NulBytesAreAnErrorThatNamesTheExpression) {
  Values values{{".v", "\"a\\u0000b\""}};
  for (const Status& status :
       {Status(render_shell(text("", ".v", ""), values).error()),
        Status(render_text(text("", ".v", ""), values).error()),
        Status(render_argument(text("", ".v", ""), values).error()),
        Status(render_argument(text("", ".v", ""), {{".v", "[\"\\u0000\"]"}}).error())})
    EXPECT_NE(status.error().message.find("${ .v }"), std::string::npos);
  EXPECT_EQ(render_json(text("", ".v", ""), values), "\"a\\u0000b\"");
}

TEST(Render, AListIsNotAssigned) {
  Values list{{".v", R"(["a","touch","b"])"}};
  for (const char* before : {"x=", "a; x=", "cd /tmp\n_y1=", "x+=", "x='a b'", "x=\"a b\"c",
                             "(x=", "# it's\nx=", "x=a\\ b", "FOO=1 x="}) {
    Result<std::string> line = render_shell(text(before, ".v", ""), list);
    ASSERT_FALSE(line.ok()) << before;
    EXPECT_EQ(line.error().message, "${ .v } is a list of 3, and the shell assigns one word");
    EXPECT_TRUE(render_shell(text(before, ".v", ""), {{".v", R"(["a"])"}}).ok());
    EXPECT_TRUE(render_shell(text(before, ".v", ""), {{".v", "\"a b\""}}).ok());
  }
  for (const char* before : {"tar --files=", "x=1; tar ", "x=1 tar ", "echo =", "for x in "})
    EXPECT_TRUE(render_shell(text(before, ".v", ""), list).ok()) << before;
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  pclose(pipe);
  return out;
}

// Whatever the string: sh prints exactly it.
TEST(Render, AShellGivesRandomStringsBackExactly) {
  Random dice(20260);
  const std::string nasty = "'\"\\$`!*?[]{}()<>|&;#~=% \t\n\r\x01\x7f-eé";
  std::string line = ":";
  std::string expected;
  for (int i = 0; i < 600; ++i) {
    std::string word;
    for (uint64_t n = dice.below(12); n > 0; --n) {
      if (dice.chance(700)) {
        char c = nasty[dice.below(nasty.size() - 3)];  // whole characters only
        word += c;
      } else if (dice.chance(300)) {
        word += "é";
      } else {
        word += static_cast<char>(dice.between(1, 126));
      }
    }
    line += "; printf '%s\\036' " +
            render_shell(text("", ".v", ""), {{".v", json_quote(word)}}).value();
    expected += word + "\036";
  }
  EXPECT_EQ(output_of(line), expected);
}

}  // namespace
}  // namespace pawl
