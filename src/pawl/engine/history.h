// The history of executions: the log's own events, by execution.
//
// What is older than the newest checkpoint stands in the view as rows (snapshot.h, kind h), written
// by the checkpoint itself; the rest is kept here, encoded, until then. The two together are
// complete and never overlap.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/event.h"
#include "pawl/port/view.h"

namespace pawl {

struct HistoryEntry {
  uint64_t position = 0;
  Instant now;  // duration clock of its group
  WallTime wall;
  Event event;
};

struct History {
  Status status;  // why it is incomplete
  std::vector<HistoryEntry> entries;
  bool truncated = false;  // `limit` was reached
};

class HistoryTail {
 public:
  // A group as it was handed to the log.
  void add(uint64_t position, Bytes encoded);
  // Puts the rows of all groups up to batch.position into the batch.
  Status into(ViewBatch& batch) const;
  // The checkpoint at `position` has been applied: drops what it holds.
  void drop_until(uint64_t position);
  void clear() { groups_.clear(); }

  History read(View& view, ExecutionId execution, uint32_t limit, uint64_t durable) const;

 private:
  struct Entry {
    uint64_t position;
    Bytes encoded;
  };
  std::deque<Entry> groups_;
};

}  // namespace pawl
