// Two checksums, for two purposes. Neither resists an attacker (the log's chain does that).
//
//   crc32c(bytes)    finds damage on disk and on the wire; Castagnoli polynomial, hardware where
//                    the CPU has it; crc32c(b, crc32c(a)) == crc32c(a + b)
//   hash128(bytes)   names a value: workflow versions, request payloads, state hashes; the same on
//                    every machine. Two independently keyed multiply-fold lanes over 8-byte words.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "pawl/base/bytes.h"

namespace pawl {

uint32_t crc32c(ByteView bytes, uint32_t previous = 0);
// The same by tables, whatever the CPU has: what crc32c() falls back to.
uint32_t crc32c_portable(ByteView bytes, uint32_t previous = 0);

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;

  friend constexpr auto operator<=>(const Hash128&, const Hash128&) = default;
};

Hash128 hash128(ByteView bytes, uint64_t seed = 0);
std::string to_hex(Hash128 hash);  // 32 lower-case digits

}  // namespace pawl
