#include "pawl/definition/node_reader.h"

#include <algorithm>

#include "pawl/definition/nearest.h"
#include "pawl/model/word.h"

namespace pawl {
namespace {

constexpr std::string_view work_keys[] = {"run", "command", "transform", "function"};
constexpr std::string_view process_keys[] = {"output", "env", "directory", "limits", "files"};

template <size_t n>
bool any_of(const std::string_view (&words)[n], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_scalar(const Value& value, ScalarKind kind) {
  return value.kind == ValueKind::scalar && scalar_kind(value) == kind;
}

// Whether an unknown key was probably meant to be one of the work keys: reported as such, once.
bool misspelt(const Value& body) {
  for (const Value& key : body.keys)
    if (any_of(work_keys, nearest(key.text, keys_of(Section::node)))) return true;
  return false;
}

std::string quote(std::string_view text) {
  return "\"" + std::string(text.substr(0, 128)) + "\"";
}

}  // namespace

NodeDraft NodeReader::read(const Value& id, const Value& body) {
  NodeDraft draft;
  draft.mark = id.mark;
  draft.node.id = id.text;
  fields_.enter(id.text);
  word(id, "a node's id", "_-");
  if (!fields_.section(body, "node " + quote(id.text), Section::node)) return draft;
  choose_work(draft.node, id, body);
  for (size_t i = 0; i < body.keys.size(); ++i) field(draft, body.keys[i], body.items[i]);
  check_belonging(draft.node, body);
  return draft;
}

// 1 to 128 letters, digits and characters of `extra`.
bool NodeReader::word(const Value& value, std::string_view what, std::string_view extra) {
  if (value.kind == ValueKind::scalar && is_word(value.text, extra)) return true;
  std::string allowed;
  for (char c : extra) allowed.append(allowed.empty() ? "" : " ").append(1, c);
  fields_.report(value.mark,
                 std::string(what) + " is 1 to 128 letters, digits or " + allowed + ", not " +
                     (value.kind == ValueKind::scalar ? quote(value.text) : describe(value)));
  return false;
}

// Exactly one of the keys that say what a node does.
void NodeReader::choose_work(Node& node, const Value& id, const Value& body) {
  std::string_view chosen;
  for (const Value& key : body.keys) {
    if (!any_of(work_keys, key.text)) continue;
    if (!chosen.empty()) {
      fields_.report(key.mark, "node " + quote(id.text) + " has both " + quote(chosen) + " and " +
                                   quote(key.text) + "; keep one");
      continue;
    }
    chosen = key.text;
  }
  if (chosen.empty() && !misspelt(body))
    fields_.report(id.mark, "node " + quote(id.text) +
                                " has nothing to do; give it run, command, transform or function");
  node.type = chosen == "transform"  ? NodeType::transform
              : chosen == "function" ? NodeType::function
                                     : NodeType::process;
}

void NodeReader::check_belonging(const Node& node, const Value& body) {
  for (const Value& key : body.keys) {
    if (any_of(process_keys, key.text) && node.type != NodeType::process)
      fields_.report(key.mark, quote(key.text) + " belongs to run and command nodes; " +
                                   quote(node.id) + " is a " + name(node.type) + " node");
    if (key.text == "with" && node.type != NodeType::function)
      fields_.report(key.mark, "\"with\" belongs to function nodes; " + quote(node.id) + " is a " +
                                   name(node.type) + " node");
  }
}

void NodeReader::field(NodeDraft& draft, const Value& key, const Value& value) {
  Node& node = draft.node;
  const std::string& name = key.text;
  if (name == "needs") return needs(draft, value);
  if (name == "when") return condition(node, value);
  if (name == "for_each") return items(node, value);
  if (name == "retry") return retry(node.retry, value);
  if (name == "timeout") return timeout(node.timeout, value);
  if (name == "priority") {
    node.priority = static_cast<uint8_t>(fields_.integer(value, name, 0, 9));
  } else if (name == "queue") {
    if (word(value, "a queue's name", "_-.")) node.queue = value.text;
  } else if (name == "resources" || name == "affinity" || name == "anti_affinity") {
    placement_field(node, key, value);
  } else {
    work_field(node, key, value);
  }
}

void NodeReader::work_field(Node& node, const Value& key, const Value& value) {
  const std::string& name = key.text;
  if (name == "run") {
    if (fields_.text(value, name).empty()) return;
    node.process.shell = true;
    node.process.argv = {fields_.shell_text(value, name)};
  } else if (name == "command") {
    command(node, value);
  } else if (name == "transform") {
    node.transform = fields_.transform(value, name);
  } else if (name == "function") {
    if (word(value, "a function's name", "_-.:")) node.function = value.text;
  } else if (name == "with") {
    node.with = fields_.json(value, name);
  } else {
    process_field(node, key, value);
  }
}

void NodeReader::process_field(Node& node, const Value& key, const Value& value) {
  const std::string& name = key.text;
  if (name == "output")
    node.process.output = static_cast<OutputMode>(fields_.choice(value, name, output_words(), 0));
  else if (name == "env")
    environment(node, value);
  else if (name == "directory")
    node.process.directory = fields_.process_text(value, name);
  else if (name == "limits")
    limits(node.process.limits, value);
  else if (name == "files")
    files(node, value);
}

void NodeReader::needs(NodeDraft& draft, const Value& value) {
  auto one = [&](const Value& entry) {
    if (entry.kind == ValueKind::scalar && scalar_kind(entry) != ScalarKind::null)
      draft.needs.push_back({entry.text, entry.mark});
    else
      fields_.report(entry.mark,
                     std::string("\"needs\" lists ids of nodes, not ") + describe(entry));
  };
  if (value.kind != ValueKind::sequence) return one(value);
  for (const Value& entry : value.items) one(entry);
}

void NodeReader::command(Node& node, const Value& value) {
  if (value.kind != ValueKind::sequence || value.items.empty()) {
    fields_.report(value.mark,
                   "\"command\" must be a list: the program, then its arguments; a "
                   "shell line goes under \"run\"");
    return;
  }
  for (size_t i = 0; i < value.items.size(); ++i)
    node.process.argv.push_back(
        fields_.process_text(value.items[i], "command[" + std::to_string(i) + "]"));
  if (node.process.argv[0].empty())
    fields_.report(value.items[0].mark, "\"command\" begins with the name of a program");
}

// `value` as one expression, and nothing around it.
bool NodeReader::whole_expression(const Value& value, Expression& into, std::string_view field) {
  if (value.kind != ValueKind::scalar || value.text.find("${") == std::string::npos) return false;
  size_t before = fields_.problems();
  Expression expression = fields_.expression(value, field);
  if (fields_.problems() == before && !scan_template(value.text).is_expression())
    fields_.report(value.mark,
                   quote(field) + " must be one expression; put all of it inside the ${ }");
  into = std::move(expression);
  return true;
}

void NodeReader::condition(Node& node, const Value& value) {
  if (is_scalar(value, ScalarKind::boolean))
    node.when = make_expression(scalar_json(value));
  else if (!whole_expression(value, node.when, "when"))
    fields_.report(value.mark,
                   "\"when\" must be true, false or an expression such as "
                   "${ .input.enabled }");
}

void NodeReader::items(Node& node, const Value& value) {
  if (is_scalar(value, ScalarKind::number))
    node.for_each =
        make_expression(std::to_string(fields_.integer(value, "for_each", 0, mapped_items_max)));
  else if (value.kind == ValueKind::sequence)
    node.for_each = fields_.expression(value, "for_each");
  else if (!whole_expression(value, node.for_each, "for_each"))
    fields_.report(value.mark,
                   "\"for_each\" must be a list, a whole number or an expression such as "
                   "${ .input.files }");
}

void NodeReader::retry(RetryPolicy& retry, const Value& value) {
  if (value.kind == ValueKind::scalar) {
    retry.max_attempts = static_cast<uint32_t>(fields_.integer(value, "retry", 1, attempts_max));
    return;
  }
  if (!fields_.section(value, "\"retry\"", Section::retry)) return;
  if (const Value* attempts = value.find("max_attempts"))
    retry.max_attempts =
        static_cast<uint32_t>(fields_.integer(*attempts, "max_attempts", 1, attempts_max));
  if (const Value* wait = value.find("backoff")) backoff(retry, *wait);
  if (const Value* on = value.find("on")) retry_on(retry, *on);
}

void NodeReader::backoff(RetryPolicy& retry, const Value& value) {
  const Value* max = nullptr;
  if (value.kind == ValueKind::scalar) {
    retry.backoff_first = fields_.duration(value, "backoff");
  } else if (fields_.section(value, "\"backoff\"", Section::backoff)) {
    max = value.find("max");
    if (const Value* first = value.find("first"))
      retry.backoff_first = fields_.duration(*first, "first");
    if (const Value* factor = value.find("factor")) {
      retry.backoff_factor_permille = fields_.permille(*factor, "factor", 1'000'000);
      if (retry.backoff_factor_permille < 1000)
        fields_.report(factor->mark, "\"factor\" must be 1 or more, or waits would shrink");
    }
    if (max != nullptr) retry.backoff_max = fields_.duration(*max, "max");
    if (const Value* jitter = value.find("jitter"))
      retry.jitter_permille = fields_.permille(*jitter, "jitter", 1000);
  }
  if (retry.backoff_first <= retry.backoff_max) return;
  if (max != nullptr)
    fields_.report(max->mark, "\"max\" is shorter than \"first\"");
  else
    retry.backoff_max = retry.backoff_first;
}

void NodeReader::retry_on(RetryPolicy& retry, const Value& value) {
  retry.retryable = 0;
  auto one = [&](const Value& word) {
    size_t kind = fields_.choice(word, "failure", failure_words(), failure_words().size());
    if (kind < failure_words().size()) retry.retryable |= 1u << kind;
  };
  if (value.kind != ValueKind::sequence) return one(value);
  for (const Value& word : value.items) one(word);
}

void NodeReader::timeout(Timeouts& timeout, const Value& value) {
  if (value.kind == ValueKind::scalar) {
    timeout.run = fields_.duration(value, "timeout");
    return;
  }
  if (!fields_.section(value, "\"timeout\"", Section::timeout)) return;
  if (const Value* run = value.find("run")) timeout.run = fields_.duration(*run, "run");
  if (const Value* queue = value.find("queue")) timeout.queue = fields_.duration(*queue, "queue");
  if (const Value* heartbeat = value.find("heartbeat"))
    timeout.heartbeat = fields_.duration(*heartbeat, "heartbeat");
}

void NodeReader::limits(ProcessLimits& limits, const Value& value) {
  if (!fields_.section(value, "\"limits\"", Section::limits)) return;
  if (const Value* memory = value.find("memory"))
    limits.memory_bytes = fields_.size(*memory, "memory");
  if (const Value* cpu = value.find("cpu")) {
    constexpr int64_t second = 1'000'000'000;
    int64_t ns = fields_.duration(*cpu, "cpu").ns;
    if (ns % second != 0) fields_.report(cpu->mark, "\"cpu\" counts whole seconds");
    limits.cpu_seconds = static_cast<uint64_t>(ns / second);
  }
  if (const Value* files = value.find("open_files"))
    limits.open_files = fields_.integer(*files, "open_files", 4, 1 << 20);
  if (const Value* size = value.find("file_size"))
    limits.file_bytes = fields_.size(*size, "file_size");
}

void NodeReader::environment(Node& node, const Value& value) {
  if (value.kind != ValueKind::mapping) {
    fields_.report(value.mark, std::string("\"env\" must be a mapping, not ") + describe(value));
    return;
  }
  for (size_t i = 0; i < value.keys.size(); ++i) {
    const Value& key = value.keys[i];
    bool good = !key.text.empty() && (key.text[0] < '0' || key.text[0] > '9');
    for (char c : key.text) good = good && (is_alphanumeric(c) || c == '_');
    if (!good) fields_.report(key.mark, quote(key.text) + " is no name of an environment variable");
    if (key.text.starts_with("PAWL_"))
      fields_.report(key.mark, "names that begin with PAWL_ are set by Pawl itself");
    node.process.environment.emplace_back(key.text,
                                          fields_.process_text(value.items[i], "env." + key.text));
  }
}

void NodeReader::files(Node& node, const Value& value) {
  if (value.kind != ValueKind::mapping) {
    fields_.report(value.mark, std::string("\"files\" must be a mapping, not ") + describe(value));
    return;
  }
  for (size_t i = 0; i < value.keys.size(); ++i) {
    const Value& key = value.keys[i];
    word(key, "a file's name", "_-.");
    Template path = fields_.process_text(value.items[i], "files." + key.text);
    if (path.empty() && value.items[i].text.empty())
      fields_.report(value.items[i].mark, "a path is missing");
    node.process.output_files.emplace_back(key.text, std::move(path));
  }
}

}  // namespace pawl
