#include <gtest/gtest.h>

#include "pawl/engine/test_process.h"

namespace pawl {
namespace {

// A process with a worker of its own, whose lease is 10 s.
struct Lateness : testing::Test {
  Lateness() { p.loop.run_until_idle(); }
  void SetUp() override {
    ASSERT_EQ(sessions.size(), 1u);
    session = sessions.begin()->first;
  }
  void pass(int ms) {
    m.clock.now = m.clock.now + Duration::milliseconds(ms);
    while (p.engine->turn()) {
    }
  }

  Machine m;
  Process p{m.disk, m.view, m.blob, m.clock, 0, 1000, Code::ok, 0, Duration::seconds(10)};
  const decltype(State::sessions)& sessions = p.engine->partition().state().sessions;
  SessionId session;
};

// A process that was stopped, or a machine that swaps: what the worker said meanwhile is still on its way.
TEST_F(Lateness, WhoStoodStillItselfAccusesNobody) {
  pass(60'000);
  pass(0);
  EXPECT_TRUE(sessions.contains(session));
  // From here on it listens in time, and hears nothing.
  for (int ms = 0; ms < 12'000; ++ms) {
    EXPECT_TRUE(sessions.contains(session) || ms > 8000) << ms;
    pass(1);
  }
  EXPECT_TRUE(sessions.empty());
}

// It had planned nothing but to see whether the lease is over: it listens for a heartbeat's time, a third.
TEST_F(Lateness, WhoStoodStillFromAHeartbeatOnListensBeforeItAccuses) {
  for (int ms = 0; ms < 1000; ++ms) {
    m.clock.now = m.clock.now + Duration::milliseconds(1);
    p.loop.run_until_idle();  // the worker's too: the link has nothing more to say
  }
  for (int ms = 0; ms < 7000; ++ms) pass(1);  // the worker is suspect
  ASSERT_TRUE(sessions.contains(session));
  pass(60'000);
  for (int ms = 0; ms < 3333; ++ms) {
    EXPECT_TRUE(sessions.contains(session)) << ms;
    pass(1);
  }
  for (int ms = 0; ms < 2; ++ms) pass(1);
  EXPECT_TRUE(sessions.empty());
}

}  // namespace
}  // namespace pawl
