// The parser, the published JSON Schema and the reference with its examples say the same.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "pawl/base/json.h"
#include "pawl/definition/document.h"
#include "pawl/definition/keys.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;

fs::path repository() {
  return PAWL_SOURCE_DIR;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path schema_path() {
  return repository() / "docs/schema/workflow.schema.json";
}

// The document as JSON, as a schema sees it.
std::string to_json(const Value& value) {
  if (value.kind == ValueKind::scalar) return scalar_json(value);
  bool mapping = value.kind == ValueKind::mapping;
  std::string json = mapping ? "{" : "[";
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) json += ",";
    if (mapping) json += json_quote(value.keys[i].text) + ":";
    json += to_json(value.items[i]);
  }
  return json + (mapping ? "}" : "]");
}

struct Example {
  std::string where;
  std::string text;
};

// A block of the reference that is no whole file shows entries of `nodes`.
std::string whole(const std::string& block) {
  if (block.starts_with("name:") || block.starts_with("{") || block.starts_with("# yaml-lang"))
    return block;
  std::string text = "name: fragment\nnodes:\n", line;
  for (std::istringstream lines(block); std::getline(lines, line);) text += "  " + line + "\n";
  return text;
}

std::vector<Example> examples() {
  std::vector<Example> found;
  std::istringstream document(read(repository() / "docs/workflows.md"));
  std::string line, block;
  bool inside = false;
  for (size_t number = 1; std::getline(document, line); ++number) {
    if (inside && line == "```") {
      found.push_back(
          {"docs/workflows.md, block ending at line " + std::to_string(number), whole(block)});
      block.clear();
      inside = false;
    } else if (inside) {
      block += line + "\n";
    } else {
      inside = line == "```yaml" || line == "```json";
    }
  }
  if (fs::exists(repository() / "examples"))
    for (const auto& entry : fs::directory_iterator(repository() / "examples"))
      if (entry.path().extension() == ".yaml" || entry.path().extension() == ".json")
        found.push_back({entry.path().filename(), read(entry.path())});
  auto corpus = repository() / "src/pawl/definition/corpus/definition/everything.yaml";
  found.push_back({"corpus", read(corpus)});
  return found;
}

std::vector<std::string> sorted_keys(std::string_view object) {
  std::vector<std::string> keys;
  for (JsonItems members(object); members.next();) keys.push_back(json_unquote(members.key()));
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> sorted(const std::vector<std::string_view>& words) {
  std::vector<std::string> all(words.begin(), words.end());
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Schema, HasTheParsersKeysAndNoOthers) {
  std::string schema = read(schema_path());
  ASSERT_TRUE(json_validate(schema).ok());
  const std::pair<Section, std::vector<std::string>> sections[] = {
      {Section::workflow, {"properties"}},
      {Section::node, {"$defs", "node", "properties"}},
      {Section::retry, {"$defs", "retry", "properties"}},
      {Section::backoff, {"$defs", "backoff", "properties"}},
      {Section::timeout, {"$defs", "timeout", "properties"}},
      {Section::limits, {"$defs", "limits", "properties"}},
      {Section::affinity, {"$defs", "affinity", "properties"}},
      {Section::anti_affinity, {"$defs", "anti_affinity", "properties"}},
  };
  for (const auto& [section, path] : sections) {
    auto properties = json_find(schema, path);
    ASSERT_TRUE(properties) << path.back();
    EXPECT_EQ(sorted_keys(*properties), sorted(keys_of(section)));
    std::vector<std::string> closed(path.begin(), path.end() - 1);
    closed.push_back("additionalProperties");
    EXPECT_EQ(json_find(schema, closed), "false");
    for (JsonItems members(*properties); members.next();)
      EXPECT_TRUE(json_find(members.value(), {"description"}) ||
                  json_find(members.value(), {"$ref"}))
          << members.key();
  }
}

TEST(Schema, HasTheParsersWords) {
  std::string schema = read(schema_path());
  auto words = [&](const std::vector<std::string>& path) {
    std::vector<std::string> found;
    for (JsonItems items(json_find(schema, path).value_or("[]")); items.next();)
      found.push_back(json_unquote(items.value()));
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(words({"$defs", "node", "properties", "output", "enum"}), sorted(output_words()));
  EXPECT_EQ(words({"$defs", "failure", "enum"}), sorted(failure_words()));
}

TEST(Examples, AllLoad) {
  std::vector<Example> all = examples();
  EXPECT_GE(all.size(), 8u);
  for (const Example& example : all)
    for (const Problem& problem : load_definition(example.text, "example").problems)
      ADD_FAILURE() << example.where << ": " << to_text(problem);
}

TEST(Examples, AllKeysAreExplained) {
  std::string reference = read(repository() / "docs/workflows.md");
  for (Section section :
       {Section::workflow, Section::node, Section::retry, Section::backoff, Section::timeout,
        Section::limits, Section::affinity, Section::anti_affinity})
    for (std::string_view key : keys_of(section))
      EXPECT_NE(reference.find("`" + std::string(key) + "`"), std::string::npos) << key;
}

// With the reference implementation of JSON Schema, where it is installed.
TEST(Schema, AcceptsTheExamplesAndRefusesOthers) {
  if (std::system("python3 -W ignore -c 'import jsonschema; jsonschema.Draft202012Validator' "
                  "2>/dev/null") != 0)
    GTEST_SKIP() << "python3-jsonschema is not installed: examples are not held against the schema";
  std::string good = "[", bad;
  for (const Example& example : examples()) {
    Source source(example.text);
    Problems problems("example");
    auto root = parse_document(source, problems);
    ASSERT_TRUE(root) << example.where;
    good += (good.size() > 1 ? "," : "") + to_json(*root);
  }
  bad = R"([{"name":"x"}, {"name":"x","nodes":{"a":{}}}, {"name":"x","nodes":{"a":{"run":"ls",
    "command":["ls"]}}}, {"name":"x","nodes":{"a":{"runs":"ls"}}},
    {"name":"x","nodes":{"a":{"transform":".","env":{}}}},
    {"name":"x","nodes":{"a":{"run":"ls","timeout":30}}},
    {"name":"x","nodes":{"a":{"run":"ls","when":".input"}}},
    {"name":"x","nodes":{"a":{"run":"ls","env":{"PAWL_X":"1"}}}}])";
  fs::path script = fs::temp_directory_path() / ("pawl-schema-" + std::to_string(getpid()) + ".py");
  std::ofstream(script) << "import json, jsonschema, sys\n"
                           "schema = json.load(open(sys.argv[1]))\n"
                           "jsonschema.Draft202012Validator.check_schema(schema)\n"
                           "check = jsonschema.Draft202012Validator(schema)\n"
                           "good, bad = json.loads(r'''"
                        << good << "]'''), json.loads(r'''" << bad
                        << "''')\n"
                           "for one in good: check.validate(one)\n"
                           "for one in bad: assert not check.is_valid(one), one\n";
  std::string command =
      "python3 -W ignore '" + script.string() + "' '" + schema_path().string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  fs::remove(script);
}

}  // namespace
}  // namespace pawl
