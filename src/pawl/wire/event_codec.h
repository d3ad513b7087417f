// Events and groups as bytes: the content of the log.
//
//   log.append(group.position, encode(group), AppendMode::overlapped);
//   PAWL_ASSIGN(Group group, decode_group(record.position, record.epoch, record.payload));
//
// Group: format byte, duration clock, wall clock, number of events, events. Position and epoch are
// the log's own business. Event: kind (varint), length of the body (varint), body.
//
// An unknown kind stops the reader: what an event does to the state cannot be guessed. Only kinds
// from event_annotation_first on are skipped; they may explain, but never change state. There is no
// checksum here: the log verifies what it hands out.
#pragma once

#include <cstdint>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/model/event.h"

namespace pawl {

constexpr uint8_t group_format = 1;
constexpr uint64_t event_annotation_first = 1 << 20;

// The kind's number in the log, and its name for people: 10, "AttemptsGranted".
uint64_t kind_number(const Event& event);
const char* kind_name(const Event& event);

void encode(const Event& event, ByteWriter& out);
Bytes encode(const Group& group);

// DATA_LOSS: damaged; FAILED_PRECONDITION: written by a newer Pawl. Both name group and event. Safe
// on any bytes; memory stays within a small multiple of theirs.
Result<Group> decode_group(uint64_t position, uint64_t epoch, ByteView bytes);

// What the group says must not be replayed. Costs a look at its first event, unless it is the first
// group of an owner's reign. A damaged group has none.
std::vector<ExecutionQuarantined> quarantines_in(ByteView group);

// Whose log it is: said by the first group of every owner's reign, nothing in the others.
std::optional<Hash128> cluster_in(ByteView group);

// Walks the events of an encoded group without decoding their bodies; `group` must outlive it.
//
//   GroupScan scan(bytes);
//   while (scan.next()) rows.put(key(scan.execution(), scan.index()), scan.alone());
//   if (!scan.ok()) ...                  // damaged, or of a newer format
class GroupScan {
 public:
  explicit GroupScan(ByteView group);
  bool next();  // annotations are passed over, and have no index
  bool ok() const { return in_.ok(); }
  uint32_t index() const { return seen_ - 1; }
  uint64_t kind() const;                 // kind_number() of the event
  ExecutionId execution() const;         // what execution_of() says of the decoded event
  Bytes alone() const;                   // the event as a group of its own, with the same clocks
  ByteView alone_in(Bytes& room) const;  // the same, in `room`

 private:
  ByteView clocks_;  // encoded
  ByteReader in_;
  uint64_t left_ = 0;
  uint32_t seen_ = 0;
  ByteView event_;  // kind, length, body
};

}  // namespace pawl
