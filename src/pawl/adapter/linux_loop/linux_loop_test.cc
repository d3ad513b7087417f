#include "pawl/adapter/linux_loop/linux_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/port/mailbox.h"

namespace pawl {
namespace {

struct Fixture : testing::Test {
  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
};
using LinuxLoopTest = Fixture;

class CountingActor final : public Actor {
 public:
  bool turn() override {
    turns++;
    due = Instant::never();
    return more-- > 0;
  }
  Instant deadline() const override { return due; }
  int turns = 0;
  int more = 0;
  Instant due = Instant::never();
};

TEST_F(LinuxLoopTest, AnActorRunsOnceWhenAddedAndThenOnlyWhenWoken) {
  CountingActor actor;
  loop->add(actor);
  loop->run_once({});
  EXPECT_EQ(actor.turns, 1);
  loop->run_once({});
  EXPECT_EQ(actor.turns, 1);
  loop->wake();
  loop->wake();
  loop->run_once(Duration::forever());
  EXPECT_EQ(actor.turns, 2);
  loop->run_once({});
  EXPECT_EQ(actor.turns, 2);
}

TEST_F(LinuxLoopTest, ABusyActorDoesNotStarveOthers) {
  CountingActor busy;
  CountingActor woken;
  busy.more = 1'000'000;
  loop->add(busy);
  loop->add(woken);
  loop->run_once({});
  for (int i = 0; i < 5; i++) {
    loop->wake();
    loop->run_once(Duration::forever());
  }
  EXPECT_EQ(busy.turns, 6);
  EXPECT_EQ(woken.turns, 6);
}

TEST_F(LinuxLoopTest, ADeadlineEndsTheSleepAndGivesATurn) {
  CountingActor actor;
  loop->add(actor);
  loop->run_once({});
  actor.due = clock.monotonic() + Duration::milliseconds(3);
  Instant due = actor.due;
  loop->run_once(Duration::forever());
  EXPECT_EQ(actor.turns, 2);
  EXPECT_GE(clock.monotonic(), due);
}

TEST_F(LinuxLoopTest, AWakeFromAnotherThreadEndsTheSleep) {
  CountingActor actor;
  loop->add(actor);
  loop->run_once({});
  std::thread other([&] { loop->wake(); });
  loop->run_once(Duration::forever());
  EXPECT_EQ(actor.turns, 2);
  other.join();
}

class RemovingActor final : public Actor {
 public:
  RemovingActor(LinuxLoop& loop, Actor& victim) : loop_(loop), victim_(victim) {}
  bool turn() override {
    loop_.remove(victim_);
    loop_.remove(*this);
    return true;
  }
  Instant deadline() const override { return Instant::never(); }

 private:
  LinuxLoop& loop_;
  Actor& victim_;
};

TEST_F(LinuxLoopTest, ActorsMayRemoveThemselvesAndOthersDuringATurn) {
  CountingActor victim;
  RemovingActor remover(*loop, victim);
  loop->add(remover);
  loop->add(victim);
  for (int i = 0; i < 3; i++) {
    loop->wake();
    loop->run_once({});
  }
  EXPECT_EQ(victim.turns, 0);
}

class PipeEnd final : public FdWatcher {
 public:
  explicit PipeEnd(LinuxLoop& loop) : loop_(loop) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    in = ends[0];
    out = ends[1];
  }
  ~PipeEnd() override {
    close(in);
    close(out);
  }
  void ready(uint32_t events) override {
    calls++;
    seen = events;
    if (unwatch_other != nullptr) loop_.unwatch(unwatch_other->in);
  }
  int in = -1;
  int out = -1;
  int calls = 0;
  uint32_t seen = 0;
  PipeEnd* unwatch_other = nullptr;

 private:
  LinuxLoop& loop_;
};

TEST_F(LinuxLoopTest, ReadyDescriptorsAreToldUntilUnwatched) {
  PipeEnd end(*loop);
  ASSERT_TRUE(loop->watch(end.in, EPOLLIN, end).ok());
  loop->run_once({});
  EXPECT_EQ(end.calls, 0);
  ASSERT_EQ(write(end.out, "x", 1), 1);
  loop->run_once(Duration::forever());
  loop->run_once(Duration::forever());
  EXPECT_EQ(end.calls, 2);
  EXPECT_EQ(end.seen, static_cast<uint32_t>(EPOLLIN));
  loop->unwatch(end.in);
  loop->run_once({});
  EXPECT_EQ(end.calls, 2);
}

TEST_F(LinuxLoopTest, NothingComesAfterUnwatchEvenInTheSameRound) {
  PipeEnd a(*loop);
  PipeEnd b(*loop);
  a.unwatch_other = &b;
  b.unwatch_other = &a;
  for (PipeEnd* end : {&a, &b}) {
    ASSERT_TRUE(loop->watch(end->in, EPOLLIN, *end).ok());
    ASSERT_EQ(write(end->out, "x", 1), 1);
  }
  loop->run_once(Duration::forever());
  EXPECT_EQ(a.calls + b.calls, 1);
}

class Stopper final : public SignalWatcher {
 public:
  explicit Stopper(LinuxLoop& loop) : loop_(loop) {}
  void signalled(int signal) override {
    seen.push_back(signal);
    if (signal == SIGTERM) loop_.stop();
  }
  std::vector<int> seen;

 private:
  LinuxLoop& loop_;
};

TEST_F(LinuxLoopTest, SignalsArriveAsCallsAndRunEndsAfterStop) {
  Stopper stopper(*loop);
  ASSERT_TRUE(loop->watch_signals(stopper).ok());
  pthread_kill(pthread_self(), SIGWINCH);
  loop->run_once(Duration::forever());
  pthread_kill(pthread_self(), SIGTERM);
  loop->run();
  EXPECT_EQ(stopper.seen, (std::vector<int>{SIGWINCH, SIGTERM}));
}

class Collector final : public Actor {
 public:
  explicit Collector(Loop& loop) : inbox(loop) {}
  bool turn() override {
    inbox.take_all(batch_);
    for (int value : batch_) sum += value;
    count += batch_.size();
    return false;
  }
  Instant deadline() const override { return Instant::never(); }
  Mailbox<int> inbox;
  int64_t sum = 0;
  size_t count = 0;

 private:
  std::vector<int> batch_;
};

TEST_F(LinuxLoopTest, AMailboxLosesNothingFromManyThreads) {
  constexpr int threads = 3;
  constexpr int each = 20'000;
  Collector collector(*loop);
  loop->add(collector);
  std::vector<std::thread> producers;
  for (int t = 0; t < threads; t++) {
    producers.emplace_back([&] {
      for (int i = 1; i <= each; i++) collector.inbox.put(i);
    });
  }
  while (collector.count < threads * each) loop->run_once(Duration::forever());
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(collector.sum, int64_t{threads} * each * (each + 1) / 2);
  EXPECT_TRUE(collector.inbox.empty());
}

TEST(LinuxClockTest, MonotonicNeverRunsBackwardsAndWallIsAfter2020) {
  LinuxClock clock;
  Instant a = clock.monotonic();
  Instant b = clock.monotonic();
  EXPECT_LE(a, b);
  EXPECT_GT(clock.wall().ns, 1'577'836'800'000'000'000);
}

}  // namespace
}  // namespace pawl
