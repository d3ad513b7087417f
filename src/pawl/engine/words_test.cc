#include "pawl/engine/words.h"

#include <gtest/gtest.h>

#include <string>

namespace pawl {
namespace {

void add(Words& words, uint64_t execution, uint64_t number, const std::string& message = "") {
  words.add({{ExecutionId{execution}, 0, 0}, 1, 500, message}, number);
}

std::string numbers(const Words::Page& page) {
  std::string text;
  for (const SaidWord& one : page.words) text += std::to_string(one.number) + " ";
  return text;
}

TEST(Words, EachIsReadOnceInItsOrder) {
  Words words(1 << 20, 1 << 20);
  for (uint64_t i = 1; i <= 5; ++i) {
    add(words, 1, i);
    add(words, 2, i * 10);
  }
  Words::Page page = words.read(ExecutionId{1}, 0, 2);
  EXPECT_EQ(numbers(page), "1 2 ");
  page = words.read(ExecutionId{1}, page.cursor, 100);
  EXPECT_EQ(numbers(page), "3 4 5 ");
  const uint64_t end = page.cursor;
  page = words.read(ExecutionId{1}, end, 100);
  EXPECT_EQ(numbers(page), "");
  EXPECT_EQ(page.cursor, end) << "where nothing new is, nobody moves";
  add(words, 1, 6);
  EXPECT_EQ(numbers(words.read(ExecutionId{1}, end, 100)), "6 ");
  EXPECT_EQ(numbers(words.read(ExecutionId{3}, 0, 100)), "");
}

TEST(Words, OfTooManyTheOldestOfAnExecutionGo) {
  Words words(10'000, 1 << 20);
  const std::string kilobyte(1000, 'x');
  for (uint64_t i = 1; i <= 20; ++i) add(words, 1, i, kilobyte);
  const Words::Page page = words.read(ExecutionId{1}, 0, 100);
  ASSERT_EQ(page.words.size(), 10'000 / (sizeof(SaidWord) + 1000));
  for (size_t i = 0; i < page.words.size(); ++i)
    EXPECT_EQ(page.words[i].number, 20 - page.words.size() + 1 + i);
  EXPECT_LE(words.bytes(), 10'000u);
  add(words, 1, 21, std::string(50'000, 'x'));
  EXPECT_EQ(numbers(words.read(ExecutionId{1}, 0, 100)), "21 ")
      << "the newest stays, however large";
}

TEST(Words, OfTooManyExecutionsTheOneThatWasSilentLongestGoes) {
  Words words(10'000, 20'000);
  const std::string kilobyte(1000, 'x');
  for (uint64_t i = 1; i <= 6; ++i) {
    add(words, 1, i, kilobyte);
    add(words, 2, i, kilobyte);
  }
  add(words, 1, 7, kilobyte);
  for (uint64_t i = 1; i <= 6; ++i) add(words, 3, i, kilobyte);
  EXPECT_EQ(numbers(words.read(ExecutionId{2}, 0, 100)), "");
  EXPECT_EQ(numbers(words.read(ExecutionId{1}, 0, 100)), "1 2 3 4 5 6 7 ");
  EXPECT_EQ(numbers(words.read(ExecutionId{3}, 0, 100)), "1 2 3 4 5 6 ");
  EXPECT_LE(words.bytes(), 20'000u);
}

TEST(Words, WhoComesBackFromAnEarlierLifeMissesNothingOfThisOne) {
  Words before(1 << 20, 1 << 20), now(1 << 20, 1 << 20);
  before.start(3);
  for (uint64_t i = 1; i <= 1000; ++i) add(before, 1, i);
  now.start(4);
  add(now, 1, 1);
  const uint64_t cursor = before.read(ExecutionId{1}, 0, 1000).cursor;
  EXPECT_EQ(numbers(now.read(ExecutionId{1}, cursor, 100)), "1 ");
}

}  // namespace
}  // namespace pawl
