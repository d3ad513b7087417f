#include "pawl/model/payload.h"

#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr uint64_t ref_bytes = 5 * sizeof(uint64_t);

uint64_t u64_at(ByteView bytes, uint64_t offset) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

// 1 | 14 bits node | 24 bits item | 25 bits attempt; the bounds of all three are far below.
uint64_t output_blob_sequence(const TaskKey& task, AttemptNumber attempt) {
  return uint64_t{1} << 63 | uint64_t{task.node} << 49 | uint64_t{task.item} << 25 |
         (attempt & 0x1ffffffu);
}

bool is_output_blob_sequence(uint64_t sequence) {
  return sequence >> 63 == 1;
}

uint64_t evaluation_blob_sequence(uint8_t purpose, NodeIndex node) {
  return uint64_t{purpose} << 32 | node;
}

Payload Payload::inline_json(std::string text) {
  Payload payload;
  if (text != "null") payload.bytes_ = std::move(text);
  return payload;
}

Payload Payload::blob(const BlobRef& ref) {
  ByteWriter out;
  for (uint64_t word : {ref.owner.value, ref.sequence, ref.size, ref.hash.low, ref.hash.high})
    out.u64(word);
  Payload payload;
  payload.bytes_ = out.take();
  payload.is_blob_ = true;
  return payload;
}

const std::string& Payload::text() const {
  static const std::string null_text = "null";
  PAWL_CHECK(!is_blob_, "text() of a payload in the blob store");
  return bytes_.empty() ? null_text : bytes_;
}

BlobRef Payload::ref() const {
  PAWL_CHECK(is_blob_, "ref() of an inline payload");
  ByteReader in(bytes_);
  BlobRef ref;
  ref.owner.value = in.u64();
  ref.sequence = in.u64();
  ref.size = in.u64();
  ref.hash.low = in.u64();
  ref.hash.high = in.u64();
  return ref;
}

uint64_t Payload::size() const {
  return is_blob_ ? u64_at(bytes_, 16) : bytes_.size();
}

void Payload::encode(ByteWriter& out) const {
  out.varint(bytes_.size() << 1 | (is_blob_ ? 1u : 0u));
  out.raw(bytes_.data(), bytes_.size());
}

Payload Payload::decode(ByteReader& in) {
  uint64_t header = in.varint();
  Payload payload;
  payload.is_blob_ = (header & 1) != 0;
  if (payload.is_blob_ && header >> 1 != ref_bytes) in.fail();
  payload.bytes_ = in.view(header >> 1);
  // "null" has one form only, so that equal values have equal bytes.
  if (!payload.is_blob_ && payload.bytes_ == "null") in.fail();
  return in.ok() ? payload : Payload();
}

std::string encode_items(const std::string& json_array) {
  uint64_t count = json_count(json_array);
  ByteWriter ends;
  Bytes texts;
  texts.reserve(json_array.size());
  ends.u64(count);
  for (JsonItems items(json_array); items.next();) {
    texts.append(items.value());
    ends.u64(texts.size());
  }
  return ends.take() + texts;
}

uint64_t items_count(ByteView encoded) {
  return encoded.size() < 8 ? 0 : u64_at(encoded, 0);
}

std::string_view items_at(ByteView encoded, uint64_t index) {
  uint64_t texts = items_text_offset(items_count(encoded));
  uint64_t begin = index == 0 ? 0 : u64_at(encoded, 8 * index);
  return encoded.substr(texts + begin, u64_at(encoded, 8 + 8 * index) - begin);
}

Status items_check(ByteView encoded) {
  uint64_t count = items_count(encoded);
  auto damaged = [](const std::string& what) {
    return Error{Code::data_loss, "item list is damaged: " + what};
  };
  if (encoded.size() < 8 || count > (encoded.size() - 8) / 8)
    return damaged("shorter than its index");
  uint64_t room = encoded.size() - items_text_offset(count);
  uint64_t previous = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t end = u64_at(encoded, 8 + 8 * i);
    if (end < previous || end > room) return damaged("item " + std::to_string(i) + " lies outside");
    previous = end;
  }
  if (previous != room) return damaged("text after the last item");
  return {};
}

}  // namespace pawl
