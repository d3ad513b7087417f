#include "pawl/worker/engine_session.h"

#include <gtest/gtest.h>

#include "pawl/model/limits.h"
#include "pawl/worker/test_world.h"

namespace pawl {
namespace {

AttemptReport report_of(const Launch& launch, std::vector<Payload> outputs) {
  AttemptReport report;
  report.range = launch.grant.range;
  report.attempt = launch.grant.attempt;
  report.nonce = launch.grant.nonce;
  report.succeeded = true;
  report.outputs = std::move(outputs);
  return report;
}

// What ends together, and what one launch brings, may be more than a connection takes at once.
TEST(EngineSession, ReportsTravelInBodiesThatCarryOnlySoMuch) {
  World world(501);
  const Payload output = Payload::inline_json('"' + std::string(60'000, 'x') + '"');
  world.give({world.grant(0, 500), world.grant(500, 1012, NodeType::function)});
  ASSERT_EQ(world.processes.started.size(), 500u);
  ASSERT_EQ(world.functions.started.size(), 1u);
  for (const Launch& launch : world.processes.started)
    world.news.put(Finished{launch.id, {report_of(launch, {output})}});
  const Launch& long_one = world.functions.started[0];
  AttemptReport all = report_of(long_one, std::vector<Payload>(512, output));
  world.news.put(Finished{long_one.id, {all}, Worked{world.clock.now, world.clock.now}});
  world.settle();
  world.pass(Duration::seconds(2));
  ItemIndex next = 0;
  uint64_t largest = 0;
  for (const Reports& body : world.engine.take<Reports>()) {
    uint64_t bytes = 0;
    for (const AttemptReport& report : body.reports) {
      EXPECT_EQ(report.range.begin, next);
      EXPECT_EQ(report.outputs.size(), report.range.size());
      next = report.range.end;
      bytes += carried_bytes(report);
    }
    const bool first = body.reports[0].range.begin == 0;
    EXPECT_LE(bytes, 2 * (first ? LinkOptions{}.window_bytes_min : body_bytes_full));
    largest = std::max(largest, bytes);
  }
  EXPECT_EQ(next, 1012u);
  EXPECT_GT(largest, 16 * LinkOptions{}.window_bytes_min) << "it is fast";
  EXPECT_EQ(world.worker->held_items(), 0u);
}

TEST(EngineSession, TheEndOfAnEndlessErrorIsCutOff) {
  World world(1);
  world.give({world.grant(0, 1)});
  AttemptReport report = report_of(world.processes.started[0], {});
  report.succeeded = false;
  report.error = std::string(100'000, 'x');
  world.news.put(Finished{world.processes.started[0].id, {report}});
  world.settle();
  auto reports = world.reports();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].error, std::string(Limits{}.error_bytes_max, 'x'));
}

}  // namespace
}  // namespace pawl
