#include <gtest/gtest.h>

#include "pawl/engine/test_process.h"

namespace pawl {
namespace {

// A process that was stopped, or a machine that swaps: what the worker said meanwhile is still on its way.
TEST(Engine, WhoStoodStillItselfAccusesNobody) {
  Machine m;
  Process p(m.disk, m.view, m.blob, m.clock, 0, 1000, Code::ok, 0, Duration::seconds(10));
  p.loop.run_until_idle();
  const auto& sessions = p.engine->partition().state().sessions;
  ASSERT_EQ(sessions.size(), 1u);
  const SessionId session = sessions.begin()->first;
  auto turns = [&] {
    while (p.engine->turn()) {
    }
  };
  m.clock.now = m.clock.now + Duration::seconds(60);
  turns();
  turns();
  EXPECT_TRUE(sessions.contains(session));
  // From here on it listens in time, and hears nothing.
  for (int ms = 0; ms < 12'000; ++ms) {
    EXPECT_TRUE(sessions.contains(session) || ms > 8000) << ms;
    m.clock.now = m.clock.now + Duration::milliseconds(1);
    turns();
  }
  EXPECT_TRUE(sessions.empty());
}

}  // namespace
}  // namespace pawl
