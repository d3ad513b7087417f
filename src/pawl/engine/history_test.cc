#include "pawl/engine/history.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/testing/map_view.h"
#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

// Whatever part of it a checkpoint has taken over, a history reads the same.
TEST(History, ReadsTheSameFromTheTailAndFromTheView) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random dice(seed);
    MapView view;
    HistoryTail tail;
    std::map<uint64_t, std::vector<std::string>> expected;
    auto say = [](const HistoryEntry& entry) {
      return to_text(HistoryPlace{entry.position, entry.index}) + " " +
             std::to_string(entry.now.ns) + " " + std::to_string(entry.wall.ns) + " " +
             std::to_string(kind_number(entry.event));
    };
    auto same = [&](uint64_t position) {
      for (const auto& [execution, told] : expected) {
        uint32_t limit = static_cast<uint32_t>(dice.between(1, 7));
        std::vector<std::string> read;
        HistoryPlace after;
        for (bool more = true; more;) {
          History page = tail.read(view, ExecutionId{execution}, after, limit, position);
          ASSERT_TRUE(page.status.ok()) << page.status.error().message;
          for (const HistoryEntry& entry : page.entries) {
            read.push_back(say(entry));
            after = {entry.position, entry.index};
          }
          more = page.truncated;
        }
        ASSERT_EQ(read, told) << "seed " << seed << ", e" << execution;
      }
    };
    uint64_t position = 0;
    for (int round = 0; round < 60; ++round) {
      position += 1;
      Group group;
      group.position = position;
      group.now = Instant{static_cast<int64_t>(position) * 1000};
      group.wall = WallTime{static_cast<int64_t>(dice.below(1'000'000))};
      for (uint64_t n = dice.between(1, 5); n > 0; --n) {
        ExecutionId execution{dice.between(1, 4)};
        if (dice.chance(500))
          group.events.push_back(NodeActivated{execution, 0, 1, {}});
        else
          group.events.push_back(ExecutionParked{execution});
        HistoryEntry entry{position, group.now, group.wall, group.events.back(),
                           static_cast<uint32_t>(group.events.size() - 1)};
        expected[execution.value].push_back(say(entry));
      }
      tail.add(position, encode(group));
      same(position);
      if (!dice.chance(200)) continue;
      ViewBatch batch;
      batch.position = position;
      while (!tail.into(batch, {}, dice.between(1, 4), 1000).value()) {
      }
      view.submit(std::move(batch));
      view.complete_one();
      same(position);
      ASSERT_TRUE(view.poll().value().ok());
      tail.stored_until(position);
      same(position);
      while (tail.drop_stored(2)) {
      }
      same(position);
    }
  }
}

// A range of items brings all its outputs in one event: whoever asks for many of those gets them page by page.
TEST(History, APageCarriesOnlySoMuch) {
  MapView view;
  HistoryTail tail;
  const Payload output = Payload::inline_json('"' + std::string(60'000, 'x') + '"');
  constexpr uint64_t events = 60;
  for (uint64_t position = 1; position <= events; ++position) {
    Group group;
    group.position = position;
    group.events.push_back(
        AttemptsSucceeded{{ExecutionId{1}, 0, 0, 20}, 1, std::vector<Payload>(20, output)});
    tail.add(position, encode(group));
    if (position != events / 2) continue;
    ViewBatch batch;
    batch.position = position;
    ASSERT_TRUE(tail.into(batch, {}, 1000, UINT64_MAX).value());
    view.submit(std::move(batch));
    view.complete_one();
    ASSERT_TRUE(view.poll().value().ok());
    tail.stored_until(position);
  }
  HistoryPlace after;
  uint64_t read = 0;
  for (bool more = true; more;) {
    History page = tail.read(view, ExecutionId{1}, after, 10'000, events);
    ASSERT_TRUE(page.status.ok());
    ASSERT_FALSE(page.entries.empty());
    EXPECT_LE(page.entries.size(), 1 + history_page_bytes_max / (20 * output.size()));
    for (const HistoryEntry& entry : page.entries) EXPECT_EQ(entry.position, ++read);
    after = page.entries.back().place();
    more = page.truncated;
  }
  EXPECT_EQ(read, events);
}

}  // namespace
}  // namespace pawl
