#include "pawl/api/json_fields.h"

#include <algorithm>
#include <charconv>

#include "pawl/api/call_fields.h"
#include "pawl/definition/nearest.h"

namespace pawl {
namespace {

constexpr size_t shown_bytes_max = 40;  // of a value that is not as expected

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

template <class T>
bool number_from(std::string_view text, int base, T& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

std::string hex_of(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

bool bytes_from_hex(std::string_view hex, Bytes& bytes) {
  bytes.clear();
  if (hex.size() % 2 != 0) return false;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

std::string hex_of(uint64_t number) {
  return to_hex({number, 0}).substr(16);
}

bool number_from_hex(std::string_view hex, uint64_t& number) {
  return hex.size() == 16 && number_from(hex, 16, number);
}

bool unsigned_from_json(std::string_view json, uint64_t& number) {
  return number_from(json, 10, number);
}

bool signed_from_json(std::string_view json, int64_t& number) {
  return number_from(json, 10, number);
}

size_t whole_characters(std::string_view text) {
  for (size_t back = 1; back <= 4 && back <= text.size(); ++back) {
    auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return back < length ? text.size() - back : text.size();
  }
  return text.size();
}

std::string unknown_member(std::string_view key, const std::string& what,
                           const std::vector<std::string_view>& known) {
  return what + " has no \"" + std::string(key.substr(0, shown_bytes_max)) + "\"" +
         hint(key, known);
}

void JsonFieldWriter::json(const char* key, const std::string& text) {
  if (text.empty()) return;
  out_.key(key);
  json_validate(text).ok() ? out_.raw(json_compact(text)) : out_.string(text);
}

void JsonFieldWriter::json_list(const char* key, const std::vector<std::string>& texts) {
  out_.key(key).begin_array();
  for (const std::string& text : texts) {
    if (text.empty())
      out_.raw("{}");
    else
      json_validate(text).ok() ? out_.raw(json_compact(text)) : out_.string(text);
  }
  out_.end_array();
}

void JsonFieldWriter::encoded(const char* key, const Payload& items) {
  if (items.is_absent() || items.is_blob()) return (*this)(key, items);
  out_.key(key).begin_object().key("items").begin_array();
  if (items_check(items.text()).ok()) {
    for (uint64_t i = 0; i < items_count(items.text()); ++i) out_.raw(items_at(items.text(), i));
  }
  out_.end_array().end_object();
}

void JsonFieldWriter::write(const Payload& payload) {
  if (payload.is_absent()) {
    out_.null();
    return;
  }
  out_.begin_object();
  if (payload.is_blob())
    (*this)("blob", payload.ref());
  else
    out_.key("json").raw(payload.text());
  out_.end_object();
}

bool JsonFieldReader::finish() {
  if (!problem_.empty()) return false;
  if (unknown_ == UnknownMembers::ignore) return true;
  for (const auto& [key, value] : members_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    fail(unknown_member(key, what_, known_));
    return false;
  }
  return true;
}

// Of members with the same name the last counts, as in base/json.h.
std::optional<std::string_view> JsonFieldReader::find(const char* key) {
  known_.push_back(key);
  for (auto it = members_.rbegin(); it != members_.rend(); ++it) {
    if (it->first == key) return it->second;
  }
  return std::nullopt;
}

void JsonFieldReader::expected(const char* key, const char* what, std::string_view got) {
  fail(what_ + ": \"" + key + "\" must be " + what + ", not " +
       std::string(got.substr(0, shown_bytes_max)));
}

void JsonFieldReader::json(const char* key, std::string& text) {
  text.clear();
  std::optional<std::string_view> json = find(key);
  if (!json) return;
  text = json_kind(*json) == JsonKind::string ? json_unquote(*json) : std::string(*json);
}

void JsonFieldReader::json_list(const char* key, std::vector<std::string>& texts) {
  texts.clear();
  std::optional<std::string_view> list = find(key);
  if (!list) return fail(what_ + " needs \"" + key + "\"");
  if (json_kind(*list) != JsonKind::array) return expected(key, "a list", *list);
  for (JsonItems items(*list); items.next();) {
    bool quoted = json_kind(items.value()) == JsonKind::string;
    texts.push_back(quoted ? json_unquote(items.value()) : std::string(items.value()));
  }
}

void JsonFieldReader::encoded(const char* key, Payload& items) {
  items = {};
  std::optional<std::string_view> json = find(key);
  if (!json || json_kind(*json) == JsonKind::null) return;
  std::optional<std::string_view> list = json_find(*json, {"items"});
  if (!list || json_kind(*json) != JsonKind::object) return read(key, *json, items);
  if (json_kind(*list) != JsonKind::array) return expected(key, "a list of items", *list);
  items = Payload::inline_json(encode_items(std::string(*list)));
}

void JsonFieldReader::random(const char* key, uint64_t& value) {
  std::optional<std::string_view> json = find(key);
  if (json && !number_from_hex(json_unquote(*json), value)) expected(key, "16 hex digits", *json);
}

void JsonFieldReader::bytes(const char* key, Bytes& value) {
  std::optional<std::string_view> json = find(key);
  if (json && !bytes_from_hex(json_unquote(*json), value)) expected(key, "hex digits", *json);
}

void JsonFieldReader::milliseconds(const char* key, Duration& value) {
  std::optional<std::string_view> json = find(key);
  int64_t number = 0;
  if (!json) return;
  if (!signed_from_json(*json, number) || number > INT64_MAX / 1'000'000 ||
      number < INT64_MIN / 1'000'000)
    return expected(key, "a whole number of milliseconds", *json);
  value = Duration::milliseconds(number);
}

void JsonFieldReader::read(const char* key, std::string_view json, std::string& value) {
  if (json_kind(json) != JsonKind::string) return expected(key, "a string", json);
  value = json_unquote(json);
}

void JsonFieldReader::read(const char* key, std::string_view json, ExecutionId& id) {
  id = {};
  if (json_kind(json) == JsonKind::null) return;
  id = execution_from_text(json_unquote(json));
  if (!id || json_kind(json) != JsonKind::string)
    expected(key, "an execution's id like \"e17\"", json);
}

void JsonFieldReader::read(const char* key, std::string_view json, WallTime& time) {
  time = {};
  if (json_kind(json) == JsonKind::null) return;
  std::optional<WallTime> read = wall_time_from_rfc3339(json_unquote(json));
  if (!read) return expected(key, "a time like \"2024-05-01T12:30:00Z\"", json);
  time = *read;
}

void JsonFieldReader::read(const char* key, std::string_view json, Hash128& hash) {
  std::string hex = json_unquote(json);
  if (hex.size() != 32 || !number_from_hex(std::string_view(hex).substr(0, 16), hash.high) ||
      !number_from_hex(std::string_view(hex).substr(16), hash.low))
    return expected(key, "32 hex digits", json);
}

void JsonFieldReader::read(const char* key, std::string_view json, Payload& payload) {
  payload = {};
  if (json_kind(json) == JsonKind::null) return;
  JsonFieldReader inner(json, "\"" + std::string(key) + "\"", unknown_, problem_);
  if (std::optional<std::string_view> value = inner.find("json"))
    payload = Payload::inline_json(std::string(*value));
  if (std::optional<std::string_view> blob = inner.find("blob")) {
    BlobRef ref;
    read("blob", *blob, ref);
    payload = Payload::blob(ref);
  }
  inner.finish();
}

}  // namespace pawl
