#include "pawl/model/ids.h"

#include "pawl/base/bytes.h"

namespace pawl {

std::string to_text(ExecutionId id) {
  return "e" + std::to_string(id.value);
}

ExecutionId execution_from_text(const std::string& text) {
  if (text.size() < 2 || text[0] != 'e' || text[1] == '0') return {};
  uint64_t value = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return {};
    auto digit = static_cast<uint64_t>(text[i] - '0');
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
      return {};
  }
  return {value};
}

std::string uuid_of(Hash128 cluster, uint64_t a, uint64_t b, uint64_t c) {
  ByteWriter key;
  for (uint64_t word : {cluster.low, cluster.high, a, b, c}) key.u64(word);
  Hash128 hash = hash128(key.view());
  hash.high = (hash.high & ~0xf000ULL) | 0x8000ULL;      // version 8
  hash.low = (hash.low & ~(3ULL << 62)) | (2ULL << 62);  // variant of RFC 9562
  std::string hex = to_hex(hash);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace pawl
