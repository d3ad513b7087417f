// The view's rows of kind h: what happened to an execution between two checkpoints, in the order of the log.
//
//   HistoryRows rows;
//   rows.add(batch, execution, {position, index}, scan.alone());   // by and by; a row that is full goes out
//   while (!rows.finish(batch, 1000)) ...                          // the others, so many at a time
//
//   each_event(cursor->value(), [&](HistoryPlace place, ByteView group) { ... });
//
// A row's key ends with the place of its last event, so that the first row behind a place is the one that goes on
// there. Few rows for many events: what an execution leaves in the view costs by rows. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/partition/request.h"
#include "pawl/port/view.h"

namespace pawl {

class HistoryRows {
 public:
  static constexpr size_t row_bytes_full = 16 << 10;  // an event more, and it goes out

  // `event`: a group of its own, with the clocks of the one it came in. Gives the bytes it takes.
  size_t add(ViewBatch& batch, ExecutionId execution, HistoryPlace place, ByteView event);
  // True: all are in the batch.
  bool finish(ViewBatch& batch, uint64_t rows_max);
  void clear() { open_.clear(); }

 private:
  struct Row {
    HistoryPlace last;
    ByteWriter events;
  };
  static void put(ViewBatch& batch, ExecutionId execution, Row row);

  std::unordered_map<uint64_t, Row> open_;  // by execution
};

// The first key of a row that has anything behind `after`.
Bytes history_begin(ExecutionId execution, HistoryPlace after);
HistoryPlace last_place(ByteView key);

// Calls take(place, group) for each event of a row, in order, until one answers with an error. DATA_LOSS: it is
// damaged.
template <class Take>
Status each_event(ByteView row, Take take) {
  ByteReader in(row);
  while (in.ok() && !in.at_end()) {
    HistoryPlace place;
    place.position = in.varint();
    place.index = static_cast<uint32_t>(in.varint());
    ByteView event = in.text();
    if (in.ok()) PAWL_TRY(take(place, event));
  }
  if (!in.ok()) return Error{Code::data_loss, "a row of history cannot be read"};
  return {};
}

}  // namespace pawl
