#include "pawl/engine/history_rows.h"

#include <limits>
#include <utility>

#include "pawl/partition/snapshot.h"

namespace pawl {
namespace {

// What an execution of one task does takes about this.
constexpr size_t row_bytes_usual = 400;

uint64_t big_endian_in(ByteView key, size_t begin, size_t end) {
  uint64_t number = 0;
  for (size_t i = begin; i < end && i < key.size(); ++i)
    number = number << 8 | static_cast<unsigned char>(key[i]);
  return number;
}

}  // namespace

size_t HistoryRows::add(ViewBatch& batch, ExecutionId execution, HistoryPlace place,
                        ByteView event) {
  auto [open, added] = open_.try_emplace(execution.value);
  Row& row = open->second;
  if (added) {
    Bytes room;
    room.reserve(row_bytes_usual);
    row.events = ByteWriter(std::move(room));
  }
  size_t before = row.events.size();
  row.last = place;
  row.events.varint(place.position);
  row.events.varint(place.index);
  row.events.text(event);
  size_t bytes = row.events.size() - before;
  if (row.events.size() >= row_bytes_full) {
    put(batch, execution, std::move(row));
    open_.erase(execution.value);
  }
  return bytes;
}

bool HistoryRows::finish(ViewBatch& batch, uint64_t rows_max) {
  for (; !open_.empty(); open_.erase(open_.begin())) {
    if (rows_max-- == 0) return false;
    auto& [execution, row] = *open_.begin();
    put(batch, ExecutionId{execution}, std::move(row));
  }
  return true;
}

void HistoryRows::put(ViewBatch& batch, ExecutionId execution, Row row) {
  batch.puts.emplace_back(history_key(execution, row.last.position, row.last.index),
                          row.events.take());
}

Bytes history_begin(ExecutionId execution, HistoryPlace after) {
  if (after.index == std::numeric_limits<uint32_t>::max())
    return history_key(execution, after.position + 1, 0);
  return history_key(execution, after.position, after.index + 1);
}

HistoryPlace last_place(ByteView key) {
  return {big_endian_in(key, 9, 17), static_cast<uint32_t>(big_endian_in(key, 17, 21))};
}

}  // namespace pawl
