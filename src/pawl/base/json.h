// JSON text without a document tree. Values stay what they are in the log and in every message:
// text. A reader walks the text and hands out views of its parts; a writer appends text.
//
//   json_find(R"({"a":{"b":[10,20]}})", {"a", "b", "1"})  ->  "20"
//   for (JsonItems items(array); items.next();) use(items.value());
//
// Input to find/items must have passed json_validate once (at the edge). Pure, thread-compatible.
// Standard: RFC 8259; depth is bounded by json_depth_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"

namespace pawl {

constexpr int json_depth_max = 256;

enum class JsonKind : uint8_t { null, boolean, number, string, array, object };

// One complete JSON value with nothing but white space around it; the error names the byte offset.
Status json_validate(std::string_view text);

// The kind of valid JSON text, judged by its first significant character.
JsonKind json_kind(std::string_view text);

// The value at `path` (object keys, or array indexes in decimal), as a view into `text`; nothing if
// a step does not exist. An empty path gives the value itself without surrounding white space. Of
// members with the same name the last counts, as in jq.
std::optional<std::string_view> json_find(std::string_view text,
                                          const std::vector<std::string>& path);
// The same as jq follows it: what is absent is null, and so is every step below null; a step into any
// other value that has no such steps (a member of a number, of a list) is INVALID_ARGUMENT. A step of
// digits is an index, and an object has none.
Result<std::string_view> json_path(std::string_view text, const std::vector<std::string>& path);

// Walks the elements of an array, or the members of an object.
class JsonItems {
 public:
  explicit JsonItems(std::string_view container);
  bool next();
  std::string_view value() const { return value_; }  // text of the element
  std::string_view key() const { return key_; }      // members only: the quoted key as written

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool object_ = false;
  bool first_ = true;
  std::string_view key_;
  std::string_view value_;
};

uint64_t json_count(std::string_view container);  // elements of an array or object

// "a\"b" (with its quotes) -> a"b. Text that is not a JSON string comes back unchanged.
std::string json_unquote(std::string_view text);

// a"b -> "a\"b" with quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

// Compact form: no white space outside strings.
std::string json_compact(std::string_view text);

// Appends JSON; commas and quoting are its business, balance is checked.
//   JsonWriter out; out.begin_object().key("n").number(3).key("tags").begin_array().end_array()...
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(int64_t value);
  JsonWriter& number(uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // valid JSON, inserted as it is
  const std::string& text() const { return text_; }
  std::string take();  // everything must be closed

 private:
  void separate();
  std::string text_;
  std::string open_;   // '{' or '[' of every level
  bool fresh_ = true;  // nothing written yet at this level
  bool after_key_ = false;
};

}  // namespace pawl
