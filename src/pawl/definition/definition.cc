#include "pawl/definition/definition.h"

#include <algorithm>

#include "pawl/base/json.h"
#include "pawl/definition/graph_check.h"
#include "pawl/definition/nearest.h"

namespace pawl {
namespace {

constexpr size_t name_bytes_max = 128;

// Makes of a JSON text one that YAML reads alike: no byte order mark or white space in front (where
// YAML allows no tab), and surrogate pairs ("\ud83d\ude00"), which YAML does not know, as one
// escape. Blanks keep the places of everything that matters.
std::string adapted(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string adapted(text);
  size_t first = adapted.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || adapted[first] != '{') return adapted;
  std::replace(adapted.begin(), adapted.begin() + static_cast<ptrdiff_t>(first), '\t', ' ');
  auto unit = [&](size_t at) -> uint32_t {
    if (adapted.compare(at, 2, "\\u") != 0 || at + 6 > adapted.size()) return 0;
    std::string digits = adapted.substr(at + 2, 4);
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return 0;
    return static_cast<uint32_t>(std::stoul(digits, nullptr, 16));
  };
  for (size_t at = adapted.find('\\'); at != std::string::npos && at + 1 < adapted.size();) {
    uint32_t high = unit(at), low = unit(at + 6 <= adapted.size() ? at + 6 : at);
    if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
      constexpr char hex[] = "0123456789abcdef";
      uint32_t point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      std::string escape = "\\U";
      for (int shift = 28; shift >= 0; shift -= 4) escape += hex[(point >> shift) & 15];
      adapted.replace(at, 12, escape);
    }
    at = adapted.find('\\', at + 2);
  }
  return adapted;
}

class WorkflowReader {
 public:
  WorkflowReader(const Source& source, Problems& problems, Loaded& loaded)
      : problems_(problems), loaded_(loaded), fields_(source, problems, loaded.expressions) {}

  void read(const Value& root) {
    if (!fields_.section(root, "a workflow file", Section::workflow)) return;
    name(root);
    if (const Value* version = root.find("version"))
      loaded_.workflow.version = fields_.text(*version, "version");
    if (const Value* input = root.find("input")) inputs(*input);
    const Value* nodes = root.find("nodes");
    std::vector<NodeDraft> drafts;
    if (nodes == nullptr)
      missing(root, "nodes");
    else
      drafts = read_nodes(*nodes);
    fields_.enter("");
    if (const Value* output = root.find("output"))
      loaded_.workflow.output = fields_.expression(*output, "output");
    link_nodes(std::move(drafts), loaded_.expressions, loaded_.workflow, problems_);
  }

 private:
  // A key that is there, but misspelt, has been reported already.
  void missing(const Value& root, std::string_view wanted) {
    for (const Value& key : root.keys)
      if (nearest(key.text, keys_of(Section::workflow)) == wanted) return;
    problems_.add(root.mark, "\"" + std::string(wanted) + "\" is missing");
  }

  void name(const Value& root) {
    const Value* name = root.find("name");
    if (name == nullptr) return missing(root, "name");
    loaded_.workflow.name = fields_.text(*name, "name");
    bool printable = std::all_of(name->text.begin(), name->text.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
    if (!printable || name->text.size() > name_bytes_max)
      problems_.add(name->mark, "\"name\" must be one line of at most " +
                                    std::to_string(name_bytes_max) + " bytes");
    if (name->text.find('@') != std::string::npos)
      problems_.add(name->mark, "\"name\" must not contain \"@\", behind which a version is named");
  }

  void inputs(const Value& input) {
    if (input.kind != ValueKind::mapping)
      return problems_.add(input.mark,
                           std::string("\"input\" must be a mapping of names to defaults, "
                                       "not ") +
                               describe(input));
    loaded_.workflow.input_defaults = fields_.constant(input, "input");
  }

  std::vector<NodeDraft> read_nodes(const Value& nodes) {
    std::vector<NodeDraft> drafts;
    if (nodes.kind != ValueKind::mapping || nodes.keys.empty()) {
      problems_.add(
          nodes.mark,
          nodes.kind == ValueKind::mapping
              ? std::string("a workflow has at least one node")
              : std::string("\"nodes\" must be a mapping of ids to nodes, not ") + describe(nodes));
      return drafts;
    }
    if (nodes.keys.size() > workflow_nodes_max) {
      problems_.add(nodes.mark, std::to_string(nodes.keys.size()) + " nodes; at most " +
                                    std::to_string(workflow_nodes_max) +
                                    " are allowed (workflow_nodes_max)");
      return drafts;
    }
    NodeReader reader(fields_);
    for (size_t i = 0; i < nodes.keys.size(); ++i)
      drafts.push_back(reader.read(nodes.keys[i], nodes.items[i]));
    return drafts;
  }

  Problems& problems_;
  Loaded& loaded_;
  FieldReader fields_;
};

}  // namespace

Loaded load_definition(std::string_view text, std::string_view file_name, uint64_t bytes_max) {
  Loaded loaded;
  Problems problems(file_name);
  if (text.size() > bytes_max) {
    problems.add({}, "the file has " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(bytes_max) + " are allowed (definition_bytes_max)");
    loaded.problems = problems.take();
    return loaded;
  }
  std::string yaml = adapted(text);
  Source source(yaml);
  std::optional<Value> root = parse_document(source, problems);
  if (root) WorkflowReader(source, problems, loaded).read(*root);
  if (problems.empty())
    if (Status status = finish(loaded.workflow); !status.ok())
      problems.add(root->mark, status.error().message);
  loaded.problems = problems.take();
  return loaded;
}

Status check_input(const Workflow& workflow, std::string_view input) {
  if (workflow.input_defaults.empty()) return {};
  std::vector<std::string> declared, given;
  std::string missing;
  if (!input.empty())
    for (JsonItems items(input); items.next();) given.push_back(json_unquote(items.key()));
  for (JsonItems items(workflow.input_defaults); items.next();) {
    declared.push_back(json_unquote(items.key()));
    bool absent = std::find(given.begin(), given.end(), declared.back()) == given.end();
    if (absent && json_kind(items.value()) == JsonKind::null)
      missing.append(missing.empty() ? "" : ", ").append(declared.back());
  }
  for (const std::string& name : given)
    if (std::find(declared.begin(), declared.end(), name) == declared.end())
      return Error{Code::invalid_argument, "workflow " + workflow.name + " declares no input \"" +
                                               name + "\"" +
                                               hint(name, {declared.begin(), declared.end()})};
  if (!missing.empty())
    return Error{Code::invalid_argument,
                 "workflow " + workflow.name + " needs a value for its input: " + missing};
  return {};
}

}  // namespace pawl
