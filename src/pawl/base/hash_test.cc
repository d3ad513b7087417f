#include "pawl/base/hash.h"

#include <gtest/gtest.h>

#include <set>

#include "pawl/base/random.h"

namespace pawl {
namespace {

std::string random_bytes(Random& dice, size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>(dice.next()));
  return bytes;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, KnownValues) {
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending.push_back(c);
  for (auto* crc : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(crc("", 0), 0u);
    EXPECT_EQ(crc("123456789", 0), 0xe3069283u);
    EXPECT_EQ(crc(std::string(32, '\0'), 0), 0x8a9136aau);
    EXPECT_EQ(crc(std::string(32, '\xff'), 0), 0x62a8ab43u);
    EXPECT_EQ(crc(ascending, 0), 0x46dd794eu);
  }
}

TEST(Crc32c, HardwareAndTablesAgreeAndPartsChain) {
  Random dice{1};
  for (int round = 0; round < 200; ++round) {
    std::string bytes = random_bytes(dice, dice.below(300));
    uint32_t whole = crc32c(bytes);
    EXPECT_EQ(whole, crc32c_portable(bytes));
    size_t cut = dice.below(bytes.size() + 1);
    EXPECT_EQ(whole, crc32c(bytes.substr(cut), crc32c(bytes.substr(0, cut))));
  }
}

// The plainest form of the definition.
uint32_t crc32c_by_bits(ByteView bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

TEST(Crc32c, EveryLengthAtEveryAlignmentIsAsByBits) {
  Random dice{3};
  std::string bytes = random_bytes(dice, 900);
  for (size_t begin = 0; begin < 16; ++begin) {
    for (size_t size = 0; size + begin <= bytes.size(); ++size) {
      ByteView part = ByteView(bytes).substr(begin, size);
      uint32_t crc = crc32c_by_bits(part);
      ASSERT_EQ(crc32c(part), crc) << size << " bytes from " << begin;
      ASSERT_EQ(crc32c_portable(part), crc) << size << " bytes from " << begin;
    }
  }
}

TEST(Crc32c, LongOnesAgreeAroundEveryBorderOfTheLanes) {
  Random dice{4};
  std::string bytes = random_bytes(dice, 12'000);
  for (size_t border = 384; border < 11'000; border += 384) {
    for (size_t size = border - 9; size <= border + 9; ++size) {
      ByteView part = ByteView(bytes).substr(size % 8, size);
      ASSERT_EQ(crc32c(part), crc32c_by_bits(part)) << size << " bytes";
      ASSERT_EQ(crc32c(part.substr(5), crc32c(part.substr(0, 5))), crc32c(part));
    }
  }
}

// These values are stored in logs. If one differs, the function is wrong, not the test.
TEST(Hash128Test, NeverChanges) {
  EXPECT_EQ(to_hex(hash128("")), "b6063502737bf40f4797f462c217f924");
  EXPECT_EQ(to_hex(hash128("a")), "bdbe845fb43354b8cbccf1956372149d");
  EXPECT_EQ(to_hex(hash128("12345678")), "168bcdea8e8205427216030b952d2e66");
  EXPECT_EQ(to_hex(hash128("The pawl never slips back.")), "35d694bb23a98edb61a2afbf77ba20e9");
  EXPECT_EQ(to_hex(hash128("a", 7)), "e25199814e9fcfe2bd20dafffa2640c4");
  EXPECT_EQ(to_hex(hash128(std::string(1000, '\0'))), "0bca75a9269d1029dc03af5547c4904f");
}

TEST(Hash128Test, TextForm) {
  EXPECT_EQ(to_hex({0x0123456789abcdefULL, 0xfedcba9876543210ULL}),
            "fedcba98765432100123456789abcdef");
}

TEST(Hash128Test, EveryBitMattersInBothHalves) {
  Random dice{2};
  for (size_t size : {1u, 7u, 8u, 9u, 64u, 100u}) {
    std::string bytes = random_bytes(dice, size);
    Hash128 original = hash128(bytes);
    for (size_t bit = 0; bit < size * 8; ++bit) {
      std::string other = bytes;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
      Hash128 hash = hash128(other);
      int low = __builtin_popcountll(hash.low ^ original.low);
      int high = __builtin_popcountll(hash.high ^ original.high);
      EXPECT_GT(low, 8) << size << " bytes, bit " << bit;
      EXPECT_GT(high, 8) << size << " bytes, bit " << bit;
    }
  }
}

TEST(Hash128Test, NoCollisionsInEitherHalf) {
  std::set<uint64_t> lows, highs;
  for (uint64_t i = 0; i < 20'000; ++i) {
    Hash128 hash = hash128(ByteView(reinterpret_cast<const char*>(&i), sizeof i));
    lows.insert(hash.low);
    highs.insert(hash.high);
  }
  for (size_t zeros = 0; zeros < 1000; ++zeros) lows.insert(hash128(std::string(zeros, '\0')).low);
  EXPECT_EQ(lows.size(), 20'999u);  // eight zero bytes are also the number 0
  EXPECT_EQ(highs.size(), 20'000u);
}

}  // namespace
}  // namespace pawl
