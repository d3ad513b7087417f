// The contract suite of port/view.h. An adapter wraps its view in a harness and gets every test:
//
//   class MyHarness final : public ViewHarness { ... };
//   std::unique_ptr<ViewHarness> make() { return std::make_unique<MyHarness>(); }
//   INSTANTIATE_TEST_SUITE_P(Mine, ViewContract, testing::Values(&make));
//
// The header holds tests: include it in one .cc file of a test binary.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/port/view.h"

namespace pawl {

class ViewHarness {
 public:
  virtual ~ViewHarness() = default;
  virtual View& view() = 0;
  // Lets the batch in flight complete; the next poll() answers.
  virtual void finish() = 0;
  // What a power cut and a new start leave: view() is another object afterwards, or as good as one.
  virtual void power_cut() = 0;
  // Damages the newest checkpoint on the medium, so that it cannot verify; then power_cut().
  virtual void power_cut_with_damage() = 0;
};

using ViewHarnessFactory = std::unique_ptr<ViewHarness> (*)();

class ViewContract : public testing::TestWithParam<ViewHarnessFactory> {
 protected:
  using Model = std::map<Bytes, Bytes>;

  void SetUp() override { harness_ = GetParam()(); }
  View& view() { return harness_->view(); }

  void apply(ViewBatch batch) {
    const uint64_t position = batch.position;
    view().submit(std::move(batch));
    harness_->finish();
    auto answer = view().poll();
    ASSERT_TRUE(answer.has_value());
    ASSERT_TRUE(answer->ok()) << answer->error().message;
    EXPECT_EQ(view().position(), position);
    EXPECT_FALSE(view().poll().has_value()) << "an answer must come once";
  }
  void put(uint64_t position, const Bytes& key, const Bytes& value) {
    ViewBatch batch;
    batch.position = position;
    batch.puts = {{key, value}};
    apply(std::move(batch));
  }
  void seal(uint64_t position) {
    ViewBatch batch;
    batch.position = position;
    batch.seal = true;
    apply(std::move(batch));
  }
  std::string get(const Bytes& key) {
    auto value = view().get(key);
    if (!value.ok()) return "error: " + value.error().message;
    return value->has_value() ? **value : "none";
  }
  Model contents(ByteView from = "", ByteView to = "\xff\xff\xff\xff") {
    Model model;
    auto cursor = view().scan(from, to);
    Bytes last;
    for (; cursor->valid(); cursor->next()) {
      EXPECT_TRUE(model.empty() || last < cursor->key()) << "a scan must ascend";
      last = Bytes(cursor->key());
      model[last] = Bytes(cursor->value());
    }
    EXPECT_TRUE(cursor->status().ok());
    return model;
  }

  std::unique_ptr<ViewHarness> harness_;
};

TEST_P(ViewContract, StartsEmptyAtPositionZero) {
  EXPECT_EQ(view().position(), 0u);
  EXPECT_EQ(view().trim_position(), 0u);
  EXPECT_FALSE(view().poll().has_value());
  EXPECT_EQ(get("a"), "none");
  EXPECT_TRUE(contents().empty());
}

TEST_P(ViewContract, ABatchAppliesWholeWithItsPosition) {
  ViewBatch batch;
  batch.position = 5;
  batch.puts = {{"a", "1"}, {"b", ""}, {"c", "3"}};
  apply(std::move(batch));
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "");
  EXPECT_EQ(contents(), (Model{{"a", "1"}, {"b", ""}, {"c", "3"}}));
}

TEST_P(ViewContract, KeysAndValuesAreAnyBytes) {
  const Bytes key{"\0\xff\n\x80", 4};
  const Bytes empty_key;
  ViewBatch batch;
  batch.position = 1;
  batch.puts = {{key, Bytes("\0x\0", 3)}, {empty_key, "nothing"}, {"\xff\xff\xff", "high"}};
  apply(std::move(batch));
  EXPECT_EQ(get(key), Bytes("\0x\0", 3));
  EXPECT_EQ(get(empty_key), "nothing");
  EXPECT_EQ(contents().size(), 3u);
  EXPECT_EQ(contents("\0", "\xff").size(), 2u);
}

TEST_P(ViewContract, DeletesComeBeforePutsWithinABatch) {
  put(1, "a", "old");
  put(2, "b", "old");
  put(3, "z", "stays");
  ViewBatch batch;
  batch.position = 4;
  batch.puts = {{"a", "new"}, {"c", "new"}};
  batch.deletes = {"c", "absent"};
  batch.delete_ranges = {{"a", "d"}, {"q", "q"}};
  apply(std::move(batch));
  EXPECT_EQ(contents(), (Model{{"a", "new"}, {"c", "new"}, {"z", "stays"}}));
}

TEST_P(ViewContract, RangesExcludeTheirEnd) {
  for (uint64_t i = 0; i < 5; ++i) put(i + 1, Bytes(1, static_cast<char>('a' + i)), "v");
  EXPECT_EQ(contents("b", "d"), (Model{{"b", "v"}, {"c", "v"}}));
  EXPECT_TRUE(contents("d", "b").empty());
  ViewBatch batch;
  batch.position = 6;
  batch.delete_ranges = {{"b", "d"}};
  apply(std::move(batch));
  EXPECT_EQ(contents(), (Model{{"a", "v"}, {"d", "v"}, {"e", "v"}}));
}

TEST_P(ViewContract, ThePowerCutLeavesTheNewestSealedState) {
  put(1, "a", "1");
  put(2, "b", "2");
  seal(2);
  put(3, "a", "changed");
  harness_->power_cut();
  EXPECT_EQ(view().position(), 2u);
  EXPECT_EQ(contents(), (Model{{"a", "1"}, {"b", "2"}}));
  put(3, "a", "changed again");
  EXPECT_EQ(get("a"), "changed again");
}

TEST_P(ViewContract, WithoutASealAPowerCutLeavesNothing) {
  put(4, "a", "1");
  harness_->power_cut();
  EXPECT_EQ(view().position(), 0u);
  EXPECT_TRUE(contents().empty());
}

TEST_P(ViewContract, ABatchMaySealItself) {
  ViewBatch batch;
  batch.position = 9;
  batch.puts = {{"k", "v"}};
  batch.seal = true;
  apply(std::move(batch));
  harness_->power_cut();
  EXPECT_EQ(view().position(), 9u);
  EXPECT_EQ(get("k"), "v");
}

TEST_P(ViewContract, TheLogIsNeededFromTheOlderOfTwoCheckpoints) {
  put(3, "a", "1");
  seal(3);
  EXPECT_EQ(view().trim_position(), 0u);
  seal(3);
  EXPECT_EQ(view().trim_position(), 0u) << "the same checkpoint twice is one";
  put(5, "a", "2");
  seal(5);
  EXPECT_EQ(view().trim_position(), 3u);
  put(8, "a", "3");
  seal(8);
  EXPECT_EQ(view().trim_position(), 5u);
  harness_->power_cut();
  EXPECT_EQ(view().position(), 8u);
  EXPECT_EQ(view().trim_position(), 5u);
}

TEST_P(ViewContract, ADamagedCheckpointFallsBackToTheOlder) {
  put(3, "a", "1");
  seal(3);
  put(5, "b", "2");
  seal(5);
  harness_->power_cut_with_damage();
  EXPECT_EQ(view().position(), 3u);
  EXPECT_EQ(view().trim_position(), 0u);
  EXPECT_EQ(contents(), (Model{{"a", "1"}}));
  // Life goes on over the same positions, and the damaged one is replaced.
  put(5, "b", "2 again");
  seal(5);
  EXPECT_EQ(view().trim_position(), 3u);
  harness_->power_cut();
  EXPECT_EQ(contents(), (Model{{"a", "1"}, {"b", "2 again"}}));
}

TEST_P(ViewContract, WhenTheOnlyCheckpointIsDamagedTheViewIsEmpty) {
  put(3, "a", "1");
  seal(3);
  harness_->power_cut_with_damage();
  EXPECT_EQ(view().position(), 0u);
  EXPECT_TRUE(contents().empty());
  put(3, "a", "1");
  seal(3);
  harness_->power_cut();
  EXPECT_EQ(view().position(), 3u);
}

// A hundred random batches against a plain map, with power cuts between.
TEST_P(ViewContract, RandomBatchesEqualAMap) {
  Random dice{20};
  Model now;
  Model sealed;
  uint64_t sealed_position = 0;
  auto key = [&dice] { return "k" + std::to_string(dice.below(40)); };
  for (uint64_t step = 0; step < 100; ++step) {
    ViewBatch batch;
    batch.position = view().position() + dice.between(1, 3);
    for (uint64_t i = dice.below(3); i > 0; --i) batch.delete_ranges.emplace_back(key(), key());
    for (uint64_t i = dice.below(3); i > 0; --i) batch.deletes.push_back(key());
    for (uint64_t i = dice.below(12); i > 0; --i) {
      batch.puts.emplace_back(key(), std::to_string(dice.next()));
    }
    batch.seal = dice.chance(150);
    for (const auto& [from, to] : batch.delete_ranges) {
      if (from < to) now.erase(now.lower_bound(from), now.lower_bound(to));
    }
    for (const auto& gone : batch.deletes) now.erase(gone);
    for (const auto& [name, value] : batch.puts) now[name] = value;
    if (batch.seal) {
      sealed = now;
      sealed_position = batch.position;
    }
    apply(std::move(batch));
    if (HasFatalFailure()) return;
    if (dice.chance(80)) {
      harness_->power_cut();
      now = sealed;
      ASSERT_EQ(view().position(), sealed_position);
    }
    ASSERT_EQ(contents(), now) << "after step " << step;
  }
}

}  // namespace pawl
