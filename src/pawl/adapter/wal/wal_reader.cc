#include "pawl/adapter/wal/wal_reader.h"

namespace pawl::wal {

WalReader::WalReader(Disk& disk, std::string directory, LogIdentity identity,
                     std::vector<Segment> segments, uint64_t from)
    : disk_(disk),
      directory_(std::move(directory)),
      identity_(identity),
      segments_(std::move(segments)),
      from_(from) {
  while (index_ + 1 < segments_.size() && segments_[index_ + 1].position_before < from_) ++index_;
}

Status WalReader::enter_segment() {
  const Segment& segment = segments_[index_];
  cursor_.reset();
  PAWL_ASSIGN(file_, disk_.open(directory_ + "/" + segment_name(segment.number)));
  cursor_.emplace(*file_, whole_segment(identity_, segment));
  position_ = segment.position_before;
  epoch_ = segment.epoch;
  return {};
}

Status WalReader::check(const CursorStep& step) {
  const Segment& segment = segments_[index_];
  switch (step.kind) {
    case CursorStep::Kind::newer:
      return too_new(directory_, segment.number, step.offset, step.what);
    case CursorStep::Kind::damaged:
      return corrupt(directory_, segment.number, step.offset, step.what);
    case CursorStep::Kind::end: {
      bool last = index_ + 1 == segments_.size();
      if (!last && (cursor_->record() != segments_[index_ + 1].first_record ||
                    position_ != segments_[index_ + 1].position_before))
        return corrupt(directory_, segment.number, step.offset,
                       "the segment ends before the next one begins");
      return {};
    }
    case CursorStep::Kind::record:
      break;
  }
  uint64_t expected = position_ + (step.header.type == RecordType::group ? 1 : 0);
  if (step.header.position != expected || step.header.epoch < epoch_)
    return corrupt(directory_, segment.number, step.offset, "an intact record out of order");
  position_ = step.header.position;
  epoch_ = step.header.epoch;
  return {};
}

Result<std::optional<LogGroup>> WalReader::next() {
  while (index_ < segments_.size()) {
    if (!cursor_) PAWL_TRY(enter_segment());
    PAWL_ASSIGN(CursorStep step, cursor_->next());
    PAWL_TRY(check(step));
    if (step.kind == CursorStep::Kind::end) {
      cursor_.reset();
      ++index_;
      continue;
    }
    if (step.header.type != RecordType::group || position_ < from_) continue;
    segment_ = segments_[index_].number;
    offset_ = step.offset;
    return std::optional(LogGroup{position_, epoch_, Bytes(step.payload)});
  }
  return std::optional<LogGroup>();
}

std::string WalReader::place() const {
  return pawl::wal::place(directory_, segment_, offset_);
}

}  // namespace pawl::wal
