#include "pawl/model/workflow.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

Node node(std::string id, std::vector<NodeIndex> needs = {}) {
  Node made;
  made.id = std::move(id);
  made.needs = std::move(needs);
  return made;
}

Workflow workflow_of(std::vector<Node> nodes) {
  Workflow workflow;
  workflow.name = "w";
  workflow.nodes = std::move(nodes);
  return workflow;
}

std::string refusal(Workflow workflow) {
  Status status = finish(workflow);
  return status.ok() ? "accepted" : status.error().message;
}

TEST(Finish, FillsDependents) {
  Workflow w = workflow_of({node("d", {1, 2}), node("b", {3}), node("c", {3}), node("a")});
  ASSERT_TRUE(finish(w).ok());
  ASSERT_TRUE(finish(w).ok());  // again: the same
  using Nodes = std::vector<NodeIndex>;
  EXPECT_EQ(w.dependents, (std::vector<Nodes>{{}, {0}, {0}, {1, 2}}));
}

TEST(Finish, NamesTheNodesOfACycle) {
  EXPECT_EQ(refusal(workflow_of({node("a", {2}), node("x"), node("b", {0, 1}), node("c", {2})})),
            "nodes wait for each other in a circle: a -> b -> a; remove one of these needs");
  EXPECT_EQ(refusal(workflow_of({node("a", {0})})),
            "nodes wait for each other in a circle: a -> a; remove one of these needs");
  std::vector<Node> ring;
  for (NodeIndex i = 0; i < 10'000; ++i)
    ring.push_back(node("n" + std::to_string(i), {(i + 9'999) % 10'000}));
  std::string message = refusal(workflow_of(ring));
  EXPECT_NE(message.find("n0 -> n1 -> "), std::string::npos);
  EXPECT_LT(message.size(), 300u);
}

TEST(Finish, RefusesWithTheNameOfWhatIsWrong) {
  EXPECT_EQ(refusal(workflow_of({})), "workflow 'w' has no nodes; it needs at least one");
  EXPECT_EQ(refusal(workflow_of({node("a"), node("b"), node("a")})),
            "node 'a' is there twice; every node needs an id of its own");
  EXPECT_EQ(refusal(workflow_of({node("a b")})),
            "'a b' cannot be a node's id: use 1 to 128 of A-Z a-z 0-9 _ -");
  EXPECT_NE(refusal(workflow_of({node(std::string(129, 'a'))})), "accepted");
  EXPECT_EQ(refusal(workflow_of({node(std::string(128, 'a'))})), "accepted");
  EXPECT_EQ(refusal(workflow_of({node("a", {7})})),
            "node 'a' needs node number 7, which does not exist");
  EXPECT_EQ(refusal(workflow_of({node("a"), node("b", {0, 0})})), "node 'b' needs 'a' twice");
}

TEST(Finish, ChecksValues) {
  auto with = [](auto change) {
    Node n = node("a");
    change(n);
    return refusal(workflow_of({n}));
  };
  EXPECT_NE(with([](Node& n) { n.retry.max_attempts = 0; }), "accepted");
  EXPECT_EQ(with([](Node& n) { n.retry.max_attempts = 10'001; }),
            "node 'a': max_attempts: 10001 is above attempts_max = 10000");
  EXPECT_NE(with([](Node& n) { n.priority = 10; }), "accepted");
  EXPECT_NE(with([](Node& n) { n.queue = ""; }), "accepted");
  EXPECT_NE(with([](Node& n) { n.timeout.run = Duration{-1}; }), "accepted");
  EXPECT_NE(with([](Node& n) { n.retry.jitter_permille = 1001; }), "accepted");
}

TEST(Finish, NamesTheLimit) {
  std::vector<Node> many(workflow_nodes_max + 1);
  EXPECT_EQ(refusal(workflow_of(many)),
            "nodes of workflow 'w': 10001 is above workflow_nodes_max = 10000");
  std::vector<Node> dense;
  for (NodeIndex i = 0; i < 500; ++i) {
    dense.push_back(node("n" + std::to_string(i)));
    for (NodeIndex need = 0; need < i; ++need) dense.back().needs.push_back(need);
  }
  EXPECT_EQ(refusal(workflow_of(dense)),
            "edges of workflow 'w': 124750 is above workflow_edges_max = 100000");
}

TEST(ExpressionTest, RecognisesPlainPaths) {
  using Path = std::vector<std::string>;
  auto path = [](const char* jq) {
    Expression e = make_expression(jq);
    EXPECT_EQ(e.text, jq);
    return e.plain ? e.path : Path{"not plain"};
  };
  EXPECT_EQ(path(".input.a"), (Path{"input", "a"}));
  EXPECT_EQ(path(" .nodes.x.output[3] "), (Path{"nodes", "x", "output", "3"}));
  EXPECT_EQ(path(".nodes[\"my-node\"].output"), (Path{"nodes", "my-node", "output"}));
  EXPECT_EQ(path(".nodes.\"my-node\""), (Path{"nodes", "my-node"}));
  EXPECT_EQ(path(".[\"input\"][0]"), (Path{"input", "0"}));
  EXPECT_EQ(path(".item"), (Path{"item"}));
  // Valid jq that means something else, or no jq at all: jq itself has to say.
  for (const char* jq : {"",        ".",         "input",   ".a.",          "..",
                         ".a..b",   ".a | .b",   ".a-b",    ".a[-1]",       ".a[]",
                         ".a[1:2]", ".a?",       "[\"a\"]", ".a[\"b\\n\"]", ".a[\"\\(.b)\"]",
                         ".a[01]",  ".a[\"3\"]", ".3",      ".a .b",        ".a[\"b]",
                         ".a[0",    ".a[",       ".\"\"",   "\"a\"",        ".a#c"})
    EXPECT_EQ(path(jq), Path{"not plain"}) << jq;
}

// {"a":(.b),"t":"c\\(.d)"} -> {"a": |.b| ,"t":"c |\\ .d| "}
std::string parts_of(const std::string& jq) {
  std::string shown;
  for (const ExpressionPart& part : make_expression(jq).parts) {
    if (!shown.empty()) shown += '|';
    if (part.kind == ExpressionPart::Kind::jq) shown += "jq ";
    shown += (part.in_text ? "in text " : "") + part.text;
    EXPECT_EQ(part.kind == ExpressionPart::Kind::path, !part.path.empty());
  }
  return shown;
}

TEST(ExpressionTest, RecognisesWhatIsComposedOfJsonPathsAndJq) {
  EXPECT_EQ(parts_of(R"({"a":(.input.a),"b":[1,(.x|y)]})"),
            R"({"a":|.input.a|,"b":[1,|jq .x|y|]})");
  EXPECT_EQ(parts_of("[( .a\n)]"), "[|.a|]");
  EXPECT_EQ(parts_of("[(.a # )\n)]"), "") << "jq composes what it computes alone";
  EXPECT_EQ(parts_of("[(.a # )\n),0]"), "[|jq .a # )|,0]");
  EXPECT_EQ(parts_of(R"x("a(\(.b)\"\\\(.c + ")"))")x"),
            R"x("a(|in text .b|\"\\|jq in text .c + ")"|)")x");
  EXPECT_EQ(parts_of(R"x([("n\(.b)"),("c")])x"), R"x(["n|in text .b|","c"])x");
  EXPECT_EQ(parts_of("(.a)"), ".a");
  EXPECT_EQ(parts_of(" [1, 2]\n"), "[1, 2]");
  EXPECT_EQ(parts_of("\"c\""), "\"c\"");
  EXPECT_EQ(parts_of(R"x({"k\(.a)":1})x"), R"({"k|in text .a|":1})");
}

TEST(ExpressionTest, LeavesToJqWhatOnlyLooksComposed) {
  for (const char* jq : {"",
                         ".",
                         ".a",
                         "[.a]",
                         "{a:(.b)}",
                         "{(.a):1}",
                         "-(.a)",
                         "[1(.a)]",
                         "[(.a)(.b)]",
                         "(.a)+1",
                         "(.a)[0]",
                         "(.a)?",
                         "[(.a)]|.[0]",
                         "{\"a\":(.b)}.a",
                         "@text \"\\(.a)\"",
                         "[(.a)",
                         "[(.a]",
                         "(.a))",
                         "\"\\(.a\"",
                         "\"\\(.a)",
                         "[(.a)] # all",
                         "f(.a)",
                         "[(.a),.b]",
                         "\"a\n\\(.b)\"",
                         "[(.a|b)]",
                         "(.a|b)",
                         "[(.a) as $x|1]"})
    EXPECT_EQ(parts_of(jq), "") << jq;
  std::string many = "[0,(.a)";
  for (int i = 0; i < 100; ++i) many += ",(.b|c)";
  EXPECT_NE(parts_of(many + "]"), "");
  EXPECT_EQ(parts_of(many + ",(.b|c)]"), "") << "jq's own bounds are near";
  const std::string deep = std::string(100'000, '(') + ".a" + std::string(100'000, ')');
  EXPECT_EQ(parts_of("[0,(" + deep + ")]"), "[0,|jq " + deep + "|]");
}

TEST(Names, AreWhatFilesAndPeopleUse) {
  EXPECT_STREQ(name(NodeType::transform), "transform");
  EXPECT_STREQ(name(FailureKind::exit_code), "exit_code");
  EXPECT_STREQ(name(FailureKind::declined), "declined");
}

}  // namespace
}  // namespace pawl
