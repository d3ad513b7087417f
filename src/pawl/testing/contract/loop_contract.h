// The contract suite of port/loop.h; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/port/clock.h"
#include "pawl/port/loop.h"

namespace pawl {

class LoopHarness {
 public:
  virtual ~LoopHarness() = default;
  virtual Loop& loop() = 0;
  virtual Clock& clock() = 0;  // on which deadlines are read
  // The loop goes on, and waits where it has to, until this is so; false: it waits for nothing any more.
  virtual bool until(Callback<bool()> happened) = 0;
  virtual bool any_thread() const { return true; }  // false: its world has only one
};

using LoopHarnessFactory = std::unique_ptr<LoopHarness> (*)();

// Does in its turns what a test says. Fails where turns are nested, or on another thread than the test's.
class TestedActor final : public Actor {
 public:
  explicit TestedActor(Callback<bool()> does = [] { return false; }) : does_(std::move(does)) {}
  bool turn() override {
    EXPECT_EQ(std::this_thread::get_id(), thread_);
    EXPECT_FALSE(in_turn_) << "a turn within a turn";
    in_turn_ = true;
    ++turns;
    const bool more = does_();
    in_turn_ = false;
    return more;
  }
  Instant deadline() const override { return due; }

  int turns = 0;
  Instant due = Instant::never();

 private:
  Callback<bool()> does_;
  const std::thread::id thread_ = std::this_thread::get_id();
  static inline thread_local bool in_turn_ = false;
};

class LoopContract : public testing::TestWithParam<LoopHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  Loop& loop() { return harness_->loop(); }
  Instant now() { return harness_->clock().monotonic(); }
  // With a turn taken, and nothing more to do.
  void add(TestedActor& actor) {
    loop().add(actor);
    ASSERT_TRUE(harness_->until([&] { return actor.turns > 0; }));
  }
  std::unique_ptr<LoopHarness> harness_;
};

TEST_P(LoopContract, WhoIsAddedGetsATurn) {
  TestedActor first, second;
  loop().add(first);
  loop().add(second);
  EXPECT_TRUE(harness_->until([&] { return first.turns > 0 && second.turns > 0; }));
}

TEST_P(LoopContract, AWakeGivesEverybodyATurn) {
  TestedActor first, second;
  add(first);
  add(second);
  for (int i = 0; i < 100; ++i) {
    const int firsts = first.turns;
    const int seconds = second.turns;
    loop().wake();
    ASSERT_TRUE(harness_->until([&] { return first.turns > firsts && second.turns > seconds; }));
  }
}

TEST_P(LoopContract, AWakeDuringATurnGivesAnother) {
  int wakes = 0;
  TestedActor other;
  TestedActor waker([&] {
    if (++wakes < 10) loop().wake();
    return false;
  });
  loop().add(other);
  loop().add(waker);
  EXPECT_TRUE(harness_->until([&] { return wakes == 10 && other.turns >= 10; }));
}

TEST_P(LoopContract, WhoHasMoreToDoGetsTurnsUntilNothingIsLeft) {
  int left = 1000;
  TestedActor busy([&] { return --left > 0; });
  loop().add(busy);
  EXPECT_TRUE(harness_->until([&] { return left == 0; }));
}

TEST_P(LoopContract, WhoHasMoreToDoHoldsUpNobody) {
  bool done = false;
  TestedActor busy([&] { return !done; });
  TestedActor other([&] {
    if (now() >= other.due) other.due = Instant::never();
    return false;
  });
  loop().add(busy);
  add(other);
  other.due =
      now() + Duration::milliseconds(2);  // it is read after a turn, and there is always one
  EXPECT_TRUE(harness_->until([&] { return other.due == Instant::never(); }));
  const int turns = other.turns;
  loop().wake();
  EXPECT_TRUE(harness_->until([&] { return other.turns > turns; }));
  done = true;
  const int ended = busy.turns;
  EXPECT_TRUE(harness_->until([&] { return busy.turns > ended; }));
}

TEST_P(LoopContract, ADeadlineGivesATurnAndNotBeforeIt) {
  std::optional<Duration> wanted;
  std::optional<Instant> turned;
  TestedActor actor([&] {
    if (wanted) {
      actor.due = now() + *wanted;
      wanted.reset();
    } else {
      turned = now();
    }
    return false;
  });
  add(actor);
  for (Duration ahead : {Duration::milliseconds(3), Duration::microseconds(1), Duration{},
                         Duration::milliseconds(-3), Duration::nanoseconds(1'999'999)}) {
    wanted = ahead;
    loop().wake();
    ASSERT_TRUE(harness_->until([&] { return !wanted; }));
    const Instant due = actor.due;
    turned.reset();
    ASSERT_TRUE(harness_->until([&] { return turned.has_value(); }));
    EXPECT_GE(*turned, due);
    actor.due = Instant::never();
  }
}

TEST_P(LoopContract, EveryDeadlineIsKept) {
  std::vector<std::unique_ptr<TestedActor>> actors;
  int kept = 0;
  for (int i = 0; i < 10; ++i) {
    actors.push_back(std::make_unique<TestedActor>([&, i] {
      Instant& due = actors[static_cast<size_t>(i)]->due;
      if (now() < due) return false;
      due = Instant::never();
      ++kept;
      return false;
    }));
    loop().add(*actors.back());
  }
  const Instant begin = now();
  for (int i = 0; i < 10; ++i)
    actors[static_cast<size_t>(i)]->due = begin + Duration::microseconds((i * 7 % 10) * 300);
  EXPECT_TRUE(harness_->until([&] { return kept == 10; }));
}

TEST_P(LoopContract, WhoIsAddedInATurnGetsOneToo) {
  TestedActor added;
  bool first = true;
  TestedActor adder([&] {
    if (std::exchange(first, false)) loop().add(added);
    return false;
  });
  loop().add(adder);
  EXPECT_TRUE(harness_->until([&] { return added.turns > 0; }));
}

// It may be gone by then.
TEST_P(LoopContract, WhoIsRemovedInATurnGetsNoneAnyMoreInTheSameRoundEither) {
  TestedActor before, behind;
  int victims = -1;
  TestedActor remover([&] {
    loop().remove(before);
    loop().remove(behind);
    loop().remove(remover);
    victims = before.turns + behind.turns;
    return true;
  });
  TestedActor last;
  loop().add(before);
  loop().add(remover);
  loop().add(behind);
  loop().add(last);
  ASSERT_TRUE(harness_->until([&] { return remover.turns > 0 && last.turns > 0; }));
  const int turns = last.turns;
  loop().wake();
  ASSERT_TRUE(harness_->until([&] { return last.turns > turns; }));
  EXPECT_EQ(remover.turns, 1);
  EXPECT_EQ(before.turns + behind.turns, victims);
}

TEST_P(LoopContract, NoWakeOfAnotherThreadIsLost) {
  if (!harness_->any_thread()) GTEST_SKIP() << "its world has one thread";
  constexpr int rounds = 20'000;
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  TestedActor actor([&] {
    answered = asked.load();
    return false;
  });
  add(actor);
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      asked = i;
      loop().wake();
      while (answered < i) std::this_thread::yield();
    }
  });
  EXPECT_TRUE(harness_->until([&] { return answered == rounds; }));
  other.join();
}

TEST_P(LoopContract, NoWakeIsLostAmongMany) {
  if (!harness_->any_thread()) GTEST_SKIP() << "its world has one thread";
  constexpr int threads = 3;
  constexpr int each = 5'000;
  std::atomic<int> given{0};
  int taken = 0;
  TestedActor actor([&] {
    taken += given.exchange(0);
    return false;
  });
  add(actor);
  std::vector<std::thread> others;
  for (int t = 0; t < threads; ++t) {
    others.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        ++given;
        loop().wake();
      }
    });
  }
  EXPECT_TRUE(harness_->until([&] { return taken == threads * each; }));
  for (std::thread& thread : others) thread.join();
}

}  // namespace pawl
