#include "pawl/definition/references.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

std::string shown(std::string_view jq) {
  std::string out;
  for (const Reference& reference : find_references(jq)) {
    if (!out.empty()) out += " ";
    for (size_t i = 0; i < reference.path.size(); ++i)
      out += (i == 0 ? "" : "/") + reference.path[i];
    if (!reference.dashed.empty()) out += "(" + reference.dashed + ")";
  }
  return out;
}

TEST(References, PathsOfTheContext) {
  EXPECT_EQ(shown(".input.a.b.c"), "input/a/b");
  EXPECT_EQ(shown(".nodes.x.output[3]"), "nodes/x/output");
  EXPECT_EQ(shown(".nodes[\"my-node\"].output"), "nodes/my-node/output");
  EXPECT_EQ(shown(".[\"nodes\"].\"a b\""), "nodes/a b");
  EXPECT_EQ(shown(".item"), "item");
  EXPECT_EQ(shown("."), "");
  EXPECT_EQ(shown(".nodes[$x].output"), "nodes");
  EXPECT_EQ(shown(".nodes.a.output + .nodes.b.output"), "nodes/a/output nodes/b/output");
  EXPECT_EQ(shown(".5 + .input"), "input");
}

TEST(References, AMinusInAnId) {
  EXPECT_EQ(shown(".nodes.my-node.output"), "nodes/my(my-node)");
  EXPECT_EQ(shown(".nodes.a - .nodes.b"), "nodes/a nodes/b");
}

TEST(References, BehindAPipeTheDotIsSomethingElse) {
  EXPECT_EQ(shown(".nodes.a.output | .item"), "nodes/a/output");
  EXPECT_EQ(shown("(.input | .x) + .item"), "input item");
  EXPECT_EQ(shown(".input |= .x"), "input");
  EXPECT_EQ(shown("{a: .input | .x, b: .item}"), "input item");
  EXPECT_EQ(shown("[.input.xs[] | select(.a)]"), "input/xs");
  EXPECT_EQ(shown(".. | .x"), "");
}

TEST(References, FunctionArgumentsToo) {
  EXPECT_EQ(shown("map(.x)"), "");
  EXPECT_EQ(shown("now - (.input.t)"), "input/t");
  EXPECT_EQ(shown("now.x"), "");
}

TEST(References, BindingsKeepTheDot) {
  EXPECT_EQ(shown(".input as $i | .item"), "input item");
  EXPECT_EQ(shown(".input as $i | .item | .x"), "input item");
  EXPECT_EQ(shown(".input as {a: $a} | .item"), "input item");
  EXPECT_EQ(shown("reduce .input.xs[] as $x (.a; .b) | .c"), "input/xs");
  EXPECT_EQ(shown("label $out | .item"), "item");
  EXPECT_EQ(shown("$x.y"), "");
}

TEST(References, ConditionsAndDefinitions) {
  EXPECT_EQ(shown("if .input | .x then .item else .y end"), "input item y");
  EXPECT_EQ(shown("if .input then 1 else 2 end | .x"), "input");
  EXPECT_EQ(shown("def f: .x; .item"), "item");
  EXPECT_EQ(shown("def f: def g: .x; .y; .item"), "item");
  EXPECT_EQ(shown("try .input catch .x"), "input");
  EXPECT_EQ(shown("{if: .input, then: .item}"), "input item");
}

TEST(References, TextsAndComments) {
  EXPECT_EQ(shown("\".x\" + .input"), "input");
  EXPECT_EQ(shown("\"a\\(.input.b) .x\""), "input/b");
  EXPECT_EQ(shown("\"\\(\"\\(.item)\")\""), "item");
  EXPECT_EQ(shown(".input # .x\n + .item"), "input item");
  EXPECT_EQ(shown("@base64 \"\\(.item)\""), "item");
}

TEST(References, NonsenseEnds) {
  EXPECT_EQ(shown(std::string(100'000, '(')), "");
  EXPECT_EQ(shown("))).x"), "x");
  find_references(".[\"");
  find_references(".nodes.");
  find_references("\"\\");
}

}  // namespace
}  // namespace pawl
