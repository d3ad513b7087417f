#include "pawl/definition/graph.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

Node node(std::string id, std::vector<NodeIndex> needs = {}) {
  Node made;
  made.id = std::move(id);
  made.needs = std::move(needs);
  return made;
}

TEST(Graph, ShapesTellTheKindsOfNodesApart) {
  Workflow w;
  w.name = "demo";
  w.nodes = {node("list"), node("count", {0}), node("sum", {1}), node("f", {2}),
             node("mail", {2, 3})};
  w.nodes[1].for_each = make_expression(".nodes.list.output");
  w.nodes[2].type = NodeType::transform;
  w.nodes[3].type = NodeType::function;
  w.nodes[4].when = make_expression(".input.mail");
  EXPECT_EQ(to_mermaid(w), R"(---
title: "demo"
---
flowchart TD
  n0["list"]
  n1[["count<br/>for each"]]
  n2("sum")
  n3[/"f"/]
  n4["mail<br/>when .input.mail"]
  n0 --> n1
  n1 --> n2
  n2 --> n3
  n2 -.-> n4
  n3 -.-> n4
)");
}

TEST(Graph, TextCannotBecomeMarkup) {
  Workflow w;
  w.name = "a\"\n---\nflowchart LR";
  w.nodes = {node("x")};
  w.nodes[0].when = make_expression(".input | \"<script>\" == \"]\" #;");
  std::string text = to_mermaid(w);
  EXPECT_EQ(text.find("<script"), std::string::npos);
  EXPECT_NE(text.find("title: \"a#34; --- flowchart LR\""), std::string::npos) << text;
  EXPECT_NE(text.find("#60;script#62;"), std::string::npos) << text;
  EXPECT_EQ(text.find("== "), std::string::npos) << text;
}

TEST(Graph, LongConditionsAreCutBetweenCharacters) {
  Workflow w;
  w.nodes = {node("x")};
  w.nodes[0].when.text = std::string(59, 'a') + "\xc3\xa4" + "bcd";
  EXPECT_NE(to_mermaid(w).find(std::string(59, 'a') + "...\""), std::string::npos);
}

}  // namespace
}  // namespace pawl
