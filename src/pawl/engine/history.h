// The history of executions: the log's own events, by execution.
//
// What is older than the newest checkpoint stands in the view as rows (history_rows.h), written by the
// checkpoint itself; the rest is kept here, encoded, until then. The two together are complete and never
// overlap.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/engine/history_rows.h"
#include "pawl/partition/request.h"
#include "pawl/port/view.h"
#include "pawl/wire/event_codec.h"

namespace pawl {

// Of events in one answer, as they are encoded; a larger one comes alone.
constexpr uint64_t history_page_bytes_max = 16 << 20;

// Writing and dropping go in slices: no call touches more than `rows_max` events or groups, or goes
// on beyond `bytes_max`, however much has come together.
class HistoryTail {
 public:
  // A group as it was handed to the log.
  void add(uint64_t position, Bytes encoded);
  // Puts more of the groups up to batch.position into the batch, from where the last call for this batch
  // ended; none of the executions `without`, whose rows it removes. True: all is there.
  Result<bool> into(ViewBatch& batch, const std::set<ExecutionId>& without, uint64_t rows_max,
                    uint64_t bytes_max);
  // The checkpoint at `position` has been applied: what it holds may go.
  void stored_until(uint64_t position) { stored_ = position; }
  // True: there is more to drop.
  bool drop_stored(uint64_t rows_max);
  void clear();
  bool empty() const { return groups_.empty(); }
  // Calls take(position, encoded group) in order, until one answers with an error.
  template <class Take>
  Status each(Take take) const {
    for (const Entry& entry : groups_) PAWL_TRY(take(entry.position, ByteView(entry.encoded)));
    return {};
  }

  // What comes behind `after`: at most `limit` events, and history_page_bytes_max.
  History read(View& view, ExecutionId execution, HistoryPlace after, uint32_t limit,
               uint64_t durable) const;
  // The executions that the group at `position` speaks of, which has been added.
  std::vector<ExecutionId> spoken_of(uint64_t position) const;

 private:
  struct Entry {
    uint64_t position;
    Bytes encoded;
  };
  std::deque<Entry> groups_;
  uint64_t stored_ = 0;            // positions up to here stand in the view
  uint64_t written_ = 0;           // ... up to here in the batch being written
  std::optional<GroupScan> scan_;  // of the group after `written_`, part of which is
  HistoryRows rows_;               // of the batch being written
  Bytes event_;                    // room for one
};

}  // namespace pawl
