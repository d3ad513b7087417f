// A YAML or JSON document as a tree that remembers where everything stood.
//
// Read as YAML 1.2 (core schema), of which JSON is a part. Bounded whatever the text is: depth by
// document_depth_max, aliases by the bytes they copy. Tags other than !!str, merge keys and more
// than one document are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pawl/definition/source.h"

namespace pawl {

constexpr int document_depth_max = 64;
constexpr uint64_t document_alias_bytes_max = 4 << 20;

enum class ValueKind : uint8_t { scalar, sequence, mapping };
enum class ScalarKind : uint8_t { null, boolean, number, not_finite, string };

struct Value {
  ValueKind kind = ValueKind::scalar;
  bool plain = true;  // a scalar without quotes, which may be a number, a boolean or null
  Mark mark;
  Mark end;
  std::string text;          // scalar
  std::vector<Value> keys;   // mapping: scalars, unique, as many as items
  std::vector<Value> items;  // mapping and sequence

  const Value* find(std::string_view key) const;  // the value under `key`
};

// Nothing if the text is no document; `problems` then says why.
std::optional<Value> parse_document(const Source& source, Problems& problems);

ScalarKind scalar_kind(const Value& scalar);
std::string scalar_json(const Value& scalar);  // 0x1F -> 31, yes -> "yes", not_finite -> null

const char* describe(const Value& value);  // "a list", "a number", ...

}  // namespace pawl
