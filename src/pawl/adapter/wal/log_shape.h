// What lies on the disk, read and judged but not changed: the first half of recovery, and the
// foundation of offline verification.
//
// The rule of the tail: the active segment is read up to the first thing that is not the next
// record. If any intact record, there or behind, or the superblock, says that the missing record
// had been durable (`synced_upto`), acknowledged data is damaged: DATA_LOSS, naming file and
// offset. Otherwise it is the torn end of an unacknowledged write.
#pragma once

#include <string>
#include <vector>

#include "pawl/adapter/wal/record_cursor.h"
#include "pawl/adapter/wal/superblock_file.h"

namespace pawl::wal {

struct Segment {
  uint64_t number = 0;
  uint64_t size = 0;
  uint64_t previous = 0;
  uint64_t previous_end = 0;
  uint64_t first_record = 0;
  uint64_t position_before = 0;  // of the last group before this segment
  uint64_t synced_upto = 0;      // when the segment was begun
  uint64_t epoch = 0;
  ChainPoint chain;  // after position_before, exactly
  uint64_t end = 0;  // of its records
};

// Where a record of the active segment lies.
struct PlacedRecord {
  uint64_t offset = 0;
  RecordHeader header;
};

struct LogShape {
  LogIdentity identity;
  std::vector<Segment> segments;       // ascending; the last is the active one; may be empty
  std::vector<PlacedRecord> tail;      // all records of the active segment
  std::vector<std::string> leftovers;  // files of unfinished or finished work, to be removed
  uint64_t next_record = 1;
  uint64_t last_position = 0;
  uint64_t epoch = 0;
  uint64_t synced_upto = 0;  // the highest evidence found
  uint64_t last_number = 0;  // of any segment file, also left over ones
};

std::string segment_name(uint64_t number);  // "segment-000000000007"

Result<LogShape> read_log_shape(Disk& disk, const std::string& directory,
                                const Superblock& superblock);

// The range that holds all records of a segment.
CursorRange whole_segment(const LogIdentity& identity, const Segment& segment);

std::string place(const std::string& directory, uint64_t segment, uint64_t offset);
Error corrupt(const std::string& directory, uint64_t segment, uint64_t offset,
              const std::string& what);
Error too_new(const std::string& directory, uint64_t segment, uint64_t offset,
              const std::string& what);

}  // namespace pawl::wal
