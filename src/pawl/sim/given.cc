#include "pawl/sim/given.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/base/json.h"
#include "pawl/definition/definition.h"
#include "pawl/sim/value_model.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl::sim {
namespace {

// {"$seq": 3} stands for ["1","2","3"], so that large values need no large files.
constexpr const char* expand =
    R"(walk(if type == "object" and has("$seq") then [range(1; .["$seq"] + 1) | tostring] else . end))";

// [place, what is expected, what was found] of each value that differs.
constexpr const char* differences =
    R"(. as $d | [[$d.expected, $d.found | paths(type != "object" and type != "array")] | unique[] as $p
       | [$p, (try ($d.expected | getpath($p)) catch null), (try ($d.found | getpath($p)) catch null)]
       | select(.[1] != .[2])])";

constexpr std::pair<const char*, Deed> deeds[] = {
    {"cancel", Deed::cancel}, {"redrive", Deed::redrive}, {"discard", Deed::discard}};

Result<std::string> text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return Error{Code::invalid_argument, "cannot read " + path.string()};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string at(const std::string& json, const std::vector<std::string>& path) {
  auto found = json_find(json, path);
  return found ? std::string(*found) : "null";
}

Result<Given> read_one(const std::filesystem::path& yaml, jq::Interpreter& jq) {
  PAWL_ASSIGN(std::string definition, text_of(yaml));
  Loaded loaded = load_definition(definition, yaml.string());
  if (!loaded.ok()) return Error{Code::invalid_argument, to_text(loaded.problems.front())};
  std::filesystem::path beside = yaml;
  beside.replace_extension(".json");
  PAWL_ASSIGN(std::string text, text_of(beside));
  if (Status valid = json_validate(text); !valid.ok())
    return Error{Code::invalid_argument, beside.string() + ": " + valid.error().message};
  Given given;
  given.name = loaded.workflow.name;
  if (given.name != yaml.stem())
    return Error{Code::invalid_argument,
                 yaml.string() + ": the workflow's name must be that of its file"};
  given.definition = encode(loaded.workflow);
  given.input = json_compact(at(text, {"input"}));
  std::string deed = json_unquote(at(text, {"deed"}));
  for (const auto& [word, meaning] : deeds)
    if (deed == word) given.deed = meaning;
  if (deed != "null" && given.deed == Deed::none)
    return Error{Code::invalid_argument, beside.string() + ": there is no deed " + deed};
  for (const Node& node : loaded.workflow.nodes)
    if (node.type == NodeType::function) given.functions.push_back(node.function);
  jq.read(at(text, {"expected"}));
  PAWL_ASSIGN(given.expected, jq.evaluate(expand));
  return given;
}

std::string outputs_of(const NodeModel& node) {
  JsonWriter list;
  list.begin_array();
  for (const TaskModel& task : node.tasks) list.raw(task.output);
  return list.end_array().take();
}

std::string failures_of(const NodeModel& node) {
  JsonWriter list;
  list.begin_array();
  for (const TaskModel& task : node.tasks) {
    list.begin_array();
    for (FailureKind kind : task.failed) list.string(name(kind));
    list.end_array();
  }
  return list.end_array().take();
}

const char* word(NodeState state) {
  constexpr const char* words[] = {"waiting",   "evaluating", "active",  "parked",
                                   "succeeded", "failed",     "skipped", "cancelled"};
  return words[static_cast<size_t>(state)];
}

// In the form of the file.
std::string became(const ExecutionModel& execution) {
  bool succeeded = execution.status == ExecutionStatus::succeeded;
  JsonWriter out;
  out.begin_object().key("status").string(name(execution.status));
  out.key("output").raw(succeeded ? result_of(execution).value_or("null") : "null");
  out.key("nodes").begin_object();
  for (size_t i = 0; i < execution.nodes.size(); ++i) {
    const NodeModel& node = execution.nodes[i];
    out.key(execution.definition->nodes[i].id).begin_object();
    out.key("status").string(word(node.state));
    if (node.activated) out.key("outputs").raw(outputs_of(node));
    bool failed = std::any_of(node.tasks.begin(), node.tasks.end(),
                              [](const TaskModel& task) { return !task.failed.empty(); });
    if (failed) out.key("failures").raw(failures_of(node));
    out.end_object();
  }
  return out.end_object().end_object().take();
}

}  // namespace

Result<std::vector<Given>> read_given(const std::string& folder, jq::Interpreter& jq) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (files.empty())
    return Error{Code::invalid_argument, folder + ": there is no workflow (FILE.yaml) in it"};
  std::sort(files.begin(), files.end());
  std::vector<Given> all;
  for (const auto& file : files) {
    PAWL_ASSIGN(Given given, read_one(file, jq));
    all.push_back(std::move(given));
  }
  return all;
}

const Given* find_given(const std::vector<Given>& given, const std::string& name) {
  auto found =
      std::find_if(given.begin(), given.end(), [&](const Given& one) { return one.name == name; });
  return found == given.end() ? nullptr : &*found;
}

Part part_of(const Given& given, const std::string& node, ItemIndex item, size_t failed) {
  std::string place = std::to_string(item);
  Part part;
  part.hangs = json_unquote(at(given.expected, {"nodes", node, "status"})) == "cancelled";
  part.output = at(given.expected, {"nodes", node, "outputs", place});
  std::string kind =
      json_unquote(at(given.expected, {"nodes", node, "failures", place, std::to_string(failed)}));
  for (int i = 0; i <= static_cast<int>(FailureKind::function); ++i)
    if (kind == name(static_cast<FailureKind>(i))) part.failure = static_cast<FailureKind>(i);
  return part;
}

std::string difference(const Given& given, const ExecutionModel& execution, jq::Interpreter& jq) {
  std::string found = became(execution);
  jq.read("{\"expected\":" + given.expected + ",\"found\":" + found + "}");
  Result<std::string> same = jq.evaluate(".expected == .found");
  if (same.ok() && *same == "true") return "";
  Result<std::string> places = jq.evaluate(differences);
  return given.name +
         " differs, [place, expected, found]: " + (places.ok() ? *places : places.error().message);
}

}  // namespace pawl::sim
