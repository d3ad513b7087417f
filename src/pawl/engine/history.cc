#include "pawl/engine/history.h"

#include <algorithm>

#include "pawl/partition/snapshot.h"

namespace pawl {
namespace {

// A row is the event as a group of its own: with the clocks of the one it came in.
Status append_row(History& history, uint64_t position, ByteView row) {
  PAWL_ASSIGN(Group group, decode_group(position, 0, row));
  for (Event& event : group.events)
    history.entries.push_back({position, group.now, group.wall, std::move(event)});
  return {};
}

uint64_t position_of(ByteView key) {
  uint64_t position = 0;
  for (size_t i = 9; i < 17 && i < key.size(); ++i)
    position = position << 8 | static_cast<unsigned char>(key[i]);
  return position;
}

}  // namespace

void HistoryTail::add(uint64_t position, Bytes encoded) {
  groups_.push_back({position, std::move(encoded)});
}

Result<bool> HistoryTail::into(ViewBatch& batch, const std::set<ExecutionId>& without,
                               uint64_t rows_max, uint64_t bytes_max) {
  auto next = std::upper_bound(groups_.begin(), groups_.end(), std::max(written_, stored_),
                               [](uint64_t at, const Entry& entry) { return at < entry.position; });
  uint64_t bytes = 0;
  for (uint64_t rows = 0; next != groups_.end() && next->position <= batch.position; ++rows) {
    if (rows >= rows_max || bytes >= bytes_max) return false;
    if (!scan_) scan_.emplace(next->encoded);
    if (!scan_->next()) {
      if (!scan_->ok())
        return Error{Code::data_loss, "group " + std::to_string(next->position) +
                                          " cannot be read back from memory"};
      scan_.reset();
      written_ = next++->position;
    } else if (ExecutionId execution = scan_->execution();
               execution && !without.contains(execution)) {
      batch.puts.emplace_back(history_key(execution, next->position, scan_->index()),
                              scan_->alone());
      bytes += batch.puts.back().second.size();
    }
  }
  return true;
}

bool HistoryTail::drop_stored(uint64_t rows_max) {
  for (; !groups_.empty() && groups_.front().position <= stored_; groups_.pop_front()) {
    if (rows_max-- == 0) return true;
  }
  return false;
}

void HistoryTail::clear() {
  groups_.clear();
  scan_.reset();
  stored_ = written_ = 0;
}

History HistoryTail::read(View& view, ExecutionId execution, uint32_t limit,
                          uint64_t durable) const {
  History history;
  uint64_t seen = 0;
  auto cursor = view.scan(row_key('h', execution.value), row_key('h', execution.value + 1));
  for (; cursor->valid() && history.entries.size() < limit; cursor->next()) {
    seen = position_of(cursor->key());
    history.status = append_row(history, seen, cursor->value());
    if (!history.status.ok()) return history;
  }
  history.status = cursor->status();
  history.truncated = cursor->valid();
  for (const Entry& entry : groups_) {
    if (entry.position <= std::max(seen, stored_) || entry.position > durable) continue;
    auto group = decode_group(entry.position, 0, entry.encoded);
    if (!group.ok()) {
      history.status = group.error();
      return history;
    }
    for (Event& event : group->events) {
      if (execution_of(event) != execution) continue;
      if (history.entries.size() >= limit) {
        history.truncated = true;
        return history;
      }
      history.entries.push_back({entry.position, group->now, group->wall, std::move(event)});
    }
  }
  return history;
}

}  // namespace pawl
