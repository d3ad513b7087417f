// What wrong files are told: every message, its line and its column.
#include <gtest/gtest.h>

#include "pawl/definition/definition.h"

namespace pawl {
namespace {

struct Case {
  const char* file;
  const char* problems;  // "file:line:column: message", one per line
};

constexpr Case cases[] = {
    {"", "f:1:1: the file is empty"},
    {"# nothing\n", "f:1:1: the file is empty"},
    {"just text", "f:1:1: a workflow file must be a mapping, not a text"},
    {"- a\n- b\n", "f:1:1: a workflow file must be a mapping, not a list"},
    {"nodes:\n  a: {run: ls}\n", "f:1:1: \"name\" is missing"},
    {"name: x\n", "f:1:1: \"nodes\" is missing"},
    {"name: x\nnodes: {}\n", "f:2:8: a workflow has at least one node"},
    {"name: x\nnodes: [a]\n", "f:2:8: \"nodes\" must be a mapping of ids to nodes, not a list"},
    {"name: x\nnods:\n  a: {run: ls}\n", "f:2:1: unknown key \"nods\"; did you mean \"nodes\"?"},
    {"name: ''\nnodes:\n  a: {run: ls}\n", "f:1:7: \"name\" must be a text, not an empty one"},
    {"name: \"a\\nb\"\nnodes:\n  a: {run: ls}\n",
     "f:1:7: \"name\" must be one line of at most 128 bytes"},
    {"name: [x]\nnodes:\n  a: {run: ls}\n", "f:1:7: \"name\" must be a text, not a list"},
    {"name: x\nname: y\nnodes:\n  a: {run: ls}\n",
     "f:2:1: \"name\" is given twice; first in line 1"},
    {"name: x\nnodes:\n  a: {run: ls}\n  a: {run: ls}\n",
     "f:4:3: \"a\" is given twice; first in line 3"},
    {"name: x\nnodes:\n\ta: {run: ls}\n", "f:3:1: YAML is not indented with tabs; use spaces"},
    {"name: x\nnodes:\n  a: {run: ls\n",
     "f:4:1: did not find expected ',' or '}', while parsing a flow mapping that begins in line 3"},
    {"name: x\nnodes:\n  a:\n    run: echo a: b\n",
     "f:4:16: \": \" begins a value here; put quotes around a text that contains it"},
    {"name: x\nnodes:\n  a: {run: \"ls}\n",
     "f:4:1: found unexpected end of stream, while scanning a quoted scalar that begins in line 3"},
    {"name: x\n---\nname: y\n",
     "f:2:1: a second document begins here; one file holds one workflow"},
    {"name: x\nnodes: *n\n", "f:2:8: no anchor &n ends before this alias"},
    {"name: x\nnodes:\n  a: {run: !!python/none ls}\n",
     "f:3:12: tags such as tag:yaml.org,2002:python/none have no meaning here; remove it"},
    {"name: x\nnodes:\n  a: &a {run: ls}\n  b: {<<: *a}\n",
     "f:4:7: merge keys (<<) are not supported; write the values out"},
    {"name: x\n? [a]\n: b\n", "f:2:3: a key is a plain word, not a list or a mapping"},
    {"name: x\nnodes:\n  a b: {run: ls}\n",
     "f:3:3: a node's id is 1 to 128 letters, digits or _ -, not \"a b\""},
    {"name: x\nnodes:\n  a: ls\n", "f:3:6: node \"a\" must be a mapping, not a text"},
    {"name: x\nnodes:\n  a: {}\n",
     "f:3:3: node \"a\" has nothing to do; give it run, command, transform or function"},
    {"name: x\nnodes:\n  a: {run: ls, command: [ls]}\n",
     "f:3:16: node \"a\" has both \"run\" and \"command\"; keep one"},
    {"name: x\nnodes:\n  a: {comand: [ls]}\n",
     "f:3:7: unknown key \"comand\"; did you mean \"command\"?"},
    {"name: x\nnodes:\n  a: {command: ls -l}\n",
     "f:3:16: \"command\" must be a list: the program, then its arguments; a shell line goes under "
     "\"run\""},
    {"name: x\nnodes:\n  a: {command: []}\n",
     "f:3:16: \"command\" must be a list: the program, then its arguments; a shell line goes under "
     "\"run\""},
    {"name: x\nnodes:\n  a: {command: [ls, null]}\n",
     "f:3:21: \"command[1]\" must be a text, not nothing"},
    {"name: x\nnodes:\n  a: {command: [ls, [a]]}\n",
     "f:3:21: \"command[1]\" must be a text, not a list"},
    {"name: x\nnodes:\n  a: {command: ['']}\n",
     "f:3:17: \"command\" begins with the name of a program"},
    {"name: x\nnodes:\n  a: {run: \"a\\0b\"}\n", "f:3:12: \"run\" cannot hold a NUL character"},
    {"name: x\nnodes:\n  a: {run: }\n", "f:3:12: \"run\" must be a text, not nothing"},
    {"name: x\nnodes:\n  a: {run: '${ .item }'}\n",
     "f:3:13: \"a\" has no .item; that takes for_each"},
    {"name: x\nnodes:\n  a: {run: 'cd ${HOME}'}\n",
     "f:3:16: \"${HOME}\" would be a jq expression; for the shell's variable write $HOME or "
     "$${HOME}"},
    {"name: x\nnodes:\n  a:\n    run: |\n      cd /tmp\n      ls ${ .input.a\n",
     "f:6:10: the expression that begins with ${ has no closing }; a literal ${ is written $${"},
    {"name: x\nnodes:\n  a:\n    run: |\n      echo ${ .input.a }\n      echo \"Hi ${ .input.b "
     "}\"\n",
     "f:6:16: ${ .input.b } stands inside \"...\", where its value is not safe from the shell; "
     "write it "
     "outside of all quotes, or x=${ .input.b } before that and \"$x\" here"},
    {"name: x\nnodes:\n  a: {run: 'ls ${ }'}\n",
     "f:3:16: an expression is missing between ${ and }"},
    {"name: x\nnodes:\n  a: {run: ls, with: {n: 1}}\n",
     "f:3:16: \"with\" belongs to function nodes; \"a\" is a process node"},
    {"name: x\nnodes:\n  a: {transform: '1', env: {A: b}, output: json}\n",
     "f:3:23: \"env\" belongs to run and command nodes; \"a\" is a transform node\nf:3:36: "
     "\"output\" belongs to run and command nodes; \"a\" is a transform node"},
    {"name: x\nnodes:\n  a: {run: ls, output: line}\n",
     "f:3:24: unknown output \"line\"; did you mean \"lines\"?"},
    {"name: x\nnodes:\n  a: {run: ls, output: yaml}\n",
     "f:3:24: unknown output \"yaml\"; known: text, json, lines, none, lossy"},
    {"name: x\nnodes:\n  a: {run: ls, priority: 10}\n",
     "f:3:26: \"priority\" must be a whole number from 0 to 9, not \"10\""},
    {"name: x\nnodes:\n  a: {run: ls, priority: high}\n",
     "f:3:26: \"priority\" must be a whole number from 0 to 9, not \"high\""},
    {"name: x\nnodes:\n  a: {run: ls, resources: [cpu]}\n",
     "f:3:27: \"resources\" must be a mapping of names to amounts, such as {cpu: 0.5, memory: "
     "512MiB}, not a list"},
    {"name: x\nnodes:\n  a: {run: ls, resources: {cpu: 0}}\n",
     "f:3:33: \"cpu\" must be more than nothing"},
    {"name: x\nnodes:\n  a: {run: ls, affinity: {prefers: {a: b}}}\n",
     "f:3:27: unknown key \"prefers\"; did you mean \"prefer\"?"},
    {"name: x\nnodes:\n  a: {run: ls, affinity: {require: ssd}}\n",
     "f:3:36: \"require\" must be a mapping of labels to values, such as {disk: ssd}, not a text"},
    {"name: x\nnodes:\n  a: {run: ls, affinity: {key: a}}\n",
     "f:3:32: \"key\" must be an expression such as ${ .input.customer }"},
    {"name: x\nnodes:\n  a: {run: ls, for_each: 3, affinity: {key: '${ .item }'}}\n",
     "f:3:45: \"key\" must be a plain path such as ${ .input.customer }, without .item: it is the "
     "same for all tasks of a node"},
    {"name: x\nnodes:\n  a: {run: ls, anti_affinity: {apart: rack}}\n",
     "f:3:39: unknown apart \"rack\"; known: worker, zone"},
    {"name: x\nnodes:\n  a: {run: ls, queue: 'a b'}\n",
     "f:3:23: a queue's name is 1 to 128 letters, digits or _ - ., not \"a b\""},
    {"name: x\nnodes:\n  a: {run: ls, retry: 0}\n",
     "f:3:23: \"retry\" must be a whole number from 1 to 10000, not \"0\""},
    {"name: x\nnodes:\n  a: {run: ls, retry: {attempts: 3}}\n",
     "f:3:24: unknown key \"attempts\"; did you mean \"max_attempts\"?"},
    {"name: x\nnodes:\n  a: {run: ls, retry: {max_attempts: 3, on: [exit]}}\n",
     "f:3:46: unknown failure \"exit\"; did you mean \"exit_code\"?"},
    {"name: x\nnodes:\n  a: {run: ls, retry: {backoff: {first: 10s, max: 5s}}}\n",
     "f:3:51: \"max\" is shorter than \"first\""},
    {"name: x\nnodes:\n  a: {run: ls, retry: {backoff: {factor: 0.5, jitter: 2}}}\n",
     "f:3:42: \"factor\" must be 1 or more, or waits would shrink\nf:3:55: jitter: \"2\" is above "
     "1"},
    {"name: x\nnodes:\n  a: {run: ls, timeout: 30}\n",
     "f:3:25: timeout: \"30\" has no unit; did you mean \"30s\"?"},
    {"name: x\nnodes:\n  a: {run: ls, timeout: {runs: 30s}}\n",
     "f:3:26: unknown key \"runs\"; did you mean \"run\"?"},
    {"name: x\nnodes:\n  a: {run: ls, timeout: 30 secs}\n",
     "f:3:25: timeout: unknown unit \"secs\"; use one of ns, us, ms, s, m, h, d"},
    {"name: x\nnodes:\n  a: {run: ls, timeout: [30s]}\n",
     "f:3:25: \"timeout\" must be a mapping, not a list"},
    {"name: x\nnodes:\n  a: {run: ls, limits: {memory: 512, cpu: 1.5s, open_files: 1, file_size: "
     "big}}\n",
     "f:3:33: memory: \"512\" has no unit; did you mean \"512MiB\"?\nf:3:43: \"cpu\" counts whole "
     "seconds\nf:3:61: \"open_files\" must be a whole number from 4 to 1048576, not \"1\"\nf:3:75: "
     "file_size: \"big\" is not a size such as 64KiB or 10MB"},
    {"name: x\nnodes:\n  a: {run: ls, env: {1A: x, PAWL_X: y, B: null}}\n",
     "f:3:22: \"1A\" is no name of an environment variable\nf:3:29: names that begin with PAWL_ "
     "are set by Pawl itself\nf:3:43: \"env.B\" must be a text, not nothing"},
    {"name: x\nnodes:\n  a: {run: ls, env: [A]}\n",
     "f:3:21: \"env\" must be a mapping, not a list"},
    {"name: x\nnodes:\n  a: {run: ls, files: {'a/b': x, c: ''}}\n",
     "f:3:24: a file's name is 1 to 128 letters, digits or _ - ., not \"a/b\"\nf:3:37: a path is "
     "missing"},
    {"name: x\nnodes:\n  a: {run: ls, files: out.txt}\n",
     "f:3:23: \"files\" must be a mapping, not a text"},
    {"name: x\nnodes:\n  a: {run: ls, directory: [a]}\n",
     "f:3:27: \"directory\" must be a text, not a list"},
    {"name: x\nnodes:\n  list: {run: ls}\n  b: {run: ls, needs: [lst]}\n",
     "f:4:24: unknown node \"lst\"; did you mean \"list\"?"},
    {"name: x\nnodes:\n  list: {run: ls}\n  b: {run: ls, needs: [zebra]}\n",
     "f:4:24: unknown node \"zebra\"; known: list, b"},
    {"name: x\nnodes:\n  a: {run: ls}\n  b: {run: ls, needs: [a, a]}\n",
     "f:4:27: \"a\" is needed twice"},
    {"name: x\nnodes:\n  a: {run: ls, needs: [{b: c}]}\n",
     "f:3:24: \"needs\" lists ids of nodes, not a mapping"},
    {"name: x\nnodes:\n  a: {run: ls, needs: a}\n",
     "f:3:23: these nodes wait for each other: a -> a"},
    {"name: x\nnodes:\n  a: {run: ls, needs: c}\n  b: {run: ls, needs: a}\n  c: {run: ls, needs: "
     "[b]}\n  d: {run: ls, needs: c}\n",
     "f:3:23: these nodes wait for each other: a -> c -> b -> a"},
    {"name: x\nnodes:\n  a: {run: ls}\n  b: {run: 'echo ${ .nodes.a.output }'}\n",
     "f:4:18: \"b\" reads the output of \"a\" but does not need it; add \"a\" to its needs"},
    {"name: x\nnodes:\n  list: {run: ls}\n  b: {run: 'echo ${ .nodes.lst.output }', needs: list}\n",
     "f:4:18: unknown node \"lst\"; did you mean \"list\"?"},
    {"name: x\nnodes:\n  a: {run: 'echo ${ .nodes.a.output }'}\n",
     "f:3:18: \"a\" cannot read its own output"},
    {"name: x\nnodes:\n  my-list: {run: ls}\n  b: {run: 'echo ${ .nodes.my-list.output }', needs: "
     "my-list}\n",
     "f:4:18: jq reads the - in .my-list as minus; write .nodes[\"my-list\"]"},
    {"name: x\nnodes:\n  a: {run: ls}\n  b: {run: 'echo ${ .nodes.a.stdout }', needs: a}\n",
     "f:4:18: a node has an .output, not .stdout; write .nodes.a.output.stdout for a part of it"},
    {"name: x\nnodes:\n  a: {run: ls}\noutput: ${ .node.a.output }\n",
     "f:4:9: expressions know .input, .nodes, .item and .execution, not .node; did you mean "
     "\".nodes\"?"},
    {"name: x\nnodes:\n  a: {run: ls}\noutput: {n: '${ .item }'}\n",
     "f:4:14: there is no .item outside of a node"},
    {"name: x\nnodes:\n  a: {run: ls}\noutput: .inf\n",
     "f:4:9: JSON has no .inf; use a number or a text in quotes"},
    {"name: x\nnodes:\n  a: {run: ls, for_each: 3, when: '${ .item > 1 }'}\n",
     "f:3:36: there is no .item yet in \"when\", which is evaluated once for all items"},
    {"name: x\nnodes:\n  a: {run: ls, when: .input.a}\n",
     "f:3:22: \"when\" must be true, false or an expression such as ${ .input.enabled }"},
    {"name: x\nnodes:\n  a: {run: ls, when: 'a${ .input.a }'}\n",
     "f:3:22: \"when\" must be one expression; put all of it inside the ${ }"},
    {"name: x\nnodes:\n  a: {run: ls, when: '${ .input.a } == 1'}\n",
     "f:3:22: \"when\" must be one expression; put all of it inside the ${ }"},
    {"name: x\nnodes:\n  a: {run: ls, for_each: .input.a}\n",
     "f:3:26: \"for_each\" must be a list, a whole number or an expression such as ${ .input.files "
     "}"},
    {"name: x\nnodes:\n  a: {run: ls, for_each: '${ .input.a } ${ .input.b }'}\n",
     "f:3:26: \"for_each\" must be one expression; put all of it inside the ${ }"},
    {"name: x\nnodes:\n  a: {run: ls, for_each: -1}\n",
     "f:3:26: \"for_each\" must be a whole number from 0 to 16000000, not \"-1\""},
    {"name: x\nnodes:\n  a: {run: ls, for_each: 16000001}\n",
     "f:3:26: \"for_each\" must be a whole number from 0 to 16000000, not \"16000001\""},
    {"name: x\nnodes:\n  a: {run: ls, for_each: {a: b}}\n",
     "f:3:26: \"for_each\" must be a list, a whole number or an expression such as ${ .input.files "
     "}"},
    {"name: x\ninput: {dir: /tmp}\nnodes:\n  a: {run: 'ls ${ .input.dri }'}\n",
     "f:4:16: the workflow declares no input \"dri\"; did you mean \"dir\"?"},
    {"name: x\ninput: [dir]\nnodes:\n  a: {run: ls}\n",
     "f:2:8: \"input\" must be a mapping of names to defaults, not a list"},
    {"name: x\ninput: {dir: '${ .input.x }'}\nnodes:\n  a: {run: ls}\n",
     "f:2:15: an expression has nothing to read here; \"input\" takes constants"},
    {"name: x\nnodes:\n  a: {function: 'a b'}\n",
     "f:3:17: a function's name is 1 to 128 letters, digits or _ - . :, not \"a b\""},
    {"name: x\nnodes:\n  a: {transform: ''}\n",
     "f:3:18: \"transform\" must be a text, not an empty one"},
    {"name: x\nnodes:\n  a: {transform: [1]}\n",
     "f:3:18: \"transform\" must be a text, not a list"},
    {"name: x\nversion: {}\nnodes:\n  a: {run: ls}\n",
     "f:2:10: \"version\" must be a text, not a mapping"},
    {"{\"name\": \"x\",\n\t\"nodes\": {\"a\": {\"runn\": \"ls\"}}}",
     "f:2:18: unknown key \"runn\"; did you mean \"run\"?"},
    {"{\"name\": \"x\",\n\t\"nodes\": {\"a\": {\"run\": \"ls\"},}",
     "f:3:1: did not find expected ',' or '}', while parsing a flow mapping that begins in line 1"},
    {"name: \"\\ud83d\"\nnodes:\n  a: {run: ls}\n",
     "f:1:10: found invalid Unicode character escape code, while parsing a quoted scalar"},
    {"name: nightly@1\nnodes:\n  a: {run: ls}\n",
     "f:1:7: \"name\" must not contain \"@\", behind which a version is named"},
    {"name: \377\n", "f:1:7: the file is not plain UTF-8 text: invalid leading UTF-8 octet"},
    {"name: a\001b\n",
     "f:1:8: the file is not plain UTF-8 text: control characters are not allowed"},
    {"name: \303\244\nnodes:\n  a: {run: '\303\244\303\266 ${ .foo }'}\n",
     "f:3:16: expressions know .input, .nodes, .item and .execution, not .foo"},
};

std::string problems_of(std::string_view text) {
  std::string all;
  for (const Problem& problem : load_definition(text, "f").problems) {
    std::string line = to_text(problem);
    size_t mark = line.find(": error: ");
    line.erase(mark + 1, 7);
    all += (all.empty() ? "" : "\n") + line;
  }
  return all;
}

TEST(BadDefinition, SaysWhatIsWrongAndWhere) {
  for (const Case& bad : cases) EXPECT_EQ(problems_of(bad.file), bad.problems) << bad.file;
  EXPECT_GE(std::size(cases), 80u);
}

TEST(BadDefinition, TheWholeLine) {
  Loaded loaded = load_definition("name: x\nnods: {}\n", "dir/w.yaml");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(to_text(loaded.problems[0]),
            "dir/w.yaml:2:1: error: unknown key \"nods\"; did you mean \"nodes\"?");
}

TEST(BadDefinition, TheSameIsSaidOnceAndCannotSteerATerminal) {
  EXPECT_EQ(problems_of("name: x\nnodes:\n  a: {run: 'ls ${ .foo + .foo }'}\n"),
            "f:3:16: expressions know .input, .nodes, .item and .execution, not .foo");
  EXPECT_EQ(problems_of("name: x\nnodes:\n  a: {run: ls, \"\\e[31mred\\n\": 1, needs: []}\n")
                .substr(0, 36),
            "f:3:16: unknown key \"?[31mred?\"; kno");
}

TEST(BadDefinition, TwentyProblemsAtMost) {
  std::string text = "name: x\nnodes:\n";
  for (int i = 0; i < 100; ++i) text += "  n" + std::to_string(i) + ": {run: ls, needs: [no]}\n";
  EXPECT_EQ(load_definition(text, "f").problems.size(), definition_problems_max);
}

TEST(BadDefinition, TooLargeIsRefusedUnread) {
  std::string text(100'000'000, '[');
  Loaded loaded = load_definition(text, "f");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(to_text(loaded.problems[0]),
            "f:1:1: error: the file has 100000000 bytes; at most 1048576 are allowed "
            "(definition_bytes_max)");
}

TEST(BadDefinition, TooDeep) {
  EXPECT_EQ(problems_of("name: x\ninput: " + std::string(100'000, '[')),
            "f:2:71: nested deeper than 64 levels");
}

TEST(BadDefinition, AliasesCannotMultiply) {
  std::string text = "name: x\ninput:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    std::string before = std::to_string(i - 1), here = std::to_string(i);
    text += "  a" + here + ": &a" + here + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + before;
    text += "]\n";
  }
  EXPECT_NE(problems_of(text).find("anchors and aliases expand to more than 4 MiB"),
            std::string::npos);
}

TEST(BadDefinition, TooManyNodes) {
  std::string text = "name: x\nnodes:\n";
  for (int i = 0; i < 10'001; ++i) text += "  n" + std::to_string(i) + ": {run: ls}\n";
  EXPECT_EQ(problems_of(text),
            "f:3:3: 10001 nodes; at most 10000 are allowed (workflow_nodes_max)");
}

TEST(BadDefinition, TooManyNeeds) {
  std::string all, text = "name: x\nnodes:\n";
  for (int i = 0; i < 300; ++i) {
    text += "  n" + std::to_string(i) + ": {run: ls}\n";
    all += (i > 0 ? ",n" : "n") + std::to_string(i);
  }
  for (int i = 0; i < 340; ++i)
    text += "  m" + std::to_string(i) + ": {run: ls, needs: [" + all + "]}\n";
  std::string problems = problems_of(text);
  EXPECT_NE(problems.find("more than 100000 needs in one workflow (workflow_edges_max)"),
            std::string::npos)
      << problems;
}

// One line, no line breaks, an expression or an error every few bytes: work stays linear.
TEST(BadDefinition, LongLinesAreNotSlow) {
  std::string text = "{\"name\":\"x\",\"nodes\":{\"a\":{\"command\":[\"ls\"";
  while (text.size() < 900'000) text += ",\"${.input.a}\"";
  Loaded many = load_definition(text + "]}}}", "f");
  EXPECT_TRUE(many.ok());
  EXPECT_GT(many.expressions.size(), 60'000u);
  text = "name: x\nnodes: {a: {run: '";
  while (text.size() < 1'000'000) text += "${.inpu}";
  EXPECT_EQ(load_definition(text + "'}}", "f").problems.size(), definition_problems_max);
}

TEST(CheckInput, DeclaredInputsBind) {
  Loaded loaded =
      load_definition("name: x\ninput: {dir: null, depth: 2}\nnodes:\n  a: {run: ls}\n", "f");
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(check_input(loaded.workflow, R"({"dir":"/tmp"})").ok());
  EXPECT_EQ(check_input(loaded.workflow, "").error().message,
            "workflow x needs a value for its input: dir");
  EXPECT_EQ(check_input(loaded.workflow, R"({"dir":1,"dept":3})").error().message,
            "workflow x declares no input \"dept\"; did you mean \"depth\"?");
  loaded.workflow.input_defaults.clear();
  EXPECT_TRUE(check_input(loaded.workflow, R"({"any":1})").ok());
}

}  // namespace
}  // namespace pawl
