#include "pawl/adapter/wal/wal_verify.h"

#include <deque>

#include "pawl/adapter/wal/chain.h"
#include "pawl/adapter/wal/log_shape.h"

namespace pawl {

using wal::ChainPoint;
using wal::CursorStep;
using wal::LogShape;
using wal::RecordType;
using wal::Segment;

namespace {

// Follows the chain and compares it with the values that headers carry, which lag behind.
class ChainCheck {
 public:
  enum class Verdict : uint8_t { agrees, differs, too_old };

  explicit ChainCheck(ChainPoint start) : begin_(start.position), points_{start} {}

  void add(uint64_t position, uint64_t epoch, ByteView payload) {
    points_.push_back(wal::next_point(points_.back(), position, epoch, payload));
  }
  // Carried values ascend, so older points are not needed again. A record that was moved into the
  // first segment may carry one from before where the log begins now.
  Verdict compare(const ChainPoint& carried) {
    if (carried.position < begin_) return Verdict::too_old;
    while (points_.front().position < carried.position && points_.size() > 1) points_.pop_front();
    return points_.front() == carried ? Verdict::agrees : Verdict::differs;
  }
  const ChainPoint& newest() const { return points_.back(); }

 private:
  uint64_t begin_;
  std::deque<ChainPoint> points_;
};

class Verifier {
 public:
  Verifier(Disk& disk, const std::string& directory, const LogShape& shape, WalReport& report)
      : disk_(disk),
        directory_(directory),
        shape_(shape),
        report_(report),
        chain_(shape.segments.front().chain),
        next_record_(shape.segments.front().first_record),
        position_(shape.segments.front().position_before),
        epoch_(shape.segments.front().epoch) {}

  Status run() {
    for (const Segment& segment : shape_.segments) PAWL_TRY(check_segment(segment));
    report_.chain = chain_.newest().value;
    return {};
  }

 private:
  Status check_segment(const Segment& segment) {
    ++report_.segments;
    if (segment.first_record != next_record_ || segment.position_before != position_)
      return wal::corrupt(directory_, segment.number, 0, "does not go on where the last one ended");
    if (!(segment.chain == chain_.newest()))
      return wal::corrupt(directory_, segment.number, 0, "the chain is broken before this segment");
    PAWL_ASSIGN(std::unique_ptr<File> file,
                disk_.open(directory_ + "/" + wal::segment_name(segment.number)));
    wal::RecordCursor cursor(*file, wal::whole_segment(shape_.identity, segment));
    while (true) {
      PAWL_ASSIGN(CursorStep step, cursor.next());
      if (step.kind == CursorStep::Kind::end) break;
      if (step.kind == CursorStep::Kind::newer)
        return wal::too_new(directory_, segment.number, step.offset, step.what);
      if (step.kind == CursorStep::Kind::damaged)
        return wal::corrupt(directory_, segment.number, step.offset, step.what);
      PAWL_TRY(check_record(segment, step));
    }
    next_record_ = cursor.record();
    return {};
  }

  Status check_record(const Segment& segment, const CursorStep& step) {
    const wal::RecordHeader& header = step.header;
    bool group = header.type == RecordType::group;
    const char* wrong = nullptr;
    if (header.type == RecordType::segment) wrong = "a segment record inside a segment";
    if (header.position != position_ + (group ? 1 : 0)) wrong = "positions with a hole";
    if (header.epoch < epoch_ || (header.type == RecordType::epoch && header.epoch <= epoch_))
      wrong = "an epoch that does not ascend";
    if (header.epoch > epoch_ && header.type != RecordType::epoch)
      wrong = "an epoch that nobody has taken over";
    if (header.synced_upto >= header.record) wrong = "a record that vouches for itself";
    ChainCheck::Verdict chain = chain_.compare(header.chain);
    if (!wrong && chain == ChainCheck::Verdict::differs)
      wrong = "the chain is broken before this record";
    if (wrong) return wal::corrupt(directory_, segment.number, step.offset, wrong);
    ++report_.records;
    if (chain == ChainCheck::Verdict::agrees) ++report_.chain_values_checked;
    position_ = header.position;
    epoch_ = header.epoch;
    if (!group) return {};
    ++report_.groups;
    report_.group_bytes += step.payload.size();
    chain_.add(header.position, header.epoch, step.payload);
    return {};
  }

  Disk& disk_;
  const std::string& directory_;
  const LogShape& shape_;
  WalReport& report_;
  ChainCheck chain_;
  uint64_t next_record_;
  uint64_t position_;
  uint64_t epoch_;
};

// Messages read "file at offset N: what"; the report wants the two apart.
WalProblem problem_of(const Error& error, const std::string& directory) {
  size_t colon = error.message.find(": ");
  if (!error.message.starts_with(directory) || colon == std::string::npos)
    return {directory, error.message, error.code};
  return {error.message.substr(0, colon), error.message.substr(colon + 2), error.code};
}

Status verify_into(Disk& disk, const std::string& directory, WalReport& report) {
  PAWL_ASSIGN(std::unique_ptr<File> file, disk.open(directory + "/" + wal::superblock_name));
  PAWL_ASSIGN(wal::SuperblockQuorum quorum, wal::read_superblock(*file, directory));
  PAWL_ASSIGN(LogShape shape, wal::read_log_shape(disk, directory, quorum.superblock));
  report.tail = shape.last_position;
  report.epoch = shape.epoch;
  report.closed_cleanly = quorum.superblock.closing == wal::Closing::clean;
  if (shape.segments.empty()) return {};
  report.first = shape.segments.front().position_before + 1;
  return Verifier(disk, directory, shape, report).run();
}

}  // namespace

WalReport verify_wal(Disk& disk, const std::string& directory) {
  WalReport report;
  Status status = verify_into(disk, directory, report);
  if (!status.ok()) report.problem = problem_of(status.error(), directory);
  return report;
}

}  // namespace pawl
