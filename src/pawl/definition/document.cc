#include "pawl/definition/document.h"

#include <yaml.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "pawl/base/json.h"

namespace pawl {
namespace {

Mark to_mark(const yaml_mark_t& mark) {
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

std::string to_string(const yaml_char_t* text, size_t size) {
  return std::string(reinterpret_cast<const char*>(text), size);
}

std::string to_string(const yaml_char_t* text) {
  return reinterpret_cast<const char*>(text);
}

// What copying a value costs, in about bytes.
uint64_t cost_of(const Value& value) {
  uint64_t cost = sizeof(Value) + value.text.size();
  for (const Value& key : value.keys) cost += cost_of(key);
  for (const Value& item : value.items) cost += cost_of(item);
  return cost;
}

// Pulls libyaml's events into a Value. The first thing that leaves the tree without a meaning ends
// the reading; a repeated key does not.
class Builder {
 public:
  Builder(const Source& source, Problems& problems) : source_(source), problems_(problems) {
    PAWL_CHECK(yaml_parser_initialize(&parser_) == 1, "out of memory");
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_,
                                 reinterpret_cast<const unsigned char*>(source.text().data()),
                                 source.text().size());
  }
  ~Builder() {
    if (has_event_) yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  std::optional<Value> document() {
    if (!next() || !next()) return std::nullopt;  // STREAM-START, then DOCUMENT-START
    if (event_.type == YAML_STREAM_END_EVENT) return refuse({}, "the file is empty");
    Value root;
    if (!next() || !value(root, 1) || !next() || !next()) return std::nullopt;
    if (event_.type != YAML_STREAM_END_EVENT)
      return refuse(here(), "a second document begins here; one file holds one workflow");
    return root;
  }

 private:
  Mark here() const { return to_mark(event_.start_mark); }

  std::nullopt_t refuse(Mark at, std::string message) {
    problems_.add(at, std::move(message));
    return std::nullopt;
  }
  bool fail(std::string message) {
    problems_.add(here(), std::move(message));
    return false;
  }

  bool next() {
    if (has_event_) yaml_event_delete(&event_);
    has_event_ = yaml_parser_parse(&parser_, &event_) == 1;
    if (!has_event_) report_syntax();
    return has_event_;
  }

  void report_syntax();
  bool value(Value& into, int depth);
  bool scalar(Value& into);
  bool sequence(Value& into, int depth);
  bool mapping(Value& into, int depth);
  bool alias(Value& into);
  bool accept_tag(const yaml_char_t* tag);
  bool spend(const Value& copied);
  void report_repeated_keys(const Value& mapping);

  const Source& source_;
  Problems& problems_;
  yaml_parser_t parser_;
  yaml_event_t event_;
  bool has_event_ = false;
  std::map<std::string, Value> anchors_;
  uint64_t copied_bytes_ = 0;
};

void Builder::report_syntax() {
  const char* what = parser_.problem == nullptr ? "not YAML" : parser_.problem;
  if (parser_.error == YAML_READER_ERROR) {
    problems_.add(source_.mark_of(parser_.problem_offset),
                  std::string("the file is not plain UTF-8 text: ") + what);
    return;
  }
  Mark at = to_mark(parser_.problem_mark);
  size_t offset = source_.offset_of(at);
  std::string message = what;
  if (parser_.context != nullptr) {
    message += std::string(", ") + parser_.context;
    Mark from = to_mark(parser_.context_mark);
    if (from.line < at.line) message += " that begins in line " + std::to_string(from.line);
  }
  if (offset < source_.text().size() && source_.text()[offset] == '\t')
    message = "YAML is not indented with tabs; use spaces";
  else if (std::strstr(what, "mapping values are not allowed") != nullptr)
    message = "\": \" begins a value here; put quotes around a text that contains it";
  problems_.add(at, std::move(message));
}

bool Builder::value(Value& into, int depth) {
  if (depth > document_depth_max)
    return fail("nested deeper than " + std::to_string(document_depth_max) + " levels");
  into.mark = here();
  std::string anchor;
  bool good = false;
  switch (event_.type) {
    case YAML_SCALAR_EVENT:
      if (event_.data.scalar.anchor != nullptr) anchor = to_string(event_.data.scalar.anchor);
      good = scalar(into);
      break;
    case YAML_SEQUENCE_START_EVENT:
      if (event_.data.sequence_start.anchor != nullptr)
        anchor = to_string(event_.data.sequence_start.anchor);
      good = sequence(into, depth);
      break;
    case YAML_MAPPING_START_EVENT:
      if (event_.data.mapping_start.anchor != nullptr)
        anchor = to_string(event_.data.mapping_start.anchor);
      good = mapping(into, depth);
      break;
    case YAML_ALIAS_EVENT:
      return alias(into);
    default:
      return fail("a value is missing here");
  }
  if (good && !anchor.empty()) {
    if (!spend(into)) return false;
    anchors_.insert_or_assign(anchor, into);
  }
  return good;
}

bool Builder::accept_tag(const yaml_char_t* tag) {
  if (tag == nullptr) return true;
  return fail("tags such as " + to_string(tag) + " have no meaning here; remove it");
}

bool Builder::scalar(Value& into) {
  const auto& scalar = event_.data.scalar;
  bool says_string = scalar.tag != nullptr &&
                     std::strcmp(reinterpret_cast<const char*>(scalar.tag), YAML_STR_TAG) == 0;
  if (!says_string && !accept_tag(scalar.tag)) return false;
  into.kind = ValueKind::scalar;
  into.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && !says_string;
  into.text = to_string(scalar.value, scalar.length);
  into.end = to_mark(event_.end_mark);
  return true;
}

bool Builder::sequence(Value& into, int depth) {
  if (!accept_tag(event_.data.sequence_start.tag)) return false;
  into.kind = ValueKind::sequence;
  while (true) {
    if (!next()) return false;
    if (event_.type == YAML_SEQUENCE_END_EVENT) break;
    if (!value(into.items.emplace_back(), depth + 1)) return false;
  }
  into.end = to_mark(event_.end_mark);
  return true;
}

bool Builder::mapping(Value& into, int depth) {
  if (!accept_tag(event_.data.mapping_start.tag)) return false;
  into.kind = ValueKind::mapping;
  while (true) {
    if (!next()) return false;
    if (event_.type == YAML_MAPPING_END_EVENT) break;
    Value& key = into.keys.emplace_back();
    if (event_.type != YAML_SCALAR_EVENT)
      return fail("a key is a plain word, not a list or a mapping");
    if (!value(key, depth + 1)) return false;
    if (key.plain && key.text == "<<")
      return fail("merge keys (<<) are not supported; write the values out");
    if (!next() || !value(into.items.emplace_back(), depth + 1)) return false;
  }
  into.end = to_mark(event_.end_mark);
  report_repeated_keys(into);
  return true;
}

bool Builder::alias(Value& into) {
  std::string name = to_string(event_.data.alias.anchor);
  auto found = anchors_.find(name);
  if (found == anchors_.end()) return fail("no anchor &" + name + " ends before this alias");
  if (!spend(found->second)) return false;
  Mark mark = into.mark;
  into = found->second;
  into.mark = mark;
  into.end = to_mark(event_.end_mark);
  return true;
}

bool Builder::spend(const Value& copied) {
  copied_bytes_ += cost_of(copied);
  if (copied_bytes_ <= document_alias_bytes_max) return true;
  return fail("anchors and aliases expand to more than " +
              std::to_string(document_alias_bytes_max >> 20) + " MiB");
}

void Builder::report_repeated_keys(const Value& mapping) {
  std::vector<const Value*> keys;
  keys.reserve(mapping.keys.size());
  for (const Value& key : mapping.keys) keys.push_back(&key);
  std::stable_sort(keys.begin(), keys.end(),
                   [](const Value* a, const Value* b) { return a->text < b->text; });
  for (size_t i = 1; i < keys.size(); ++i)
    if (keys[i]->text == keys[i - 1]->text)
      problems_.add(keys[i]->mark, "\"" + keys[i]->text + "\" is given twice; first in line " +
                                       std::to_string(keys[i - 1]->mark.line));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

struct NumberParts {
  std::string_view whole, fraction, exponent;  // "12" "5" "e-3"
  bool negative = false;
};

size_t digits(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  return n;
}

// [-+]? ( digits [. digits*] | . digits ) ( [eE] [-+]? digits )?
std::optional<NumberParts> decimal_parts(std::string_view text) {
  NumberParts parts;
  if (text.starts_with('-') || text.starts_with('+')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  parts.whole = text.substr(0, digits(text));
  text.remove_prefix(parts.whole.size());
  if (text.starts_with('.')) {
    parts.fraction = text.substr(1, digits(text.substr(1)));
    text.remove_prefix(1 + parts.fraction.size());
  }
  if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
  if (text.empty()) return parts;
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  parts.exponent = text;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || digits(text) != text.size()) return std::nullopt;
  return parts;
}

// 0x1F and 0o17, up to 64 bits.
std::optional<uint64_t> based_integer(std::string_view text) {
  unsigned base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
  if (base == 0 || text.size() == 2 || text.size() > 2 + 16) return std::nullopt;
  uint64_t value = 0;
  for (char c : text.substr(2)) {
    unsigned digit = is_digit(c)            ? static_cast<unsigned>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                            : 99;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

std::string decimal_json(const NumberParts& parts) {
  std::string_view whole = parts.whole;
  while (whole.size() > 1 && whole[0] == '0') whole.remove_prefix(1);
  std::string json = parts.negative ? "-" : "";
  json += whole.empty() ? "0" : whole;
  if (!parts.fraction.empty()) json.append(".").append(parts.fraction);
  json.append(parts.exponent);
  return json;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i)
    if (keys[i].text == key) return &items[i];
  return nullptr;
}

std::optional<Value> parse_document(const Source& source, Problems& problems) {
  return Builder(source, problems).document();
}

ScalarKind scalar_kind(const Value& scalar) {
  const std::string& text = scalar.text;
  if (!scalar.plain) return ScalarKind::string;
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return ScalarKind::null;
  if (one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) return ScalarKind::boolean;
  if (one_of(text, {".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", "-.INF", "+.Inf", "+.INF",
                    ".nan", ".NaN", ".NAN"}))
    return ScalarKind::not_finite;
  if (based_integer(text) || decimal_parts(text)) return ScalarKind::number;
  return ScalarKind::string;
}

std::string scalar_json(const Value& scalar) {
  switch (scalar_kind(scalar)) {
    case ScalarKind::null:
    case ScalarKind::not_finite:
      return "null";
    case ScalarKind::boolean:
      return scalar.text[0] == 't' || scalar.text[0] == 'T' ? "true" : "false";
    case ScalarKind::number:
      if (auto based = based_integer(scalar.text)) return std::to_string(*based);
      return decimal_json(*decimal_parts(scalar.text));
    case ScalarKind::string:
      break;
  }
  return json_quote(scalar.text);
}

const char* describe(const Value& value) {
  if (value.kind == ValueKind::sequence) return "a list";
  if (value.kind == ValueKind::mapping) return "a mapping";
  switch (scalar_kind(value)) {
    case ScalarKind::null:
      return "nothing";
    case ScalarKind::boolean:
      return "a boolean";
    case ScalarKind::number:
    case ScalarKind::not_finite:
      return "a number";
    case ScalarKind::string:
      break;
  }
  return "a text";
}

}  // namespace pawl
