// Wal::open: from what lies on the disk (log_shape.h) to a log that can be appended to.
#include <algorithm>

#include "pawl/adapter/wal/wal.h"

namespace pawl {

using wal::block_bytes;
using wal::ChainPoint;
using wal::CursorStep;
using wal::LogShape;
using wal::PlacedRecord;
using wal::RecordType;
using wal::Segment;

namespace {

// The superblock of an existing log, or of a new one.
Result<wal::SuperblockFile> open_superblock(Disk& disk, const WalOptions& options) {
  PAWL_TRY(disk.make_directory(options.directory));
  PAWL_ASSIGN(std::vector<std::string> names, disk.list(options.directory));
  if (std::find(names.begin(), names.end(), wal::superblock_name) != names.end())
    return wal::SuperblockFile::load(disk, options.directory);
  for (const std::string& name : names)
    if (name.starts_with("segment-"))
      return Error{Code::data_loss, options.directory + "/" + wal::superblock_name +
                                        " is missing (offset 0) although there are segments; "
                                        "bring it back from a backup"};
  PAWL_CHECK(options.log_id != Hash128(), "a new log needs an id");
  wal::Superblock first;
  first.identity = {options.log_id, options.partition};
  first.writer = options.writer.substr(0, 32);
  return wal::SuperblockFile::create(disk, options.directory, first);
}

}  // namespace

Result<std::unique_ptr<Wal>> Wal::open(Disk& disk, Clock& clock, WalOptions options) {
  PAWL_CHECK(options.segment_bytes % block_bytes == 0 && options.segment_bytes >= 4 * block_bytes,
             "a segment has at least four whole blocks");
  PAWL_ASSIGN(wal::SuperblockFile superblock, open_superblock(disk, options));
  uint64_t partition = superblock.current().identity.partition;
  if (partition != options.partition)
    return Error{Code::failed_precondition, options.directory + " holds the log of partition " +
                                                std::to_string(partition) + ", not of " +
                                                std::to_string(options.partition)};
  PAWL_ASSIGN(LogShape shape, wal::read_log_shape(disk, options.directory, superblock.current()));
  std::unique_ptr<Wal> log(new Wal(disk, clock, std::move(options), std::move(superblock)));
  PAWL_TRY(log->recover(std::move(shape)));
  return log;
}

Status Wal::recover(LogShape shape) {
  for (const std::string& leftover : shape.leftovers) PAWL_TRY(disk_.remove(leftover));
  PAWL_TRY(reserve_.adopt());
  last_number_ = shape.last_number;
  next_record_ = shape.next_record;
  tail_ = shape.last_position;
  epoch_ = shape.epoch;
  segments_ = std::move(shape.segments);
  shape.segments.clear();
  ChainPoint chain;
  if (!segments_.empty()) {
    bool clean = superblock_.current().closing == wal::Closing::clean &&
                 superblock_.current().synced_upto + 1 == next_record_;
    if (clean) {
      ChainPoint ignored;
      PAWL_ASSIGN(chain, resume_chain(shape, tail_, ignored));
      PAWL_ASSIGN(file_, disk_.open(path(wal::segment_name(segments_.back().number))));
    } else {
      PAWL_TRY(move_tail(shape));
      return {};
    }
  }
  chain_ = wal::make_chain(options_.chain, chain, options_.chain_limits);
  return {};
}

// The chain after the last group, and after `cut_position` on the way; from the newest known value
// at or before the cut.
Result<ChainPoint> Wal::resume_chain(const LogShape& shape, uint64_t cut_position,
                                     ChainPoint& at_cut) {
  const Segment& active = segments_.back();
  ChainPoint point = active.chain;
  for (const PlacedRecord& placed : shape.tail)
    if (placed.header.chain.position <= cut_position &&
        placed.header.chain.position > point.position)
      point = placed.header.chain;
  at_cut = point;
  PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path(wal::segment_name(active.number))));
  for (const PlacedRecord& placed : shape.tail) {
    const wal::RecordHeader& header = placed.header;
    if (header.type != RecordType::group || header.position <= point.position) continue;
    PAWL_ASSIGN(Bytes payload, file->read(placed.offset + wal::header_bytes, header.length));
    if (crc32c(payload) != header.payload_crc)
      return wal::corrupt(options_.directory, active.number, placed.offset,
                          "a payload that changed between two reads");
    point = wal::next_point(point, header.position, header.epoch, payload);
    if (header.position <= cut_position) at_cut = point;
  }
  return point;
}

// After a crash: what is not known to be durable goes into a new segment, and the
// old one ends before.
Status Wal::move_tail(const LogShape& shape) {
  Segment old = segments_.back();
  bool whole = old.end - block_bytes <= options_.rewrite_bytes_max;
  auto cut = shape.tail.begin();
  if (!whole)
    while (cut != shape.tail.end() && cut->header.record <= shape.synced_upto) ++cut;

  Beginning beginning;
  beginning.first_record = old.first_record + static_cast<uint64_t>(cut - shape.tail.begin());
  bool at_start = cut == shape.tail.begin();
  beginning.position_before = at_start ? old.position_before : (cut - 1)->header.position;
  beginning.epoch = at_start ? old.epoch : (cut - 1)->header.epoch;
  uint64_t cut_offset = cut == shape.tail.end() ? old.end : cut->offset;
  beginning.previous = at_start ? old.previous : old.number;
  beginning.previous_end = at_start ? old.previous_end : cut_offset;
  PAWL_ASSIGN(ChainPoint chain, resume_chain(shape, beginning.position_before, beginning.chain));
  chain_ = wal::make_chain(options_.chain, chain, options_.chain_limits);

  if (cut_offset < old.end) {
    PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path(wal::segment_name(old.number))));
    PAWL_ASSIGN(beginning.moved, file->read(cut_offset, old.end - cut_offset));
  }
  for (; cut != shape.tail.end(); ++cut) {
    uint64_t at = cut->offset - cut_offset + wal::header_bytes;
    ByteView payload = ByteView(beginning.moved).substr(std::min(at, beginning.moved.size()));
    if (crc32c(payload.substr(0, cut->header.length)) != cut->header.payload_crc)
      return wal::corrupt(options_.directory, old.number, cut->offset,
                          "a payload that changed between two reads");
    beginning.moved_headers.push_back(cut->header);
  }
  segments_.back().end = cut_offset;
  if (at_start) segments_.pop_back();
  PAWL_TRY(begin_segment(std::move(beginning), 0));
  return at_start ? disk_.remove(path(wal::segment_name(old.number))) : Status();
}

}  // namespace pawl
