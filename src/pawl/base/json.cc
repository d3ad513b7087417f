#include "pawl/base/json.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <iterator>

#include "pawl/base/check.h"
#include "pawl/base/utf8.h"

namespace pawl {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(uint32_t code, std::string& out) {
  auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool stands_for_itself(char c) {
  return c >= 0x20 && static_cast<uint8_t>(c) < 0x80 && c != '"' && c != '\\';
}

void append_escaped(char c, std::string& out) {
  constexpr char hex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      break;
    case '\\':
      out.append("\\\\");
      break;
    case '\n':
      out.append("\\n");
      break;
    case '\r':
      out.append("\\r");
      break;
    case '\t':
      out.append("\\t");
      break;
    default:
      out.append("\\u00").append(1, hex[(c >> 4) & 15]).append(1, hex[c & 15]);
  }
}

uint32_t hex4(std::string_view text, size_t at) {
  uint32_t code = 0;
  for (size_t i = at; i < at + 4; ++i) {
    int digit = i < text.size() ? hex_value(text[i]) : -1;
    if (digit < 0) return 0xfffd;
    code = code * 16 + static_cast<uint32_t>(digit);
  }
  return code;
}

// The character that the escape at text[at] == '\\' stands for; moves `at` behind it. A surrogate
// without its partner gives U+FFFD.
uint32_t read_escape(std::string_view text, size_t& at) {
  char kind = at + 1 < text.size() ? text[at + 1] : '\\';
  at += 2;
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'u':
      break;
    default:
      return static_cast<uint8_t>(kind);
  }
  uint32_t code = hex4(text, at);
  at += 4;
  if (code < 0xd800 || code > 0xdfff) return code;
  if (code < 0xdc00 && at + 1 < text.size() && text[at] == '\\' && text[at + 1] == 'u') {
    uint32_t low = hex4(text, at + 2);
    if (low >= 0xdc00 && low <= 0xdfff) {
      at += 6;
      return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return 0xfffd;
}

// The text between the quotes of a string; nothing if it is no string.
std::optional<std::string_view> between_quotes(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  return text.substr(1, text.size() - 2);
}

// Behind the string that begins at text[at] == '"'; the end of the text if it is not closed.
size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return text.size();
}

// Behind the value at text[at]. Counts brackets instead of recursing: the text is valid already, or
// else only a wrong end inside the text is found.
size_t skip_value(std::string_view text, size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != ']' && text[at] != '}' &&
           text[at] != ':' && !is_space(text[at]))
      ++at;
    return at;
  }
  size_t open = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++open;
    if ((c == '}' || c == ']') && --open == 0) break;
  }
  return at;
}

std::string_view trimmed(std::string_view text) {
  size_t begin = skip_space(text, 0);
  size_t end = text.size();
  while (end > begin && is_space(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

// Whether the quoted key, unquoted, is `name`; decodes escapes one by one into a few bytes.
bool key_is(std::string_view quoted, std::string_view name) {
  std::string_view key = between_quotes(quoted).value_or(std::string_view());
  if (key.find('\\') == std::string_view::npos) return key == name;
  std::string one;  // at most 4 bytes: never on the heap
  for (size_t at = 0; at < key.size();) {
    if (key[at] != '\\') {
      if (name.empty() || name.front() != key[at]) return false;
      name.remove_prefix(1);
      ++at;
      continue;
    }
    one.clear();
    append_utf8(read_escape(key, at), one);
    if (name.substr(0, one.size()) != one) return false;
    name.remove_prefix(one.size());
  }
  return name.empty();
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  for (JsonItems items(object); items.next();)
    if (key_is(items.key(), name)) found = items.value();
  return found;
}

std::optional<std::string_view> element(std::string_view array, std::string_view index_text) {
  uint64_t index = 0;
  if (index_text.empty() || index_text.size() > 18) return std::nullopt;
  for (char c : index_text) {
    if (!is_digit(c)) return std::nullopt;
    index = index * 10 + static_cast<uint64_t>(c - '0');
  }
  for (JsonItems items(array); items.next();)
    if (index-- == 0) return items.value();
  return std::nullopt;
}

// A pushdown automaton over the text: one bit per open container, no recursion.
class Validator {
 public:
  explicit Validator(std::string_view text) : text_(text) {}

  Status run() {
    while (error_ == nullptr && !done_) step();
    if (error_ == nullptr && skip_space(text_, at_) != text_.size()) {
      at_ = skip_space(text_, at_);
      error_ = "more text after the value";
    }
    if (error_ == nullptr) return {};
    return Error{Code::invalid_argument,
                 "not valid JSON at byte " + std::to_string(at_) + ": " + error_};
  }

 private:
  enum class Expect : uint8_t { value, value_or_end, key, key_or_end, separator };

  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void fail(const char* why) { error_ = why; }

  void step() {
    at_ = skip_space(text_, at_);
    if (at_ >= text_.size())
      return fail(depth_ == 0 ? "a value is missing" : "the text ends early");
    switch (expect_) {
      case Expect::value_or_end:
        if (here() == ']') return close();
        return value();
      case Expect::value:
        return value();
      case Expect::key_or_end:
        if (here() == '}') return close();
        return key();
      case Expect::key:
        return key();
      case Expect::separator:
        return separator();
    }
  }

  void value() {
    switch (here()) {
      case '{':
        return open(true);
      case '[':
        return open(false);
      case '"':
        string();
        break;
      case 't':
        literal("true");
        break;
      case 'f':
        literal("false");
        break;
      case 'n':
        literal("null");
        break;
      default:
        number();
    }
    ended();
  }

  void open(bool object) {
    if (depth_ == json_depth_max) return fail("nested deeper than 256 levels");
    object_[static_cast<size_t>(depth_++)] = object;
    ++at_;
    expect_ = object ? Expect::key_or_end : Expect::value_or_end;
  }

  void close() {
    --depth_;
    ++at_;
    ended();
  }

  void ended() {
    done_ = depth_ == 0;
    expect_ = Expect::separator;
  }

  void separator() {
    bool object = object_[static_cast<size_t>(depth_ - 1)];
    if (here() == (object ? '}' : ']')) return close();
    if (here() != ',') return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
    ++at_;
    expect_ = object ? Expect::key : Expect::value;
  }

  void key() {
    if (here() != '"') return fail("expected a key in double quotes");
    string();
    if (error_ != nullptr) return;
    at_ = skip_space(text_, at_);
    if (here() != ':') return fail("expected ':' after the key");
    ++at_;
    expect_ = Expect::value;
  }

  void literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail("expected a value");
    at_ += word.size();
  }

  void digits() {
    if (!is_digit(here())) return fail("expected a digit");
    while (is_digit(here())) ++at_;
  }

  void number() {
    if (here() != '-' && !is_digit(here())) return fail("expected a value");
    if (here() == '-') ++at_;
    if (here() == '0') {
      ++at_;
      if (is_digit(here())) return fail("a number with a leading zero");
    } else {
      digits();
    }
    if (error_ == nullptr && here() == '.') {
      ++at_;
      digits();
    }
    if (error_ == nullptr && (here() == 'e' || here() == 'E')) {
      ++at_;
      if (here() == '+' || here() == '-') ++at_;
      digits();
    }
  }

  void escape() {
    char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (kind == 'u') {
      for (size_t i = at_ + 2; i < at_ + 6; ++i)
        if (i >= text_.size() || hex_value(text_[i]) < 0)
          return fail("\\u needs four hexadecimal digits");
      at_ += 6;
      return;
    }
    if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos)
      return fail("no such escape");
    at_ += 2;
  }

  void string() {
    for (++at_; error_ == nullptr;) {
      if (at_ >= text_.size()) return fail("a string without its closing quote");
      auto c = static_cast<uint8_t>(text_[at_]);
      if (c == '"') {
        ++at_;
        return;
      }
      if (c == '\\') {
        escape();
      } else if (c < 0x20) {
        fail("a control character inside a string; write \\u00XX");
      } else if (c < 0x80) {
        ++at_;
      } else {
        size_t length = utf8_length(text_.substr(at_));
        if (length == 0) fail("not UTF-8");
        at_ += length;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::bitset<json_depth_max> object_;
  Expect expect_ = Expect::value;
  bool done_ = false;
  const char* error_ = nullptr;
};

}  // namespace

Status json_validate(std::string_view text) {
  return Validator(text).run();
}

JsonKind json_kind(std::string_view text) {
  size_t at = skip_space(text, 0);
  switch (at < text.size() ? text[at] : 'n') {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::optional<std::string_view> json_find(std::string_view text,
                                          const std::vector<std::string>& path) {
  std::optional<std::string_view> value = trimmed(text);
  for (const std::string& step : path) {
    JsonKind kind = json_kind(*value);
    if (kind == JsonKind::object)
      value = member(*value, step);
    else if (kind == JsonKind::array)
      value = element(*value, step);
    else
      value = std::nullopt;
    if (!value) return std::nullopt;
  }
  return value;
}

Result<std::string_view> json_path(std::string_view text, const std::vector<std::string>& path) {
  static constexpr const char* kinds[] = {"null", "boolean", "number", "string", "array", "object"};
  std::string_view value = trimmed(text);
  for (const std::string& step : path) {
    JsonKind kind = json_kind(value);
    bool index = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
    if (kind == JsonKind::object && index)
      return Error{Code::invalid_argument, "cannot index object with number " + step};
    if (kind != JsonKind::object && kind != JsonKind::null && !(kind == JsonKind::array && index))
      return Error{Code::invalid_argument, std::string("cannot index ") +
                                               kinds[static_cast<size_t>(kind)] + " with \"" +
                                               step + "\""};
    value = json_find(value, {step}).value_or("null");
  }
  return value;
}

JsonItems::JsonItems(std::string_view container) : text_(trimmed(container)) {
  bool array = !text_.empty() && text_.front() == '[';
  object_ = !text_.empty() && text_.front() == '{';
  at_ = array || object_ ? 1 : text_.size();
}

bool JsonItems::next() {
  at_ = skip_space(text_, at_);
  if (!first_ && at_ < text_.size() && text_[at_] == ',') at_ = skip_space(text_, at_ + 1);
  first_ = false;
  if (at_ >= text_.size() || text_[at_] == ']' || text_[at_] == '}') {
    at_ = text_.size();
    return false;
  }
  size_t begin = at_;
  if (object_) {
    at_ = skip_value(text_, at_);
    key_ = text_.substr(begin, at_ - begin);
    at_ = skip_space(text_, at_);
    if (at_ < text_.size() && text_[at_] == ':') ++at_;
    begin = at_ = skip_space(text_, at_);
  }
  at_ = skip_value(text_, at_);
  value_ = text_.substr(begin, at_ - begin);
  // Text that was never valid may not advance: end instead of going round for ever.
  if (value_.empty()) at_ = text_.size();
  return !value_.empty();
}

uint64_t json_count(std::string_view container) {
  uint64_t count = 0;
  for (JsonItems items(container); items.next();) ++count;
  return count;
}

std::string json_unquote(std::string_view text) {
  std::optional<std::string_view> inside = between_quotes(trimmed(text));
  if (!inside) return std::string(text);
  std::string out;
  out.reserve(inside->size());
  for (size_t at = 0; at < inside->size();) {
    size_t escape = std::min(inside->find('\\', at), inside->size());
    out.append(*inside, at, escape - at);
    at = escape;
    if (at < inside->size()) append_utf8(read_escape(*inside, at), out);
  }
  return out;
}

namespace {

// Most texts stand for themselves. False: this one does not, and `out` is as it was.
bool append_plain(std::string_view before, std::string_view text, std::string_view behind,
                  std::string& out) {
  const size_t size = out.size();
  out.resize(size + before.size() + text.size() + behind.size());
  char* at = std::copy(before.begin(), before.end(), out.data() + size);
  for (char c : text) {
    if (!stands_for_itself(c)) return out.resize(size), false;
    *at++ = c;
  }
  std::copy(behind.begin(), behind.end(), at);
  return true;
}

void append_quoted(std::string_view text, std::string& out) {
  if (append_plain("\"", text, "\"", out)) return;
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    size_t run = at;
    while (run < text.size() && stands_for_itself(text[run])) ++run;
    out.append(text, at, run - at);
    at = run;
    if (at == text.size()) break;
    size_t length = utf8_length(text.substr(at));
    if (length > 1)
      out.append(text, at, length);
    else if (length == 1)
      append_escaped(text[at], out);
    else
      out.append("\xef\xbf\xbd");
    at += length == 0 ? 1 : length;
  }
  out.push_back('"');
}

}  // namespace

std::string json_quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(text, out);
  return out;
}

std::string json_compact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t end = text[at] == '"' ? skip_string(text, at) : at + 1;
    if (!is_space(text[at])) out.append(text, at, end - at);
    at = end;
  }
  return out;
}

void JsonWriter::separate() {
  PAWL_CHECK(open_.empty() || open_.back() == '[' || after_key_, "a member without its key");
  PAWL_CHECK(!open_.empty() || text_.empty(), "a second value at the top level");
  if (!after_key_ && !fresh_) text_.push_back(',');
  fresh_ = false;
  after_key_ = false;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_.push_back('{');
  open_.push_back('{');
  fresh_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  PAWL_CHECK(!open_.empty() && open_.back() == '{' && !after_key_, "no object to end here");
  open_.pop_back();
  text_.push_back('}');
  fresh_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_.push_back('[');
  open_.push_back('[');
  fresh_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  PAWL_CHECK(!open_.empty() && open_.back() == '[', "no array to end here");
  open_.pop_back();
  text_.push_back(']');
  fresh_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  PAWL_CHECK(!open_.empty() && open_.back() == '{' && !after_key_, "a key outside an object");
  if (!append_plain(fresh_ ? "\"" : ",\"", name, "\":", text_)) {
    if (!fresh_) text_.push_back(',');
    append_quoted(name, text_);
    text_.push_back(':');
  }
  fresh_ = false;
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_quoted(value, text_);
  return *this;
}
JsonWriter& JsonWriter::number(int64_t value) {
  char digits[24];
  return raw({digits, std::to_chars(digits, std::end(digits), value).ptr});
}
JsonWriter& JsonWriter::number(uint64_t value) {
  char digits[24];
  return raw({digits, std::to_chars(digits, std::end(digits), value).ptr});
}
JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}
JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_.append(json);
  return *this;
}

std::string JsonWriter::take() {
  PAWL_CHECK(open_.empty(), "an object or array is still open");
  return std::move(text_);
}

}  // namespace pawl
