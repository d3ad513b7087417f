#include "pawl/base/hash.h"

#include <array>

#include "pawl/base/random.h"

namespace pawl {
namespace {

// Slicing-by-8 (Kounavis, Berry 2005): table[k][b] is the CRC of byte b followed by k zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 8> make_crc_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0u);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  return tables;
}

constexpr auto crc_tables = make_crc_tables();

uint64_t load64(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

uint32_t crc32c_table(const char* at, size_t size, uint32_t crc) {
  const auto& t = crc_tables;
  for (; size >= 8; at += 8, size -= 8) {
    uint64_t word = load64(at) ^ crc;
    crc = t[7][word & 0xff] ^ t[6][(word >> 8) & 0xff] ^ t[5][(word >> 16) & 0xff] ^
          t[4][(word >> 24) & 0xff] ^ t[3][(word >> 32) & 0xff] ^ t[2][(word >> 40) & 0xff] ^
          t[1][(word >> 48) & 0xff] ^ t[0][word >> 56];
  }
  for (; size > 0; ++at, --size) crc = (crc >> 8) ^ t[0][(crc ^ static_cast<uint8_t>(*at)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(const char* at, size_t size, uint32_t crc) {
  uint64_t wide = crc;
  for (; size >= 8; at += 8, size -= 8) wide = __builtin_ia32_crc32di(wide, load64(at));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++at, --size) crc = __builtin_ia32_crc32qi(crc, static_cast<uint8_t>(*at));
  return crc;
}
#endif

// The high and the low half of the full product, folded together.
uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;
  Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

uint32_t crc32c(ByteView bytes, uint32_t previous) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(bytes.data(), bytes.size(), ~previous);
#endif
  return ~crc32c_table(bytes.data(), bytes.size(), ~previous);
}

uint32_t crc32c_portable(ByteView bytes, uint32_t previous) {
  return ~crc32c_table(bytes.data(), bytes.size(), ~previous);
}

// Never change a constant: these values are stored in logs and compared between machines.
Hash128 hash128(ByteView bytes, uint64_t seed) {
  constexpr uint64_t low_key = 0xd6e8feb86659fd93ULL;
  constexpr uint64_t high_key = 0xa0761d6478bd642fULL;
  uint64_t low = mix64(seed ^ bytes.size());
  uint64_t high = mix64(~seed + bytes.size());
  const char* at = bytes.data();
  size_t rest = bytes.size();
  for (; rest >= 8; at += 8, rest -= 8) {
    uint64_t word = load64(at);
    low = fold(low ^ word, low_key);
    high = fold(high + word, high_key);
  }
  if (rest > 0) {
    uint64_t word = 0;
    std::memcpy(&word, at, rest);
    low = fold(low ^ word, low_key);
    high = fold(high + word, high_key);
  }
  return {mix64(low ^ (high >> 32)), mix64(high + low)};
}

std::string to_hex(Hash128 hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text(32, '0');
  for (size_t i = 0; i < 16; ++i) {
    text[15 - i] = digits[(hash.high >> (4 * i)) & 15];
    text[31 - i] = digits[(hash.low >> (4 * i)) & 15];
  }
  return text;
}

}  // namespace pawl
