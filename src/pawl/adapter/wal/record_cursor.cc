#include "pawl/adapter/wal/record_cursor.h"

#include <algorithm>

namespace pawl::wal {

namespace {

constexpr uint64_t read_ahead_bytes = 1 << 20;

CursorStep bad(uint64_t offset, std::string what) {
  CursorStep step;
  step.kind = CursorStep::Kind::damaged;
  step.offset = offset;
  step.what = std::move(what);
  return step;
}

}  // namespace

// A view of [offset, offset + size), shorter only at the end of the file.
Result<ByteView> RecordCursor::bytes(uint64_t offset, uint64_t size) {
  bool inside = offset >= window_begin_ && offset + size <= window_begin_ + window_.size();
  if (!inside) {
    uint64_t ahead = std::min(read_ahead_bytes, std::max(range_.end, offset) - offset);
    PAWL_ASSIGN(window_, file_.read(offset, std::max(size, ahead)));
    window_begin_ = offset;
  }
  return ByteView(window_).substr(std::min<uint64_t>(offset - window_begin_, window_.size()), size);
}

Result<CursorStep> RecordCursor::next() {
  CursorStep step;
  step.offset = at_;
  if (at_ >= range_.end) return step;
  PAWL_ASSIGN(ByteView head, bytes(at_, header_bytes));
  DecodedHeader decoded = decode_header(head, range_.identity, range_.segment, at_);
  if (decoded.state == HeaderState::newer) {
    step.kind = CursorStep::Kind::newer;
    step.what = "a record of log format " + std::to_string(decoded.format) +
                "; this program reads format " + std::to_string(format_version) +
                ": use the newer program";
    return step;
  }
  if (decoded.state == HeaderState::absent) return bad(at_, "no valid record header");
  const RecordHeader& header = decoded.header;
  if (header.record != record_)
    return bad(at_, "record " + std::to_string(header.record) + " where " +
                        std::to_string(record_) + " was expected");
  uint64_t span = record_span(header.length);
  if (span > range_.end - at_) return bad(at_, "a record that is longer than its segment");
  PAWL_ASSIGN(ByteView whole, bytes(at_, span));
  if (whole.size() != span) return bad(at_, "a record that is cut off by the end of the file");
  ByteView payload = whole.substr(header_bytes, header.length);
  if (crc32c(payload) != header.payload_crc) return bad(at_, "a payload with a wrong checksum");
  if (!all_zero(whole.substr(header_bytes + header.length)))
    return bad(at_, "a record whose padding is not zero");
  step.kind = CursorStep::Kind::record;
  step.header = header;
  step.payload = payload;
  at_ += span;
  ++record_;
  return step;
}

Result<uint64_t> RecordCursor::highest_synced_upto(uint64_t from) {
  uint64_t highest = 0;
  for (uint64_t at = from; at < range_.end; at += block_bytes) {
    PAWL_ASSIGN(ByteView head, bytes(at, header_bytes));
    DecodedHeader decoded = decode_header(head, range_.identity, range_.segment, at);
    if (decoded.state == HeaderState::valid)
      highest = std::max(highest, decoded.header.synced_upto);
  }
  return highest;
}

}  // namespace pawl::wal
