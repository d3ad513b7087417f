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
// An instruction takes three cycles and one may start in each, so three lanes go at once: for as long
// as there are three of lane_bytes, then three of lane_bytes_small.
constexpr size_t lane_bytes = 1024;
constexpr size_t lane_bytes_small = 128;

using Pair = long long __attribute__((vector_size(16)));

// x^n modulo the polynomial, written as a CRC is: bit 31 is x^0.
constexpr uint32_t power_of_x(uint64_t n) {
  uint32_t power = 1u << 31;
  for (; n > 0; --n) power = (power >> 1) ^ ((power & 1) ? 0x82f63b78u : 0u);
  return power;
}

// What a CRC is multiplied with to be that of the same bytes and `bytes` zeros behind them. The
// product of two reversed words is one bit too low, and the crc instruction multiplies by x^32.
constexpr uint32_t zeros_factor(uint64_t bytes) {
  return power_of_x(bytes * 8 - 33);
}

__attribute__((target("sse4.2,pclmul"))) uint64_t multiplied(uint64_t crc, uint32_t factor) {
  Pair product = __builtin_ia32_pclmulqdq128(Pair{static_cast<long long>(crc), 0},
                                             Pair{static_cast<long long>(factor), 0}, 0);
  return static_cast<uint64_t>(product[0]);
}

// As many bytes as fill all three lanes, and again, while there are any.
template <size_t lane>
__attribute__((target("sse4.2,pclmul"))) uint64_t crc32c_lanes(const char*& at, size_t& size,
                                                               uint64_t crc) {
  constexpr uint32_t one_lane = zeros_factor(lane);
  constexpr uint32_t two_lanes = zeros_factor(2 * lane);
  for (; size >= 3 * lane; at += 3 * lane, size -= 3 * lane) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < lane; i += 8) {
      crc = __builtin_ia32_crc32di(crc, load64(at + i));
      second = __builtin_ia32_crc32di(second, load64(at + lane + i));
      third = __builtin_ia32_crc32di(third, load64(at + 2 * lane + i));
    }
    uint64_t moved = multiplied(crc, two_lanes) ^ multiplied(second, one_lane);
    crc = __builtin_ia32_crc32di(0, moved) ^ third;
  }
  return crc;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t crc32c_sse42(const char* at, size_t size,
                                                               uint32_t crc) {
  uint64_t wide = crc32c_lanes<lane_bytes>(at, size, crc);
  wide = crc32c_lanes<lane_bytes_small>(at, size, wide);
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
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
    return ~crc32c_sse42(bytes.data(), bytes.size(), ~previous);
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
