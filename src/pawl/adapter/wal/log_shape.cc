#include "pawl/adapter/wal/log_shape.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace pawl::wal {

namespace {

constexpr std::string_view segment_prefix = "segment-";
constexpr size_t number_digits = 12;

std::optional<uint64_t> segment_number(const std::string& name) {
  if (!name.starts_with(segment_prefix) || name.size() != segment_prefix.size() + number_digits)
    return std::nullopt;
  uint64_t number = 0;
  for (char c : name.substr(segment_prefix.size())) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

class ShapeReader {
 public:
  ShapeReader(Disk& disk, const std::string& directory, const Superblock& superblock)
      : disk_(disk), directory_(directory), superblock_(superblock) {
    shape_.identity = superblock.identity;
  }

  Result<LogShape> read() {
    PAWL_TRY(list_segments());
    PAWL_ASSIGN(std::optional<Segment> active, find_active());
    if (!active) return std::move(shape_);
    PAWL_TRY(link_back(*active));
    PAWL_TRY(read_tail(shape_.segments.back()));
    return std::move(shape_);
  }

 private:
  std::string path(uint64_t number) const { return directory_ + "/" + segment_name(number); }

  Status list_segments() {
    PAWL_ASSIGN(std::vector<std::string> names, disk_.list(directory_));
    for (const std::string& name : names)
      if (auto number = segment_number(name)) numbers_.push_back(*number);
    if (!numbers_.empty()) shape_.last_number = numbers_.back();
    return {};
  }

  bool exists(uint64_t number) const {
    return std::binary_search(numbers_.begin(), numbers_.end(), number);
  }

  // The segment, or nothing if its first block is not intact.
  Result<std::optional<Segment>> probe(uint64_t number) {
    PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path(number)));
    PAWL_ASSIGN(Bytes block, file->read(0, block_bytes));
    DecodedHeader decoded = decode_header(block, shape_.identity, number, 0);
    if (decoded.state == HeaderState::newer)
      return too_new(directory_, number, 0,
                     "a segment of log format " + std::to_string(decoded.format) +
                         "; this program reads format " + std::to_string(format_version) +
                         ": use the newer program");
    const RecordHeader& h = decoded.header;
    bool intact = decoded.state == HeaderState::valid && h.type == RecordType::segment &&
                  header_bytes + h.length <= block.size();
    ByteView payload = intact ? ByteView(block).substr(header_bytes, h.length) : ByteView();
    std::optional<SegmentLink> link = decode_link(payload);
    bool padded = intact && all_zero(ByteView(block).substr(header_bytes + h.length));
    if (!intact || !padded || !link || crc32c(payload) != h.payload_crc || link->previous >= number)
      return std::optional<Segment>();
    if (file->size() != link->size)
      return corrupt(directory_, number, std::min(file->size(), link->size),
                     "the file has " + std::to_string(file->size()) + " bytes instead of " +
                         std::to_string(link->size));
    return std::optional(Segment{number, link->size, link->previous, link->previous_end, h.record,
                                 h.position, h.synced_upto, h.epoch, h.chain, block_bytes});
  }

  Result<Segment> read_segment(uint64_t number) {
    if (!exists(number))
      return Error{Code::data_loss, "segment file " + path(number) +
                                        " is missing (offset 0); bring it back from a backup"};
    PAWL_ASSIGN(std::optional<Segment> segment, probe(number));
    if (!segment) return corrupt(directory_, number, 0, "the segment's first block is damaged");
    return *std::move(segment);
  }

  // The newest segment whose first block is intact. It is written after the records it starts with,
  // and before the superblock names it: so a newer file without it holds nothing acknowledged.
  Result<std::optional<Segment>> find_active() {
    for (auto number = numbers_.rbegin(); number != numbers_.rend(); ++number) {
      if (*number <= superblock_.active_segment) break;
      PAWL_ASSIGN(std::optional<Segment> segment, probe(*number));
      if (segment) return segment;
    }
    if (superblock_.active_segment == 0) {
      for (uint64_t number : numbers_) shape_.leftovers.push_back(path(number));
      return std::optional<Segment>();
    }
    PAWL_ASSIGN(Segment active, read_segment(superblock_.active_segment));
    return std::optional(std::move(active));
  }

  Status link_back(const Segment& active) {
    std::vector<Segment>& segments = shape_.segments;
    segments.push_back(active);
    while (segments.back().previous >= superblock_.first_segment && segments.back().previous != 0) {
      PAWL_ASSIGN(Segment before, read_segment(segments.back().previous));
      before.end = segments.back().previous_end;
      if (before.end > before.size || before.position_before > segments.back().position_before ||
          before.first_record > segments.back().first_record)
        return corrupt(directory_, before.number, 0, "the segment does not fit to the next one");
      segments.push_back(before);
    }
    std::reverse(segments.begin(), segments.end());
    for (uint64_t number : numbers_) {
      bool used = std::any_of(segments.begin(), segments.end(),
                              [&](const Segment& s) { return s.number == number; });
      if (!used) shape_.leftovers.push_back(path(number));
    }
    return {};
  }

  Status read_tail(Segment& active) {
    PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path(active.number)));
    CursorRange range = whole_segment(shape_.identity, active);
    range.end = active.size;
    RecordCursor cursor(*file, range);
    shape_.epoch = active.epoch;
    shape_.last_position = active.position_before;
    shape_.synced_upto = std::max(superblock_.synced_upto, active.synced_upto);
    CursorStep step;
    while (true) {
      PAWL_ASSIGN(step, cursor.next());
      if (step.kind != CursorStep::Kind::record) break;
      PAWL_TRY(accept(active, step));
    }
    if (step.kind == CursorStep::Kind::newer)
      return too_new(directory_, active.number, step.offset, step.what);
    active.end = step.offset;
    shape_.next_record = cursor.record();
    if (step.offset < active.size) {
      PAWL_ASSIGN(uint64_t behind, cursor.highest_synced_upto(step.offset));
      shape_.synced_upto = std::max(shape_.synced_upto, behind);
    }
    if (shape_.synced_upto >= shape_.next_record)
      return corrupt(directory_, active.number, step.offset,
                     (step.what.empty() ? "the end of the segment" : step.what) +
                         " where acknowledged record " + std::to_string(shape_.next_record) +
                         " must be");
    return {};
  }

  Status accept(const Segment& active, const CursorStep& step) {
    const RecordHeader& header = step.header;
    uint64_t expected = shape_.last_position + (header.type == RecordType::group ? 1 : 0);
    if (header.position != expected || header.epoch < shape_.epoch)
      return corrupt(directory_, active.number, step.offset,
                     "an intact record of position " + std::to_string(header.position) +
                         " and epoch " + std::to_string(header.epoch) + " out of order");
    shape_.last_position = header.position;
    shape_.epoch = header.epoch;
    shape_.synced_upto = std::max(shape_.synced_upto, header.synced_upto);
    shape_.tail.push_back({step.offset, header});
    return {};
  }

  Disk& disk_;
  const std::string& directory_;
  const Superblock& superblock_;
  std::vector<uint64_t> numbers_;
  LogShape shape_;
};

}  // namespace

std::string segment_name(uint64_t number) {
  std::string digits = std::to_string(number);
  PAWL_CHECK(digits.size() <= number_digits, "segment numbers have twelve digits");
  return std::string(segment_prefix) + std::string(number_digits - digits.size(), '0') + digits;
}

Result<LogShape> read_log_shape(Disk& disk, const std::string& directory,
                                const Superblock& superblock) {
  return ShapeReader(disk, directory, superblock).read();
}

CursorRange whole_segment(const LogIdentity& identity, const Segment& segment) {
  return {identity, segment.number, block_bytes, segment.end, segment.first_record};
}

std::string place(const std::string& directory, uint64_t segment, uint64_t offset) {
  return directory + "/" + segment_name(segment) + " at offset " + std::to_string(offset);
}

Error corrupt(const std::string& directory, uint64_t segment, uint64_t offset,
              const std::string& what) {
  return {Code::data_loss, place(directory, segment, offset) + ": " + what +
                               "; nothing was changed, restore this file from a backup"};
}

Error too_new(const std::string& directory, uint64_t segment, uint64_t offset,
              const std::string& what) {
  return {Code::failed_precondition, place(directory, segment, offset) + ": " + what};
}

}  // namespace pawl::wal
