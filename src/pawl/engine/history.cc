#include "pawl/engine/history.h"

#include "pawl/partition/snapshot.h"
#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

// A row: the group's clocks, then the event.
Bytes row_of(const Group& group, const Event& event) {
  Group one{group.position, group.epoch, group.now, group.wall, {event}};
  return encode(one);
}

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

Status HistoryTail::into(ViewBatch& batch) const {
  for (const Entry& entry : groups_) {
    if (entry.position > batch.position) break;
    PAWL_ASSIGN(Group group, decode_group(entry.position, 0, entry.encoded));
    uint32_t index = 0;
    for (const Event& event : group.events) {
      ExecutionId execution = execution_of(event);
      if (execution)
        batch.puts.emplace_back(history_key(execution, group.position, index),
                                row_of(group, event));
      ++index;
    }
  }
  return {};
}

void HistoryTail::drop_until(uint64_t position) {
  while (!groups_.empty() && groups_.front().position <= position) groups_.pop_front();
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
    if (entry.position <= seen || entry.position > durable) continue;
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
