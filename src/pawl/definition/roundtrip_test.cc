// A workflow written as JSON by the test and read by the parser is the same workflow; YAML and JSON
// forms of a file give the same model.
#include <gtest/gtest.h>

#include "pawl/base/json.h"
#include "pawl/base/random.h"
#include "pawl/definition/definition.h"
#include "pawl/definition/keys.h"
#include "pawl/definition/shell_place.h"
#include "pawl/definition/template.h"

namespace pawl {
namespace {

constexpr std::string_view letters[] = {
    "a", "B", " ",  "\"", "\\", "\n",   "\t", "é", "\xf0\x9f\x98\x80", "$", "${", "{",
    "}", "#", ": ", "- ", "7",  "null", "~",  "'"};

class Generator {
 public:
  explicit Generator(uint64_t seed) : dice_(seed) {}

  Workflow workflow() {
    Workflow w;
    w.name = "w" + std::to_string(dice_.below(1000));
    if (dice_.chance(500)) w.version = text(1);
    auto count = static_cast<NodeIndex>(dice_.between(1, 12));
    for (NodeIndex i = 0; i < count; ++i) w.nodes.push_back(node(i));
    if (dice_.chance(500)) w.output = make_expression(".nodes.n0.output");
    return w;
  }

 private:
  std::string text(uint64_t least) {
    std::string made;
    for (uint64_t n = dice_.between(least, 6); n > 0; --n)
      made += letters[dice_.below(std::size(letters))];
    return made;
  }

  Template process_text(bool mapped) {
    Template made;
    made.parts.push_back({"x" + text(0), {}});
    if (dice_.chance(500))
      made.parts.push_back(
          {{}, make_expression(mapped && dice_.chance(500) ? ".item" : ".input | .a")});
    return made;
  }

  Node node(NodeIndex index) {
    Node made;
    made.id = "n" + std::to_string(index);
    for (NodeIndex need = 0; need < index; ++need)
      if (dice_.chance(300)) made.needs.push_back(need);
    if (dice_.chance(300)) made.when = make_expression(".input.go == 1");
    if (dice_.chance(300)) made.for_each = make_expression(std::to_string(dice_.below(100)));
    made.priority = static_cast<uint8_t>(dice_.below(10));
    if (dice_.chance(300)) made.queue = "slow";
    retry(made.retry);
    if (dice_.chance(500)) made.timeout.run = Duration::milliseconds(dice_.between(1, 100'000));
    if (dice_.chance(500)) made.timeout.queue = Duration::hours(dice_.between(1, 99));
    made.type = static_cast<NodeType>(dice_.below(3));
    if (made.type == NodeType::transform) made.transform = make_expression("[.input, 1] | length");
    if (made.type == NodeType::function) made.function = "f.g";
    if (made.type == NodeType::process) process(made);
    return made;
  }

  void retry(RetryPolicy& retry) {
    retry.max_attempts = static_cast<uint32_t>(dice_.between(1, 100));
    retry.backoff_first = Duration::milliseconds(dice_.between(1, 1000));
    retry.backoff_factor_permille = static_cast<uint32_t>(dice_.between(1000, 5000));
    retry.backoff_max = Duration::seconds(dice_.between(1, 1000));
    retry.jitter_permille = static_cast<uint32_t>(dice_.below(1001));
    retry.retryable = static_cast<uint32_t>(dice_.below(256));
  }

  void process(Node& node) {
    ProcessSpec& process = node.process;
    process.shell = dice_.chance(500);
    for (uint64_t n = process.shell ? 1 : dice_.between(1, 4); n > 0; --n)
      process.argv.push_back(process_text(node.mapped()));
    while (process.shell && shell_trouble(process.argv[0]))
      process.argv[0] = process_text(node.mapped());
    if (dice_.chance(300)) process.environment.emplace_back("LANG", process_text(node.mapped()));
    if (dice_.chance(300)) process.directory = process_text(node.mapped());
    if (dice_.chance(300)) process.output_files.emplace_back("out", process_text(node.mapped()));
    process.output = static_cast<OutputMode>(dice_.below(5));
    process.limits.memory_bytes = dice_.below(2) * dice_.between(1, 1ull << 40);
    process.limits.cpu_seconds = dice_.below(100);
    process.limits.open_files = dice_.below(2) * 64;
  }

  Random dice_;
};

std::string permille(uint32_t value) {
  std::string fraction = std::to_string(value % 1000 + 1000).substr(1);
  return std::to_string(value / 1000) + "." + fraction;
}

std::string duration(Duration d) {
  return json_quote(std::to_string(d.ns) + "ns");
}

std::string whole(const Expression& expression) {
  return json_quote("${ " + expression.text + " }");
}

class Writer {
 public:
  std::string write(const Workflow& w) {
    out_.begin_object().key("name").string(w.name);
    if (!w.version.empty()) out_.key("version").string(w.version);
    out_.key("nodes").begin_object();
    for (const Node& node : w.nodes) this->node(w, node);
    out_.end_object();
    if (w.output) out_.key("output").raw(whole(w.output));
    return out_.end_object().take();
  }

 private:
  void node(const Workflow& w, const Node& node) {
    out_.key(node.id).begin_object().key("needs").begin_array();
    for (NodeIndex need : node.needs) out_.string(w.nodes[need].id);
    out_.end_array();
    if (node.when) out_.key("when").raw(whole(node.when));
    if (node.for_each) out_.key("for_each").raw(node.for_each.text);
    out_.key("priority").number(uint64_t{node.priority}).key("queue").string(node.queue);
    retry(node.retry);
    out_.key("timeout").begin_object();
    if (node.timeout.run.ns > 0) out_.key("run").raw(duration(node.timeout.run));
    if (node.timeout.queue.ns > 0) out_.key("queue").raw(duration(node.timeout.queue));
    out_.end_object();
    if (node.transform) out_.key("transform").string(node.transform.text);
    if (!node.function.empty()) out_.key("function").string(node.function);
    if (node.type == NodeType::process) process(node.process);
    out_.end_object();
  }

  void retry(const RetryPolicy& retry) {
    out_.key("retry").begin_object().key("max_attempts").number(uint64_t{retry.max_attempts});
    out_.key("backoff").begin_object().key("first").raw(duration(retry.backoff_first));
    out_.key("factor").raw(permille(retry.backoff_factor_permille));
    out_.key("max").raw(duration(retry.backoff_max));
    out_.key("jitter").raw(permille(retry.jitter_permille)).end_object();
    out_.key("on").begin_array();
    for (size_t kind = 0; kind < failure_words().size(); ++kind)
      if (retry.retries(static_cast<FailureKind>(kind))) out_.string(failure_words()[kind]);
    out_.end_array().end_object();
  }

  void process(const ProcessSpec& process) {
    if (process.shell) {
      out_.key("run").string(to_source(process.argv[0]));
    } else {
      out_.key("command").begin_array();
      for (const Template& argument : process.argv) out_.string(to_source(argument));
      out_.end_array();
    }
    for (const auto& [name, value] : process.environment)
      out_.key("env").begin_object().key(name).string(to_source(value)).end_object();
    for (const auto& [name, value] : process.output_files)
      out_.key("files").begin_object().key(name).string(to_source(value)).end_object();
    if (!process.directory.empty()) out_.key("directory").string(to_source(process.directory));
    out_.key("output").string(output_words()[static_cast<size_t>(process.output)]);
    const ProcessLimits& limits = process.limits;
    out_.key("limits").begin_object();
    if (limits.memory_bytes > 0)
      out_.key("memory").string(std::to_string(limits.memory_bytes) + "B");
    if (limits.cpu_seconds > 0) out_.key("cpu").string(std::to_string(limits.cpu_seconds) + "s");
    if (limits.open_files > 0) out_.key("open_files").number(limits.open_files);
    out_.end_object();
  }

  JsonWriter out_;
};

void expect_same(const Workflow& a, const Workflow& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.input_defaults, b.input_defaults);
  EXPECT_EQ(a.output, b.output);
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) EXPECT_EQ(a.nodes[i], b.nodes[i]) << a.nodes[i].id;
}

TEST(RoundTrip, RandomWorkflows) {
  for (uint64_t seed = 1; seed <= 500 && !::testing::Test::HasFailure(); ++seed) {
    Workflow made = Generator(seed).workflow();
    std::string json = Writer().write(made);
    Loaded loaded = load_definition(json, "seed-" + std::to_string(seed));
    ASSERT_TRUE(loaded.ok()) << to_text(loaded.problems[0]) << "\n" << json;
    expect_same(made, loaded.workflow);
    if (HasFailure()) ADD_FAILURE() << "seed " << seed << "\n" << json;
  }
}

struct Pair {
  const char* yaml;
  const char* json;
};

constexpr Pair pairs[] = {
    {"name: x\nnodes:\n  a:\n    run: |\n      cd /tmp\n      ls\n",
     R"({"name":"x","nodes":{"a":{"run":"cd /tmp\nls\n"}}})"},
    {"name: x\nversion: 1.10\nnodes: {a: {command: [sleep, 1, true, -5]}}\n",
     R"({"name":"x","version":"1.10","nodes":{"a":{"command":["sleep","1","true","-5"]}}})"},
    {"name: x\ninput: {a: 0x1F, b: 0o17, c: +.5, d: ~, e: yes, f: 007, g: 1e3, h: 'null', i: }\n"
     "nodes: {a: {run: ls}}\n",
     R"({"name":"x","input":{"a":31,"b":15,"c":0.5,"d":null,"e":"yes","f":7,"g":1e3,"h":"null",)"
     R"("i":null},"nodes":{"a":{"run":"ls"}}})"},
    {"name: x\nnodes:\n  a:\n    for_each: [1, b, {c: '${ .input.d }'}]\n    run: ls\n",
     "{\"name\":\"x\",\n\t\"nodes\":{\n\t\t\"a\":{\"for_each\":[1,\"b\",{\"c\":\"${ .input.d }\"}],"
     "\t\"run\":\"ls\"}}}"},
    {"name: \"\\U0001F600/\"\nnodes: {a: {run: ls, retry: 3, timeout: 5s, needs: []}}\n",
     "\xef\xbb\xbf\t{\"name\":\"\\ud83d\\uDE00\\/\",\r\n\t\"nodes\" : {\"a\":{\"run\":\"ls\","
     "\"retry\":{\"max_attempts\":3},\"timeout\":{\"run\":\"5000ms\"}}}\t}\n"},
    {"name: x\nnodes: {b: &b {run: ls}, c: *b, a: {needs: b, function: f, with: ['${ .input }', "
     "'a${ 1 }']}}\n",
     R"({"name":"x","nodes":{"b":{"run":"ls"},"c":{"run":"ls"},"a":{"needs":["b"],"function":"f",)"
     R"("with":["${.input}","a${1}"]}}})"},
};

TEST(YamlAndJson, GiveTheSameModel) {
  for (const Pair& pair : pairs) {
    Loaded yaml = load_definition(pair.yaml, "yaml"), json = load_definition(pair.json, "json");
    ASSERT_TRUE(yaml.ok()) << to_text(yaml.problems[0]);
    ASSERT_TRUE(json.ok()) << to_text(json.problems[0]);
    expect_same(yaml.workflow, json.workflow);
  }
}

}  // namespace
}  // namespace pawl
