// What port/log.h promises of one partition's log, as tests that every log runs.
//
//   struct WalOnSim {                                  // one new, empty log per test
//     Log& log();
//     void reopen();                                   // an orderly end and a new life
//     void settle();                                   // lets a started write land
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(WalOnSim, LogContract, WalOnSim);
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pawl/port/log.h"

namespace pawl {

template <class Fixture>
class LogContract : public ::testing::Test {
 protected:
  Log& log() { return fixture_.log(); }

  AppendDone append(uint64_t position, Bytes group, AppendMode mode = AppendMode::blocking) {
    log().append(position, std::move(group), mode);
    for (int i = 0; i < 3; ++i) {
      if (auto done = log().poll()) return *done;
      fixture_.settle();
    }
    return {position, AppendOutcome::unknown, "no answer after settling"};
  }
  void fill(uint64_t upto) {
    for (uint64_t p = log().tail() + 1; p <= upto; ++p)
      ASSERT_EQ(append(p, "group " + std::to_string(p)).outcome, AppendOutcome::ok);
  }
  std::vector<std::string> contents(uint64_t from) {
    std::vector<std::string> found;
    auto reader = log().read(from);
    EXPECT_TRUE(reader.ok());
    if (!reader.ok()) return found;
    while (true) {
      auto group = (*reader)->next();
      EXPECT_TRUE(group.ok()) << (group.ok() ? "" : group.error().message);
      if (!group.ok() || !*group) return found;
      found.push_back(std::to_string((*group)->position) + ":" + (*group)->payload);
    }
  }
  Fixture fixture_;
};

TYPED_TEST_SUITE_P(LogContract);

TYPED_TEST_P(LogContract, a_new_log_is_empty) {
  EXPECT_EQ(this->log().tail(), 0u);
  EXPECT_EQ(this->log().first(), 1u);
  EXPECT_TRUE(this->contents(1).empty());
}

TYPED_TEST_P(LogContract, nothing_can_be_appended_before_taking_over) {
  EXPECT_EQ(this->append(1, "x").outcome, AppendOutcome::conflict);
  EXPECT_EQ(this->log().tail(), 0u);
}

TYPED_TEST_P(LogContract, groups_come_back_in_order_and_whole) {
  ASSERT_TRUE(this->log().take_over().ok());
  std::vector<std::string> expected;
  for (uint64_t p = 1; p <= 40; ++p) {
    std::string group(p * 331 % 9000, static_cast<char>('a' + p % 26));
    AppendMode mode = p % 2 == 0 ? AppendMode::overlapped : AppendMode::blocking;
    ASSERT_EQ(this->append(p, group, mode).outcome, AppendOutcome::ok);
    EXPECT_EQ(this->log().tail(), p);
    expected.push_back(std::to_string(p) + ":" + group);
  }
  EXPECT_EQ(this->contents(1), expected);
  this->fixture_.reopen();
  EXPECT_EQ(this->log().tail(), 40u);
  EXPECT_EQ(this->contents(1), expected);
  EXPECT_EQ(this->contents(39), (std::vector<std::string>{expected[38], expected[39]}));
  EXPECT_TRUE(this->contents(41).empty());
}

TYPED_TEST_P(LogContract, another_position_is_a_conflict_and_changes_nothing) {
  ASSERT_TRUE(this->log().take_over().ok());
  this->fill(3);
  for (uint64_t wrong : {0, 1, 3, 5})
    EXPECT_EQ(this->append(wrong, "wrong").outcome, AppendOutcome::conflict);
  EXPECT_EQ(this->log().tail(), 3u);
  this->fill(4);
  EXPECT_EQ(this->contents(1).size(), 4u);
}

TYPED_TEST_P(LogContract, every_owner_has_a_higher_epoch_and_takes_no_position) {
  uint64_t epoch = this->log().take_over().value();
  this->fill(2);
  uint64_t again = this->log().take_over().value();
  EXPECT_GT(again, epoch);
  this->fill(4);
  this->fixture_.reopen();
  EXPECT_EQ(this->append(5, "x").outcome, AppendOutcome::conflict);
  EXPECT_GT(this->log().take_over().value(), again);
  this->fill(5);
  auto reader = this->log().read(1).value();
  EXPECT_EQ(reader->next().value()->epoch, epoch);
  for (uint64_t p = 2; p < 5; ++p) ASSERT_TRUE(reader->next().ok());
  EXPECT_GT(reader->next().value()->epoch, again);
}

TYPED_TEST_P(LogContract, empty_groups_count) {
  ASSERT_TRUE(this->log().take_over().ok());
  ASSERT_EQ(this->append(1, "").outcome, AppendOutcome::ok);
  EXPECT_EQ(this->contents(1), (std::vector<std::string>{"1:"}));
}

TYPED_TEST_P(LogContract, an_answer_comes_once) {
  ASSERT_TRUE(this->log().take_over().ok());
  EXPECT_FALSE(this->log().poll().has_value());
  ASSERT_EQ(this->append(1, "x").outcome, AppendOutcome::ok);
  EXPECT_FALSE(this->log().poll().has_value());
}

TYPED_TEST_P(LogContract, trimming_keeps_what_is_asked_for_and_says_what_is_left) {
  ASSERT_TRUE(this->log().take_over().ok());
  std::string group(3000, 'x');
  for (uint64_t p = 1; p <= 200; ++p) ASSERT_EQ(this->append(p, group).outcome, AppendOutcome::ok);
  ASSERT_TRUE(this->log().trim(150).ok());
  uint64_t first = this->log().first();
  EXPECT_LE(first, 150u);
  EXPECT_EQ(this->contents(first).size(), 200 - first + 1);
  EXPECT_TRUE(first == 1 || !this->log().read(first - 1).ok());
  this->fixture_.reopen();
  EXPECT_EQ(this->log().first(), first);
  EXPECT_EQ(this->log().tail(), 200u);
  EXPECT_EQ(this->contents(first).size(), 200 - first + 1);
}

TYPED_TEST_P(LogContract, idling_changes_nothing_visible) {
  ASSERT_TRUE(this->log().take_over().ok());
  this->fill(2);
  this->log().idle();
  EXPECT_EQ(this->log().tail(), 2u);
  this->fill(3);
  EXPECT_EQ(this->contents(1).size(), 3u);
  EXPECT_GT(this->log().bytes(), 0u);
}

REGISTER_TYPED_TEST_SUITE_P(
    LogContract, a_new_log_is_empty, nothing_can_be_appended_before_taking_over,
    groups_come_back_in_order_and_whole, another_position_is_a_conflict_and_changes_nothing,
    every_owner_has_a_higher_epoch_and_takes_no_position, empty_groups_count, an_answer_comes_once,
    trimming_keeps_what_is_asked_for_and_says_what_is_left, idling_changes_nothing_visible);

}  // namespace pawl
