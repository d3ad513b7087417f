#include "pawl/definition/template.h"

#include <gtest/gtest.h>

#include "pawl/base/random.h"

namespace pawl {
namespace {

// "a${ .b }" -> "[a]{.b}"
std::string shown(std::string_view text) {
  ScannedTemplate scanned = scan_template(text);
  if (scanned.error) return std::to_string(scanned.error->offset) + ": " + scanned.error->message;
  std::string out;
  for (const TemplatePart& part : scanned.text.parts)
    out += part.expression ? "{" + part.expression.text + "}" : "[" + part.literal + "]";
  return out;
}

TEST(Template, FindsExpressions) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("plain"), "[plain]");
  EXPECT_EQ(shown("${.a}"), "{.a}");
  EXPECT_EQ(shown("x ${ .a } y ${ .b }"), "[x ]{.a}[ y ]{.b}");
  EXPECT_EQ(shown("${ .a }${ .b }"), "{.a}{.b}");
}

TEST(Template, EndsWhereJqEnds) {
  EXPECT_EQ(shown(R"(${ {"a":1} | .a }z)"), R"({{"a":1} | .a}[z])");
  EXPECT_EQ(shown(R"(${ "}" })"), R"({"}"})");
  EXPECT_EQ(shown(R"(${ "\"}" }z)"), R"({"\"}"}[z])");
  EXPECT_EQ(shown(R"(${ "\({a: "}"} | .a)}" }z)"), R"({"\({a: "}"} | .a)}"}[z])");
  EXPECT_EQ(shown("${ .a # a } here\n }z"), "{.a # a } here}[z]");
  EXPECT_EQ(shown(R"(${ "\\" }z)"), R"({"\\"}[z])");
}

TEST(Template, DollarsThatAreNoExpressions) {
  EXPECT_EQ(shown("$HOME $(ls) $$ $"), "[$HOME $(ls) $$ $]");
  EXPECT_EQ(shown("$${HOME}"), "[${HOME}]");
  EXPECT_EQ(shown("$$${ .a }"), "[$]{.a}");
  EXPECT_EQ(shown("a$$$${ .a }"), "[a$${ .a }]");
  EXPECT_EQ(shown("$ {"), "[$ {]");
  EXPECT_EQ(shown("a$${ ${ .x } $$"), "[a${ ]{.x}[ $$]");
}

TEST(Template, SaysWhatIsWrong) {
  EXPECT_EQ(shown("ab ${ .a"),
            "3: the expression that begins with ${ has no closing }; a literal ${ is written $${");
  EXPECT_EQ(shown("${ \"} }"),
            "0: the expression that begins with ${ has no closing }; a literal ${ is written $${");
  EXPECT_EQ(shown("x${  }"), "1: an expression is missing between ${ and }");
  EXPECT_EQ(shown("cd ${HOME}"),
            "3: \"${HOME}\" would be a jq expression; for the shell's variable write $HOME or "
            "$${HOME}");
}

TEST(Template, DeepNestingEnds) {
  std::string text = "${ ";
  for (int i = 0; i < 100'000; ++i) text += "\"\\(";
  EXPECT_TRUE(scan_template(text).error);
}

// Whatever is made of random pieces scans to itself again.
TEST(Template, SourceAndTemplateAgree) {
  const std::string_view pieces[] = {
      "a",          " ",        "$",       "$$", "${", "}", "\"", "{",
      "\n",         "$${",      "${ .a }", "\\", "#",  "é", "(",  "${ \"}\\(1)\" }",
      "${ {a:1} }", "${.b#}\n}"};
  Random dice(7);
  int good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t n = dice.below(8); n > 0; --n) text += pieces[dice.below(std::size(pieces))];
    ScannedTemplate first = scan_template(text);
    if (first.error) continue;
    ++good;
    ScannedTemplate second = scan_template(to_source(first.text));
    ASSERT_FALSE(second.error) << text;
    ASSERT_EQ(first.text, second.text) << text;
  }
  EXPECT_GT(good, 5'000);
}

}  // namespace
}  // namespace pawl
