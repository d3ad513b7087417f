#include "pawl/engine/history_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/partition/snapshot.h"
#include "pawl/testing/map_view.h"

namespace pawl {
namespace {

using Told = std::vector<std::pair<HistoryPlace, Bytes>>;

Told read(View& view, ExecutionId execution, HistoryPlace after) {
  Told told;
  auto cursor = view.scan(history_begin(execution, after), row_key('h', execution.value + 1));
  for (; cursor->valid(); cursor->next()) {
    Status status = each_event(cursor->value(), [&](HistoryPlace place, ByteView event) -> Status {
      EXPECT_LE(place, last_place(cursor->key()));
      if (place > after) told.emplace_back(place, Bytes(event));
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  return told;
}

void apply(MapView& view, ViewBatch batch) {
  view.submit(std::move(batch));
  view.complete_one();
  ASSERT_TRUE(view.poll().value().ok());
}

TEST(HistoryRows, GoOnBehindAnyPlace) {
  Random dice(7);
  MapView view;
  std::map<uint64_t, Told> expected;
  uint64_t position = 0;
  for (int checkpoint = 0; checkpoint < 6; ++checkpoint) {
    HistoryRows rows;
    ViewBatch batch;
    for (int group = 0; group < 40; ++group) {
      position += dice.between(1, 300);
      for (uint32_t index = 0; index < dice.between(1, 12); ++index) {
        ExecutionId execution{dice.between(1, 5)};
        Bytes event(dice.chance(50) ? dice.between(5'000, 20'000) : dice.below(30),
                    static_cast<char>('a' + dice.below(26)));
        rows.add(batch, execution, {position, index}, event);
        expected[execution.value].emplace_back(HistoryPlace{position, index}, event);
      }
    }
    batch.position = position;
    while (!rows.finish(batch, 2)) {
    }
    apply(view, std::move(batch));
  }
  for (const auto& [execution, told] : expected) {
    EXPECT_EQ(read(view, ExecutionId{execution}, {}), told);
    for (size_t i = 0; i < told.size(); ++i)
      ASSERT_EQ(read(view, ExecutionId{execution}, told[i].first),
                Told(told.begin() + static_cast<ptrdiff_t>(i) + 1, told.end()));
  }
}

TEST(HistoryRows, WhatHappensBetweenTwoCheckpointsIsOneRow) {
  HistoryRows rows;
  ViewBatch batch;
  for (uint32_t i = 0; i < 30; ++i) {
    rows.add(batch, ExecutionId{1}, {5, 2 * i}, "short");
    rows.add(batch, ExecutionId{2}, {5, 2 * i + 1}, "short");
  }
  EXPECT_TRUE(batch.puts.empty());
  EXPECT_FALSE(rows.finish(batch, 1));
  EXPECT_TRUE(rows.finish(batch, 1));
  EXPECT_EQ(batch.puts.size(), 2u);
}

TEST(HistoryRows, ARowHasABound) {
  HistoryRows rows;
  ViewBatch batch;
  for (uint32_t i = 0; i < 100; ++i)
    rows.add(batch, ExecutionId{1}, {5, i}, std::string(1000, 'x'));
  EXPECT_TRUE(rows.finish(batch, 10));
  EXPECT_GE(batch.puts.size(), 6u);
  for (const auto& [key, value] : batch.puts) EXPECT_LE(value.size(), 17u << 10);
}

TEST(HistoryRows, DamageIsFound) {
  HistoryRows rows;
  ViewBatch batch;
  rows.add(batch, ExecutionId{1}, {5, 0}, "an event");
  ASSERT_TRUE(rows.finish(batch, 1));
  Bytes row = batch.puts[0].second;
  auto nothing = [](HistoryPlace, ByteView) -> Status { return {}; };
  EXPECT_TRUE(each_event(row, nothing).ok());
  for (size_t size = 1; size < row.size(); ++size)
    EXPECT_EQ(each_event(ByteView(row).substr(0, size), nothing).error().code, Code::data_loss);
}

}  // namespace
}  // namespace pawl
