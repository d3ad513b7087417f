// The bytes of the log. Everything is little-endian and lies on 4 KiB blocks.
//
// A segment file is a row of records, each a 128-byte header, its payload, and zeros up to the next
// block. Block 0 holds the segment's own record, which links it to the segment before:
//
//   offset 0      [segment  record=17 previous=4, previous_end=61440]
//   offset 4096   [group    record=17 position=12 payload...]
//   offset 8192   [mark     record=18 position=12]            what has been acknowledged, chain value
//
// Records are numbered 1, 2, 3 ... without holes through the whole log, whatever their type; only
// groups have positions, a record of another type carries the position before it. A header says
// where it lies (log, partition, segment, offset), so a misdirected, recycled or copied block is
// never taken for a record. `synced_upto` is the highest record that was known to be durable when
// this one was written: the difference between a torn tail and a damaged middle.
//
// Compatibility: magic, format and the place of both checksums never change, so that an older
// program can tell "newer" from "damaged". Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/hash.h"
#include "pawl/base/result.h"

namespace pawl::wal {

constexpr uint16_t format_version = 1;
constexpr uint64_t block_bytes = 4096;
constexpr uint64_t header_bytes = 128;
constexpr uint64_t payload_bytes_max = 1ULL << 30;
constexpr int superblock_copies = 4;
constexpr uint64_t superblock_bytes = superblock_copies * block_bytes;

enum class RecordType : uint8_t { segment = 1, group = 2, epoch = 3, mark = 4 };

struct LogIdentity {
  Hash128 log;
  uint64_t partition = 0;

  friend bool operator==(const LogIdentity&, const LogIdentity&) = default;
};

// The chain's value after the group at `position` (see chain.h).
struct ChainPoint {
  uint64_t position = 0;
  Hash128 value;

  friend bool operator==(const ChainPoint&, const ChainPoint&) = default;
};

struct RecordHeader {
  RecordType type = RecordType::group;
  uint64_t epoch = 0;
  uint64_t record = 0;  // of a segment record: the number of the first record in the segment
  uint64_t position = 0;
  uint64_t segment = 0;
  uint64_t offset = 0;  // in the segment file
  uint64_t synced_upto = 0;
  ChainPoint chain;     // the newest value known when this was written
  uint32_t length = 0;  // of the payload
  uint32_t payload_crc = 0;
};

// Payload of a segment record.
struct SegmentLink {
  uint64_t previous = 0;      // number of the segment before; 0: none
  uint64_t previous_end = 0;  // where its records end; what lies behind is void
  uint64_t size = 0;          // of this file
};

// Blocks that a record with this payload covers, in bytes.
constexpr uint64_t record_span(uint64_t payload) {
  return (header_bytes + payload + block_bytes - 1) / block_bytes * block_bytes;
}

bool all_zero(ByteView bytes);

void encode_header(const LogIdentity& identity, const RecordHeader& header, char* into);

enum class HeaderState : uint8_t {
  valid,
  absent,  // no header, a damaged one, or one that belongs elsewhere
  newer,   // intact, but of a format this program does not know
};

struct DecodedHeader {
  HeaderState state = HeaderState::absent;
  uint16_t format = 0;
  RecordHeader header;
};

// The header at (segment, offset), from at least header_bytes bytes; fewer are `absent`.
DecodedHeader decode_header(ByteView bytes, const LogIdentity& identity, uint64_t segment,
                            uint64_t offset);

Bytes encode_link(const SegmentLink& link);
std::optional<SegmentLink> decode_link(ByteView payload);

enum class Closing : uint8_t { open = 0, clean = 1 };

// What is known about the log as a whole; four equal copies in the file `superblock`.
struct Superblock {
  LogIdentity identity;
  uint64_t sequence = 0;        // of this superblock: 1, 2, 3 ...
  Hash128 previous;             // hash of the superblock before
  uint64_t first_segment = 1;   // lower ones have been trimmed
  uint64_t active_segment = 0;  // at least this one must exist; 0: none yet
  uint64_t synced_upto = 0;     // record
  Closing closing = Closing::open;
  std::string writer;  // program and version, at most 32 bytes

  friend bool operator==(const Superblock&, const Superblock&) = default;
};

Bytes encode_superblock(const Superblock& superblock);  // one block

// What the four copies say: the newest superblock on which two agree. No two that do: DATA_LOSS. A
// newer format: FAILED_PRECONDITION that names the program that wrote it.
struct SuperblockQuorum {
  Superblock superblock;
  std::vector<int> differing;  // copies to be repaired before the next update
};
Result<SuperblockQuorum> decode_superblocks(ByteView bytes);

}  // namespace pawl::wal
