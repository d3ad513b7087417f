// A JSON value on its way through Pawl: its text, or (above payload_inline_max) a reference to the
// blob store. The blob is written before the event that refers to it becomes durable.
//
//   Payload small = Payload::inline_json("{\"n\":1}");
//   Payload large = Payload::blob({execution, 3, bytes.size(), hash128(bytes)});
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/hash.h"
#include "pawl/base/result.h"
#include "pawl/model/ids.h"

namespace pawl {

constexpr uint64_t payload_inline_max = 64 * 1024;  // bytes

// `owner` scopes deletion: the blobs of an execution go with it.
struct BlobRef {
  ExecutionId owner;      // 0: staged, the input of a submission that has no execution yet
  uint64_t sequence = 0;  // unique for the owner
  uint64_t size = 0;      // bytes
  Hash128 hash;           // hash128 of the content; checked on every read

  friend constexpr auto operator<=>(const BlobRef&, const BlobRef&) = default;
};

// Who puts a blob of an execution chooses its sequence here, so that no two of them have the same:
// the input, the output of one attempt of a task, and what the engine evaluated for a node
// (`purpose`: a number below 256 for each kind of value).
constexpr uint64_t input_blob_sequence = uint64_t{1} << 62;
uint64_t output_blob_sequence(const TaskKey& task, AttemptNumber attempt);
bool is_output_blob_sequence(uint64_t sequence);
uint64_t evaluation_blob_sequence(uint8_t purpose, NodeIndex node);

class Payload {
 public:
  Payload() = default;                           // absent: reads as JSON null
  static Payload inline_json(std::string text);  // "null" and "" become absent
  static Payload blob(const BlobRef& ref);

  bool is_blob() const { return is_blob_; }
  bool is_absent() const { return bytes_.empty(); }
  const std::string& text() const;  // only when inline; "null" when absent
  BlobRef ref() const;              // only when a blob
  uint64_t size() const;            // bytes of the value, wherever it is

  void encode(ByteWriter& out) const;
  static Payload decode(ByteReader& in);
  friend bool operator==(const Payload&, const Payload&) = default;

 private:
  std::string bytes_;  // the text, or the encoded reference
  bool is_blob_ = false;
};

// The item list of a mapped node: `count` JSON texts, addressable one by one.
// Layout: u64 count, count x u64 end offsets (from where the texts begin), then the texts. So item i
// of a list in the blob store takes two small reads: its end is at byte 8 + 8 * i, its begin is the end
// before it. An integer n stands for 0, 1, ... n-1 and has no bytes at all (see NodeActivated).
// items_at() needs index < items_count() and a list that items_check() accepted.
constexpr uint64_t items_text_offset(uint64_t count) {
  return 8 + 8 * count;
}
std::string encode_items(const std::string& json_array);
uint64_t items_count(ByteView encoded);
std::string_view items_at(ByteView encoded, uint64_t index);
Status items_check(ByteView encoded);  // offsets ascend and stay inside

}  // namespace pawl
