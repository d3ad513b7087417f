#include "pawl/context/context.h"

#include <charconv>
#include <cstring>
#include <utility>

namespace pawl {

namespace {

using Path = std::vector<std::string>;

// Bytes of an item list held in memory; of a larger one it is the index.
constexpr uint64_t items_kept_max = 8 << 20;
constexpr size_t documents_max = 16;

Result<std::string> follow(std::string_view json, const Path& path, size_t from) {
  const Path rest(path.begin() + static_cast<std::ptrdiff_t>(std::min(from, path.size())),
                  path.end());
  PAWL_ASSIGN(std::string_view found, json_path(json, rest));
  return std::string(found);
}

bool names(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

}  // namespace

struct Context::Sections {
  bool input = false;
  bool nodes = false;
  bool item = false;
  bool execution = false;
  std::vector<const NodeOutput*> outputs;
  std::string key;  // equal keys, equal documents (but for the item)
};

Context::Context(RunContextRef run, PayloadStore& payloads)
    : run_(std::move(run)), payloads_(payloads) {
  for (const NodeOutput& output : run_->outputs)
    outputs_.emplace(run_->workflow->nodes[output.node].id, &output);
}

bool Context::reads_item(const Expression& expression) {
  if (expression.plain) return !expression.path.empty() && expression.path[0] == "item";
  const std::string& text = expression.text;
  return names(text, "item") ||
         !(names(text, "input") || names(text, "nodes") || names(text, "execution"));
}

Result<std::string_view> Context::text_of(const Payload& payload) {
  if (!payload.is_blob()) return std::string_view(payload.text());
  BlobRef ref = payload.ref();
  auto found = fetched_.find(ref);
  if (found == fetched_.end()) {
    PAWL_ASSIGN(Bytes bytes, payloads_.get(ref));
    found = fetched_.emplace(ref, std::move(bytes)).first;
  }
  return std::string_view(found->second);
}

Result<std::string> Context::value(const Path& path, ItemIndex index) {
  if (path.empty()) return Error{Code::invalid_argument, "an empty path"};
  if (path[0] == "input") {
    PAWL_ASSIGN(std::string_view text, text_of(run_->input));
    return follow(text, path, 1);
  }
  if (path[0] == "item") {
    PAWL_ASSIGN(std::string text, item(index));
    return path.size() == 1 ? std::move(text) : follow(text, path, 1);
  }
  if (path[0] == "execution") return follow(execution_json(), path, 1);
  if (path[0] == "nodes") return node_value(path);
  return follow("{}", path, 0);
}

Result<std::string> Context::node_value(const Path& path) {
  if (path.size() < 3) {
    Sections all;
    all.nodes = true;
    for (const auto& [id, output] : outputs_)
      if (path.size() == 1 || id == path[1]) all.outputs.push_back(output);
    JsonWriter out;
    out.begin_object();
    PAWL_TRY(append_shared(all, out));
    return follow(out.end_object().take(), path, 0);
  }
  PAWL_ASSIGN(std::string absent, follow("{}", path, 1));  // or an error: `.nodes[0]`
  auto found = outputs_.find(path[1]);
  if (found == outputs_.end()) return absent;
  if (path[2] != "output") return follow("{}", path, 2);
  const NodeOutput& output = *found->second;
  if (output.mapped) return mapped_value(*output.mapped, path);
  PAWL_ASSIGN(std::string_view text, text_of(output.value));
  return follow(text, path, 3);
}

Result<std::string> Context::mapped_value(const ItemOutputs& outputs, const Path& path) {
  if (path.size() == 3) {
    JsonWriter out;
    NodeOutput whole;
    whole.mapped = {std::shared_ptr<const ItemOutputs>(), &outputs};
    PAWL_TRY(append_output(whole, out));
    return out.take();
  }
  uint32_t index = 0;
  auto [end, error] = std::from_chars(path[3].data(), path[3].data() + path[3].size(), index);
  if (error != std::errc() || end != path[3].data() + path[3].size() || index >= outputs.count())
    return follow("[]", path, 3);
  Payload one = outputs.get(index);
  PAWL_ASSIGN(std::string_view text, text_of(one));
  return follow(text, path, 4);
}

std::string Context::execution_json() const {
  JsonWriter out;
  out.begin_object();
  out.key("id").string(to_text(run_->execution));
  out.key("workflow").string(run_->workflow->name);
  return out.end_object().take();
}

Result<std::string> Context::item(ItemIndex index) {
  if (!run_->definition().mapped()) return std::string("null");
  if (run_->items.is_absent()) return std::to_string(index);
  if (index >= run_->items_count)
    return Error{Code::out_of_range, "item " + std::to_string(index) + " of a list of " +
                                         std::to_string(run_->items_count)};
  if (!run_->items.is_blob()) return std::string(items_at(run_->items.text(), index));
  return item_from_blob(run_->items.ref(), index);
}

Result<std::string> Context::item_from_blob(const BlobRef& ref, ItemIndex index) {
  if (!items_) {
    PAWL_ASSIGN(Bytes whole, payloads_.get(ref));
    PAWL_TRY(items_check(whole));
    const bool small = whole.size() <= items_kept_max;
    items_ = small ? std::move(whole) : Bytes(whole, 0, items_text_offset(items_count(whole)));
  }
  if (items_->size() == ref.size) return std::string(items_at(*items_, index));
  // payload.h: the count, the end offset of every text, the texts; 8 bytes each.
  uint64_t pair[2];
  std::memcpy(pair, items_->data() + 8 * uint64_t{index}, sizeof pair);
  if (index == 0) pair[0] = 0;
  return payloads_.part(ref, items_->size() + pair[0], pair[1] - pair[0]);
}

Context::Sections Context::sections_of(const std::string& expression) const {
  Sections sections;
  sections.input = names(expression, "input");
  sections.nodes = names(expression, "nodes");
  sections.item = names(expression, "item");
  sections.execution = names(expression, "execution");
  if (!sections.input && !sections.nodes && !sections.item && !sections.execution)
    sections.input = sections.nodes = sections.item = sections.execution = true;
  sections.item = sections.item && run_->definition().mapped();
  sections.key = {sections.input ? 'i' : '-', sections.execution ? 'e' : '-',
                  sections.nodes ? 'n' : '-'};
  if (!sections.nodes) return sections;
  for (const auto& [id, output] : outputs_)
    if (names(expression, id)) sections.outputs.push_back(output);
  bool all = sections.outputs.empty();
  for (const auto& [id, output] : outputs_) {
    if (all) sections.outputs.push_back(output);
  }
  for (const NodeOutput* output : sections.outputs)
    sections.key += "," + std::to_string(output->node);
  return sections;
}

Status Context::append_output(const NodeOutput& output, JsonWriter& out) {
  if (!output.mapped) {
    PAWL_ASSIGN(std::string_view text, text_of(output.value));
    out.raw(text);
    return {};
  }
  if (payloads_.arrivals()) PAWL_TRY(bring(*output.mapped));
  out.begin_array();
  for (ItemIndex i = 0; i < output.mapped->count(); ++i) {
    Payload one = output.mapped->get(i);
    PAWL_ASSIGN(std::string_view text, text_of(one));
    out.raw(text);
    if (one.is_blob()) fetched_.erase(one.ref());  // passing through: not kept
  }
  out.end_array();
  return {};
}

// What is not at hand is sent for together, and what has come waits for the rest.
Status Context::bring(const ItemOutputs& outputs) {
  std::optional<Error> missing;
  for (ItemIndex i = 0; i < outputs.count(); ++i) {
    Payload one = outputs.get(i);
    if (!one.is_blob()) continue;
    Result<std::string_view> text = text_of(one);
    if (text.ok()) continue;
    if (!is_on_its_way(text.error())) return text.error();
    missing = text.error();
  }
  return missing ? Status(std::move(*missing)) : Status();
}

Status Context::append_shared(const Sections& sections, JsonWriter& out) {
  if (sections.input) {
    PAWL_ASSIGN(std::string_view text, text_of(run_->input));
    out.key("input").raw(text);
  }
  if (sections.nodes) {
    out.key("nodes").begin_object();
    for (const NodeOutput* output : sections.outputs) {
      out.key(run_->workflow->nodes[output->node].id).begin_object().key("output");
      PAWL_TRY(append_output(*output, out));
      out.end_object();
    }
    out.end_object();
  }
  if (sections.execution) out.key("execution").raw(execution_json());
  return {};
}

Result<std::shared_ptr<const std::string>> Context::document(const std::string& expression,
                                                             ItemIndex index) {
  Sections sections = sections_of(expression);
  auto known = documents_.find(sections.key);
  if (known == documents_.end()) {
    JsonWriter out;
    out.begin_object();
    PAWL_TRY(append_shared(sections, out));
    if (documents_.size() == documents_max) documents_.clear();
    auto made = std::make_shared<const std::string>(out.end_object().take());
    known = documents_.emplace(sections.key, std::move(made)).first;
  }
  if (!sections.item) return known->second;
  PAWL_ASSIGN(std::string value, item(index));
  std::string whole;
  whole.reserve(known->second->size() + value.size() + 10);
  whole.append(*known->second, 0, known->second->size() - 1);
  whole.append(known->second->size() > 2 ? ",\"item\":" : "\"item\":").append(value).append("}");
  return std::make_shared<const std::string>(std::move(whole));
}

}  // namespace pawl
