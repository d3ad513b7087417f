#include "pawl/base/small_vector.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pawl/base/random.h"

namespace pawl {
namespace {

std::vector<std::string> contents(const SmallVector<std::string>& small) {
  return {small.begin(), small.end()};
}

// Longer than what a string keeps inside itself, so that a sanitizer sees every element that is
// destroyed twice or never.
std::string text(uint64_t number) {
  return "an element with the number " + std::to_string(number);
}

TEST(SmallVector, OneElementStaysInside) {
  SmallVector<std::string> small;
  const auto* object = reinterpret_cast<const char*>(&small);
  auto inside = [&] {
    const auto* first = reinterpret_cast<const char*>(small.begin());
    return first >= object && first < object + sizeof small;
  };
  small.insert(small.end(), text(1));
  EXPECT_TRUE(inside());
  small.insert(small.begin(), text(0));
  EXPECT_FALSE(inside());
  EXPECT_EQ(contents(small), (std::vector{text(0), text(1)}));
}

TEST(SmallVector, DoesWhatAVectorDoes) {
  Random dice{11};
  for (int round = 0; round < 300; ++round) {
    SmallVector<std::string> small;
    std::vector<std::string> plain;
    for (uint64_t change = 0; change < 40; ++change) {
      size_t at = dice.below(plain.size() + 1);
      auto place = plain.begin() + static_cast<ptrdiff_t>(at);
      switch (dice.below(4)) {
        case 0: {
          size_t end = at + dice.below(plain.size() - at + 1);
          small.erase(small.begin() + at, small.begin() + end);
          plain.erase(place, plain.begin() + static_cast<ptrdiff_t>(end));
          break;
        }
        case 1: {
          size_t size = dice.below(5);
          small.resize(size);
          plain.resize(size);
          break;
        }
        default:
          small.insert(small.begin() + at, text(change));
          plain.insert(place, text(change));
      }
      ASSERT_EQ(contents(small), plain);
      ASSERT_EQ(small.size(), plain.size());
      ASSERT_TRUE(plain.empty() || small.at(plain.size() - 1) == plain.back());
    }
  }
}

TEST(SmallVectorDeathTest, AnElementThatDoesNotExist) {
  SmallVector<int> small;
  EXPECT_DEATH(small.at(0), "does not exist");
}

}  // namespace
}  // namespace pawl
