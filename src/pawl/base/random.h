// A small deterministic generator: the same seed gives the same numbers on every machine, compiler
// and release. Never for secrets.
//
//   Random dice{stamp.dice};
//   Duration jitter{dice.below(1'000'000)};
//
// Source: SplitMix64 (Steele, Lea, Flood 2014), whose output passes BigCrush and whose whole state
// is one integer, so that it can ride in a command's stamp.
#pragma once

#include <cstdint>

namespace pawl {

// One step of SplitMix64's finaliser: also a good mixing function for 64-bit keys.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  constexpr explicit Random(uint64_t seed) : state_(seed) {}

  constexpr uint64_t next() {
    uint64_t z = mix64(state_);
    state_ += 0x9e3779b97f4a7c15ULL;
    return z;
  }

  // Uniform in [0, bound); bound 0 gives 0. Lemire's multiply-shift: the bias is below 2^-64 * bound.
  constexpr uint64_t below(uint64_t bound) {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

  // Uniform in [low, high].
  constexpr uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }

  // True with probability permille / 1000.
  constexpr bool chance(uint32_t permille) { return below(1000) < permille; }

  // An independent generator, for a part of the program that must not disturb this one's sequence.
  constexpr Random split() { return Random(next()); }

 private:
  uint64_t state_;
};

}  // namespace pawl
