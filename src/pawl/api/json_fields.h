// One description for both directions: fields(io, value) names the fields of a value, and `io` is a
// JsonFieldWriter or a JsonFieldReader. So what is written and what is read cannot part.
//
//   template <class IO, Same<Selection> T>
//   void fields(IO& io, T& v) {
//     io.required("execution", v.execution);
//     io("node", v.node);
//   }
//
// Execution ids are "e17", enumerations their name(), wall times RFC 3339 (null for 0), random
// 64-bit numbers and bytes hex digits, values with fields of their own objects, optionals null.
// A reader keeps the first problem, in words for whoever wrote the message; members that a value
// does not have are a problem only to a strict reader.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/api/rfc3339.h"
#include "pawl/base/hash.h"
#include "pawl/base/json.h"
#include "pawl/model/ids.h"
#include "pawl/model/payload.h"

namespace pawl {

template <class T, class U>
concept Same = std::same_as<std::remove_const_t<T>, U>;

// What the alternatives of a variant are called, in its order: a static constexpr array `of`.
template <class Variant>
struct AlternativeNames;

constexpr int json_enumerators_max = 32;  // of any enumeration that travels

std::string hex_of(std::string_view bytes);
bool bytes_from_hex(std::string_view hex, Bytes& bytes);
std::string hex_of(uint64_t number);  // 16 digits
bool number_from_hex(std::string_view hex, uint64_t& number);
// How many bytes of `text` are whole UTF-8 characters; a text that is none is cut anywhere.
size_t whole_characters(std::string_view text);
bool unsigned_from_json(std::string_view json, uint64_t& number);
bool signed_from_json(std::string_view json, int64_t& number);
// The problem with a member that `what` does not have.
std::string unknown_member(std::string_view key, const std::string& what,
                           const std::vector<std::string_view>& known);

class JsonFieldWriter {
 public:
  explicit JsonFieldWriter(JsonWriter& out) : out_(out) {}

  template <class T>
  void operator()(const char* key, const T& value) {
    out_.key(key);
    write(value);
  }
  template <class T>
  void required(const char* key, const T& value) {
    (*this)(key, value);
  }
  // Left out where there is none.
  template <class T>
  void unless_null(const char* key, const std::optional<T>& value) {
    if (value) (*this)(key, *value);
  }
  // JSON text as a value; text that is no JSON goes as a string, for the other side to judge.
  void json(const char* key, const std::string& text);
  void json_list(const char* key, const std::vector<std::string>& texts);
  // {"key": which alternative, "with": its fields}
  template <class V>
  void choice(const char* key, const char* with, const V& value) {
    out_.key(key).string(AlternativeNames<V>::of[value.index()]);
    out_.key(with);
    std::visit([&](const auto& alternative) { write(alternative); }, value);
  }
  // A value that has a text, to_text() and from_text(); `what` it must be, for messages.
  template <class T>
  void text(const char* key, const T& value, const char*) {
    out_.key(key).string(to_text(value));
  }
  void random(const char* key, uint64_t value) { out_.key(key).string(hex_of(value)); }
  void bytes(const char* key, const Bytes& value) { out_.key(key).string(hex_of(value)); }
  void milliseconds(const char* key, const Duration& value) {
    out_.key(key).number(value.whole_milliseconds());
  }

  template <class T>
  void write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      out_.string(name(value));
    } else if constexpr (std::same_as<T, bool>) {
      out_.boolean(value);
    } else if constexpr (std::is_unsigned_v<T>) {
      out_.number(uint64_t{value});
    } else if constexpr (std::is_integral_v<T>) {
      out_.number(int64_t{value});
    } else {
      out_.begin_object();
      fields(*this, value);
      out_.end_object();
    }
  }
  void write(const std::string& value) { out_.string(value); }
  void write(const ExecutionId& id) { id ? out_.string(to_text(id)) : out_.null(); }
  template <class Tag>
  void write(const Id<Tag>& id) {
    out_.number(id.value);
  }
  void write(const WallTime& time) { time.ns == 0 ? out_.null() : out_.string(rfc3339(time)); }
  void write(const Instant& instant) { out_.number(instant.ns); }
  void write(const Hash128& hash) { out_.string(to_hex(hash)); }
  template <class T>
  void write(const std::optional<T>& value) {
    value ? write(*value) : static_cast<void>(out_.null());
  }
  template <class T>
  void write(const std::vector<T>& values) {
    out_.begin_array();
    for (const T& value : values) write(value);
    out_.end_array();
  }
  void write(const Payload& payload);  // null, {"json": ...} or {"blob": {...}}
  // An encoded item list: null, {"items": [...]} or {"blob": {...}}.
  void encoded(const char* key, const Payload& items);

 private:
  JsonWriter& out_;
};

enum class UnknownMembers : uint8_t { refuse, ignore };

class JsonFieldReader {
 public:
  // `object` is valid JSON; `what` is what it is, for messages.
  JsonFieldReader(std::string_view object, std::string what, UnknownMembers unknown,
                  std::string& problem)
      : what_(std::move(what)), unknown_(unknown), problem_(problem) {
    if (json_kind(object) != JsonKind::object) {
      fail(what_ + " must be a JSON object");
      return;
    }
    members_.reserve(members_usual);
    known_.reserve(members_usual);
    for (JsonItems items(object); items.next();)
      members_.emplace_back(json_unquote(items.key()), items.value());
  }
  // After fields(): whether all of it has been understood.
  bool finish();

  template <class T>
  void operator()(const char* key, T& value) {
    if (std::optional<std::string_view> json = find(key)) read(key, *json, value);
  }
  template <class T>
  void required(const char* key, T& value) {
    std::optional<std::string_view> json = find(key);
    if (!json || json_kind(*json) == JsonKind::null) return fail(what_ + " needs \"" + key + "\"");
    read(key, *json, value);
  }
  template <class T>
  void unless_null(const char* key, std::optional<T>& value) {
    (*this)(key, value);
  }
  void json(const char* key, std::string& text);
  void json_list(const char* key, std::vector<std::string>& texts);
  template <class V>
  void choice(const char* key, const char* with, V& value) {
    std::string chosen;
    required(key, chosen);
    std::string_view content = find(with).value_or("{}");
    if (problem_.empty()) read_chosen(key, chosen, content, value, unknown_, problem_);
  }
  // The same, where which alternative and its fields do not stand in one object.
  template <class V>
  static void read_chosen(const char* key, std::string_view chosen, std::string_view content,
                          V& value, UnknownMembers unknown, std::string& problem) {
    if (!choose(chosen, content, value, unknown, problem,
                std::make_index_sequence<std::variant_size_v<V>>()))
      problem =
          unknown_member(chosen, "\"" + std::string(key) + "\"",
                         {std::begin(AlternativeNames<V>::of), std::end(AlternativeNames<V>::of)});
  }
  void encoded(const char* key, Payload& items);
  template <class T>
  void text(const char* key, T& value, const char* what) {
    std::optional<std::string_view> json = find(key);
    if (json && !from_text(json_unquote(*json), value)) expected(key, what, *json);
  }
  void random(const char* key, uint64_t& value);
  void bytes(const char* key, Bytes& value);
  void milliseconds(const char* key, Duration& value);

  template <class T>
  void read(const char* key, std::string_view json, T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::string text = json_unquote(json);
      for (int i = 0; i < json_enumerators_max; ++i) {
        value = static_cast<T>(i);
        if (text == name(value)) return;
      }
      expected(key, "one of the names in docs/api.md", json);
    } else if constexpr (std::same_as<T, bool>) {
      if (json_kind(json) != JsonKind::boolean) return expected(key, "true or false", json);
      value = json == "true";
    } else if constexpr (std::is_unsigned_v<T>) {
      uint64_t number = 0;
      if (!unsigned_from_json(json, number) || number > std::numeric_limits<T>::max())
        return expected(key, "a whole number that is not negative", json);
      value = static_cast<T>(number);
    } else if constexpr (std::is_integral_v<T>) {
      int64_t number = 0;
      if (!signed_from_json(json, number) || number < std::numeric_limits<T>::min() ||
          number > std::numeric_limits<T>::max())
        return expected(key, "a whole number", json);
      value = static_cast<T>(number);
    } else {
      JsonFieldReader inner(json, "\"" + std::string(key) + "\"", unknown_, problem_);
      fields(inner, value);
      inner.finish();
    }
  }
  void read(const char* key, std::string_view json, std::string& value);
  void read(const char* key, std::string_view json, ExecutionId& id);
  template <class Tag>
  void read(const char* key, std::string_view json, Id<Tag>& id) {
    read(key, json, id.value);
  }
  void read(const char* key, std::string_view json, WallTime& time);
  void read(const char* key, std::string_view json, Instant& instant) {
    read(key, json, instant.ns);
  }
  void read(const char* key, std::string_view json, Hash128& hash);
  template <class T>
  void read(const char* key, std::string_view json, std::optional<T>& value) {
    value.reset();
    if (json_kind(json) == JsonKind::null) return;
    read(key, json, value.emplace());
  }
  template <class T>
  void read(const char* key, std::string_view json, std::vector<T>& values) {
    values.clear();
    if (json_kind(json) != JsonKind::array) return expected(key, "a list", json);
    for (JsonItems items(json); items.next() && problem_.empty();)
      read(key, items.value(), values.emplace_back());
  }
  void read(const char* key, std::string_view json, Payload& payload);

  std::optional<std::string_view> find(const char* key);
  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  void expected(const char* key, const char* what, std::string_view got);

 private:
  template <class V, size_t... I>
  static bool choose(std::string_view name, std::string_view content, V& value,
                     UnknownMembers unknown, std::string& problem, std::index_sequence<I...>) {
    return (choose_one<I>(name, content, value, unknown, problem) || ...);
  }
  template <size_t I, class V>
  static bool choose_one(std::string_view name, std::string_view content, V& value,
                         UnknownMembers unknown, std::string& problem) {
    if (name != AlternativeNames<V>::of[I]) return false;
    JsonFieldReader inner(content, std::string(name), unknown, problem);
    fields(inner, value.template emplace<I>());
    inner.finish();
    return true;
  }

  static constexpr size_t members_usual = 8;

  std::string what_;
  UnknownMembers unknown_;
  std::string& problem_;
  std::vector<std::pair<std::string, std::string_view>> members_;
  std::vector<std::string_view> known_;
};

}  // namespace pawl
