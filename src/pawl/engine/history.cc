#include "pawl/engine/history.h"

#include <algorithm>

#include "pawl/partition/snapshot.h"

namespace pawl {
namespace {

// What one answer takes of a history.
class Page {
 public:
  Page(HistoryPlace after, uint32_t limit) : after_(after), limit_(limit) {}

  // The event is a group of its own: with the clocks of the one it came in.
  Status append(HistoryPlace place, ByteView event) {
    if (place <= after_ || history.truncated) return {};
    history.truncated = history.entries.size() >= limit_ || bytes_ >= history_page_bytes_max;
    if (history.truncated) return {};
    bytes_ += event.size();
    PAWL_ASSIGN(Group group, decode_group(place.position, 0, event));
    for (Event& one : group.events)
      history.entries.push_back(
          {place.position, group.now, group.wall, std::move(one), place.index});
    return {};
  }

  History history;

 private:
  const HistoryPlace after_;
  const uint32_t limit_;
  uint64_t bytes_ = 0;
};

// What it says of the execution.
Status read_group(uint64_t position, ByteView encoded, ExecutionId execution, Page& page) {
  GroupScan scan(encoded);
  while (scan.next()) {
    if (scan.execution() == execution)
      PAWL_TRY(page.append({position, scan.index()}, scan.alone()));
  }
  if (scan.ok()) return {};
  return Error{Code::data_loss,
               "group " + std::to_string(position) + " cannot be read back from memory"};
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
  for (uint64_t events = 0; next != groups_.end() && next->position <= batch.position; ++events) {
    if (events >= rows_max || bytes >= bytes_max) return false;
    if (!scan_) scan_.emplace(next->encoded);
    if (!scan_->next()) {
      if (!scan_->ok())
        return Error{Code::data_loss, "group " + std::to_string(next->position) +
                                          " cannot be read back from memory"};
      scan_.reset();
      written_ = next++->position;
    } else if (ExecutionId execution = scan_->execution();
               execution && !without.contains(execution)) {
      bytes +=
          rows_.add(batch, execution, {next->position, scan_->index()}, scan_->alone_in(event_));
    }
  }
  return rows_.finish(batch, rows_max);
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
  rows_.clear();
  stored_ = written_ = 0;
}

History HistoryTail::read(View& view, ExecutionId execution, HistoryPlace after, uint32_t limit,
                          uint64_t durable) const {
  Page page(after, limit);
  History& history = page.history;
  uint64_t seen = 0;
  auto cursor = view.scan(history_begin(execution, after), row_key('h', execution.value + 1));
  for (; cursor->valid() && !history.truncated; cursor->next()) {
    seen = last_place(cursor->key()).position;
    history.status = each_event(cursor->value(), [&](HistoryPlace place, ByteView event) {
      return page.append(place, event);
    });
    if (!history.status.ok()) return std::move(history);
  }
  history.status = cursor->status();
  if (history.truncated || !history.status.ok()) return std::move(history);
  for (const Entry& entry : groups_) {
    if (entry.position <= std::max(seen, stored_) || entry.position < after.position ||
        entry.position > durable)
      continue;
    history.status = read_group(entry.position, entry.encoded, execution, page);
    if (history.truncated || !history.status.ok()) break;
  }
  return std::move(history);
}

std::vector<ExecutionId> HistoryTail::spoken_of(uint64_t position) const {
  std::vector<ExecutionId> found;
  auto entry = std::lower_bound(groups_.begin(), groups_.end(), position,
                                [](const Entry& e, uint64_t at) { return e.position < at; });
  if (entry == groups_.end() || entry->position != position) return found;
  for (GroupScan scan(entry->encoded); scan.next();) {
    if (scan.execution()) found.push_back(scan.execution());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace pawl
