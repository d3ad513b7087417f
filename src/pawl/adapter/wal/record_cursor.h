// Walks the records of one segment, verifying each: header, place, number, payload checksum, and
// that the padding is zero. It reads ahead in large pieces, and judges nothing: whether a damaged
// record is a torn tail or corruption is its caller's question.
//
//   RecordCursor cursor(*file, {identity, segment, block_bytes, end, first_record});
//   PAWL_ASSIGN(CursorStep step, cursor.next());
//   if (step.kind == CursorStep::Kind::record) use(step.header, step.payload);
//
// A step's payload is valid until the next call. Threading: one caller.
#pragma once

#include "pawl/adapter/wal/wal_format.h"
#include "pawl/port/disk.h"

namespace pawl::wal {

struct CursorRange {
  LogIdentity identity;
  uint64_t segment = 0;
  uint64_t begin = block_bytes;
  uint64_t end = 0;           // no record reaches beyond
  uint64_t first_record = 0;  // number expected at `begin`
};

struct CursorStep {
  enum class Kind : uint8_t { record, end, damaged, newer };
  Kind kind = Kind::end;
  uint64_t offset = 0;
  RecordHeader header;  // of a record
  ByteView payload;     // of a record
  std::string what;     // of damaged and newer
};

class RecordCursor final {
 public:
  RecordCursor(File& file, CursorRange range)
      : file_(file), range_(range), at_(range.begin), record_(range.first_record) {}

  Result<CursorStep> next();
  uint64_t offset() const { return at_; }  // of the next record
  uint64_t record() const { return record_; }

  // The highest synced_upto in any valid header of this segment at or behind `from`, 0 if none.
  Result<uint64_t> highest_synced_upto(uint64_t from);

 private:
  Result<ByteView> bytes(uint64_t offset, uint64_t size);

  File& file_;
  CursorRange range_;
  uint64_t at_;
  uint64_t record_;
  Bytes window_;
  uint64_t window_begin_ = 0;
};

}  // namespace pawl::wal
