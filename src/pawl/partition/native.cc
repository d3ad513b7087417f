#include "pawl/partition/native.h"

#include <charconv>

#include "pawl/base/json.h"

namespace pawl {
namespace {

using Path = std::vector<std::string>;

// Nothing where it is an error, which the evaluation then tells.
std::optional<std::string> follow(const std::string& json, const Path& path, size_t from) {
  auto found = json_path(json, Path(path.begin() + static_cast<ptrdiff_t>(from), path.end()));
  if (!found.ok()) return std::nullopt;
  return std::string(*found);
}

std::string execution_object(const Execution& execution) {
  JsonWriter out;
  out.begin_object();
  out.key("id").string(to_text(execution.id));
  out.key("workflow").string(execution.plan->workflow->name);
  return out.end_object().take();
}

// `.nodes.<id>.output[i]...` of a mapped node: one item, never the whole list.
std::optional<std::string> mapped_output(const ItemOutputs& outputs, const Path& path) {
  if (path.size() < 4) return std::nullopt;
  uint32_t index = 0;
  auto [end, error] = std::from_chars(path[3].data(), path[3].data() + path[3].size(), index);
  if (error != std::errc() || end != path[3].data() + path[3].size() || index >= outputs.count())
    return follow("[]", path, 3);
  Payload value = outputs.get(index);
  if (value.is_blob()) return std::nullopt;
  return follow(value.text(), path, 4);
}

std::optional<std::string> node_output(const Execution& execution, const Path& path) {
  if (path.size() < 3 || path[2] != "output" || !follow("{}", path, 1)) return std::nullopt;
  for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
    if (execution.definition(i).id != path[1]) continue;
    const NodeWork* work = execution.nodes[i].work.get();
    if (work == nullptr) return "null";
    if (work->mapped) return mapped_output(*work->mapped->outputs, path);
    if (work->output.is_blob()) return std::nullopt;
    return follow(work->output.text(), path, 3);
  }
  return "null";
}

}  // namespace

std::optional<std::string> native_value(const Execution& execution, const Expression& expression) {
  if (!expression.plain) {
    if (json_validate(expression.text).ok()) return expression.text;
    return std::nullopt;
  }
  const Path& path = expression.path;
  if (path.empty()) return std::nullopt;
  if (path[0] == "input") {
    if (execution.input.is_blob()) return std::nullopt;
    return follow(execution.input.text(), path, 1);
  }
  if (path[0] == "execution") return follow(execution_object(execution), path, 1);
  if (path[0] == "nodes") return node_output(execution, path);
  return std::nullopt;
}

bool json_true(std::string_view value) {
  return value != "null" && value != "false";
}

}  // namespace pawl
