#include "pawl/wire/task_json.h"

#include <algorithm>
#include <optional>

#include "pawl/base/json.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

std::string source_of(const Template& value) {
  std::string text;
  for (const TemplatePart& part : value.parts)
    text += part.expression ? "${ " + part.expression.text + " }" : part.literal;
  return text;
}

const char* name(OutputMode mode) {
  switch (mode) {
    case OutputMode::text:
      return "text";
    case OutputMode::json:
      return "json";
    case OutputMode::lines:
      return "lines";
    case OutputMode::none:
      return "none";
    case OutputMode::lossy:
      return "lossy";
  }
  return "text";
}

void write_named(JsonWriter& out, const char* key,
                 const std::vector<std::pair<std::string, Template>>& entries) {
  out.key(key).begin_object();
  for (const auto& [entry, value] : entries) out.key(entry).string(source_of(value));
  out.end_object();
}

std::string reference_to(const BlobRef& ref, std::optional<ItemIndex> item) {
  JsonWriter out;
  out.begin_object().key("blob").begin_object();
  out.key("owner").string(to_text(ref.owner)).key("sequence").number(ref.sequence);
  out.key("size").number(ref.size).key("hash").string(to_hex(ref.hash)).end_object();
  if (item) out.key("item").number(uint64_t{*item});
  return out.end_object().take();
}

std::string input_of(const RunContext& context, ItemIndex item) {
  const bool mapped = context.definition().mapped();
  const Payload& from = mapped ? context.items : context.input;
  if (from.is_blob()) return reference_to(from.ref(), mapped ? std::optional(item) : std::nullopt);
  if (!mapped) return from.text();
  if (from.is_absent()) return std::to_string(item);
  return std::string(items_at(from.text(), item));
}

std::string config_of(const Node& node) {
  JsonWriter out;
  out.begin_object();
  switch (node.type) {
    case NodeType::process:
      out.key("shell").boolean(node.process.shell).key("argv").begin_array();
      for (const Template& argument : node.process.argv) out.string(source_of(argument));
      out.end_array();
      write_named(out, "environment", node.process.environment);
      out.key("directory").string(source_of(node.process.directory));
      out.key("output").string(name(node.process.output));
      write_named(out, "output_files", node.process.output_files);
      break;
    case NodeType::function:
      out.key("function").string(node.function).key("with").string(source_of(node.with));
      break;
    case NodeType::transform:
      out.key("expression").string(node.transform.text);
      break;
  }
  return out.end_object().take();
}

// A whole number of `unit`s with its decimals, as JSON: 1500 of 1000 -> 1.5.
std::string decimal(uint64_t value, uint64_t unit) {
  std::string text = std::to_string(value / unit);
  if (value % unit == 0) return text;
  std::string decimals = std::to_string(unit + value % unit).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return text + "." + decimals;
}

constexpr uint64_t second = 1'000'000'000;
constexpr uint64_t permille = 1000;

std::string seconds(Duration d) {
  return decimal(static_cast<uint64_t>(d.ns), second);
}

// The inverse of decimal(); digits beyond the unit are cut.
std::optional<uint64_t> whole(std::string_view text, uint64_t unit) {
  uint64_t value = 0;
  size_t at = 0;
  auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  auto push = [&](uint64_t d) {
    return !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, d, &value);
  };
  if (!digit()) return std::nullopt;
  for (; digit(); ++at)
    if (!push(static_cast<uint64_t>(text[at] - '0'))) return std::nullopt;
  if (at < text.size() && text[at] == '.') ++at;
  for (uint64_t left = unit; left > 1; left /= 10)
    if (!push(digit() ? static_cast<uint64_t>(text[at++] - '0') : 0)) return std::nullopt;
  while (digit()) ++at;
  return at == text.size() ? std::optional(value) : std::nullopt;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

// Takes fields out of a message and remembers the first that is not as it must be.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  std::string string(const std::vector<std::string>& path) {
    return json_unquote(take(path, JsonKind::string, "a string").value_or("\"\""));
  }
  std::string uuid(const std::string& field) {
    std::string text = string({field});
    if (!is_uuid(text)) fail({field}, "a UUID");
    return text;
  }
  std::string object(const std::string& field) {
    return std::string(take({field}, JsonKind::object, "an object").value_or("{}"));
  }
  std::string any(const std::string& field) {
    std::optional<std::string_view> value = json_find(text_, {field});
    if (!value) fail({field}, "there");
    return std::string(value.value_or("null"));
  }
  uint64_t number(const std::vector<std::string>& path, uint64_t unit, uint64_t max) {
    std::optional<std::string_view> value = take(path, JsonKind::number, "a number");
    std::optional<uint64_t> read = value ? whole(*value, unit) : std::nullopt;
    if (!read || *read > max) fail(path, "a plain decimal number within its range");
    return read.value_or(0);
  }
  Duration time(const std::vector<std::string>& path) {
    return {static_cast<int64_t>(number(path, second, INT64_MAX))};
  }
  // For what may be null.
  bool present(const std::vector<std::string>& path) {
    std::optional<std::string_view> value = json_find(text_, path);
    return value && json_kind(*value) != JsonKind::null;
  }
  Status status() const {
    if (error_.empty()) return {};
    return Error{Code::invalid_argument, "task message: " + error_};
  }

 private:
  void fail(const std::vector<std::string>& path, const std::string& expected) {
    if (!error_.empty()) return;
    error_ = "field '" + path.front();
    for (size_t i = 1; i < path.size(); ++i) error_ += "." + path[i];
    error_ += "' must be " + expected;
  }

  std::optional<std::string_view> take(const std::vector<std::string>& path, JsonKind kind,
                                       const char* expected) {
    std::optional<std::string_view> value = json_find(text_, path);
    if (value && json_kind(*value) == kind) return value;
    fail(path, expected);
    return std::nullopt;
  }

  std::string_view text_;
  std::string error_;
};

std::string label(const std::string& labels, const char* key) {
  std::optional<std::string_view> value = json_find(labels, {key});
  if (!value || json_kind(*value) == JsonKind::null) return "";
  return json_unquote(*value);
}

void write_optional(JsonWriter& out, const char* key, const std::string& value) {
  out.key(key);
  if (value.empty())
    out.null();
  else
    out.string(value);
}

}  // namespace

TaskMessages::TaskMessages(const RunContext& context) : context_(context) {
  const Node& node = context.definition();
  Hash128 definition = hash128(encode(*context.workflow));
  shared_.workflow_id = uuid_of(context.cluster, definition.low, definition.high);
  shared_.execution_id = uuid_of(context.cluster, context.execution.value);
  shared_.node_id = node.id;
  shared_.node_type = pawl::name(node.type);
  shared_.node_config = config_of(node);
  shared_.priority = node.priority;
  shared_.timeout = node.timeout.run;
  shared_.max_attempts = node.retry.max_attempts;
  shared_.backoff_first = node.retry.backoff_first;
  shared_.backoff_factor_permille = node.retry.backoff_factor_permille;
  shared_.backoff_max = node.retry.backoff_max;
  shared_.tenant_id = label(context.labels, "tenant_id");
  shared_.user_id = label(context.labels, "user_id");
}

TaskMessage TaskMessages::of(ItemIndex item) const {
  TaskMessage task = shared_;
  // From 1 on: 0, 0 is the execution itself.
  task.task_id = uuid_of(context_.cluster, context_.execution.value, uint64_t{context_.node} + 1,
                         uint64_t{item} + 1);
  task.input_data = input_of(context_, item);
  return task;
}

std::string to_json(const TaskMessage& task) {
  JsonWriter out;
  out.begin_object();
  out.key("task_id").string(task.task_id);
  out.key("workflow_id").string(task.workflow_id);
  out.key("execution_id").string(task.execution_id);
  out.key("node_id").string(task.node_id);
  out.key("node_type").string(task.node_type);
  out.key("node_config").raw(task.node_config);
  out.key("input_data").raw(task.input_data);
  out.key("priority").number(uint64_t{task.priority});
  out.key("timeout").raw(task.timeout.ns > 0 ? seconds(task.timeout) : "null");
  out.key("retry_policy").begin_object();
  out.key("max_attempts").number(uint64_t{task.max_attempts});
  out.key("backoff").begin_object();
  out.key("first").raw(seconds(task.backoff_first));
  out.key("factor").raw(decimal(task.backoff_factor_permille, permille));
  out.key("max").raw(seconds(task.backoff_max)).end_object().end_object();
  out.key("metadata").begin_object();
  write_optional(out, "tenant_id", task.tenant_id);
  write_optional(out, "user_id", task.user_id);
  return out.end_object().end_object().take();
}

Result<TaskMessage> task_from_json(std::string_view text) {
  PAWL_TRY(json_validate(text));
  FieldReader in(text);
  TaskMessage task;
  task.task_id = in.uuid("task_id");
  task.workflow_id = in.uuid("workflow_id");
  task.execution_id = in.uuid("execution_id");
  task.node_id = in.string({"node_id"});
  task.node_type = in.string({"node_type"});
  task.node_config = in.object("node_config");
  task.input_data = in.any("input_data");
  task.priority = static_cast<uint8_t>(in.number({"priority"}, 1, 9));
  in.any("timeout");
  if (in.present({"timeout"})) task.timeout = in.time({"timeout"});
  task.max_attempts =
      static_cast<uint32_t>(in.number({"retry_policy", "max_attempts"}, 1, attempts_max));
  task.backoff_first = in.time({"retry_policy", "backoff", "first"});
  task.backoff_factor_permille =
      static_cast<uint32_t>(in.number({"retry_policy", "backoff", "factor"}, permille, UINT32_MAX));
  task.backoff_max = in.time({"retry_policy", "backoff", "max"});
  in.object("metadata");
  if (in.present({"metadata", "tenant_id"})) task.tenant_id = in.string({"metadata", "tenant_id"});
  if (in.present({"metadata", "user_id"})) task.user_id = in.string({"metadata", "user_id"});
  PAWL_TRY(in.status());
  return task;
}

}  // namespace pawl
