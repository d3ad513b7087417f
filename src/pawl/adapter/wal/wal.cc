#include "pawl/adapter/wal/wal.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "pawl/adapter/wal/wal_reader.h"

namespace pawl {

using wal::block_bytes;
using wal::header_bytes;
using wal::RecordHeader;
using wal::RecordType;
using wal::Segment;

namespace {

constexpr Duration space_check_interval = Duration::milliseconds(100);
constexpr uint64_t chain_idle_bytes = 64 * 1024;  // hashed in less time than one write takes
constexpr uint64_t copy_bytes = 12 * 1024;        // stays in the innermost cache

wal::ReserveOptions reserve_options(const WalOptions& options) {
  return {options.segment_bytes, options.ballast_bytes, options.soft_free_bytes,
          options.hard_free_bytes, options.spares_max};
}

// Checksum and copy in turns, so that memory is read once.
uint32_t copy_with_crc(ByteView from, char* into) {
  uint32_t crc = 0;
  while (!from.empty()) {
    ByteView part = from.substr(0, copy_bytes);
    crc = crc32c(part, crc);
    std::memcpy(into, part.data(), part.size());
    into += part.size();
    from.remove_prefix(part.size());
  }
  return crc;
}

}  // namespace

BlockBuffer::~BlockBuffer() {
  std::free(memory_);
}

char* BlockBuffer::reserve(uint64_t size) {
  if (size > size_) {
    std::free(memory_);
    size_ = std::max(size, size_ * 2);
    memory_ = static_cast<char*>(std::aligned_alloc(block_bytes, size_));
    PAWL_CHECK(memory_ != nullptr, "no memory for a log record");
  }
  return memory_;
}

Wal::Wal(Disk& disk, Clock& clock, WalOptions options, wal::SuperblockFile superblock)
    : disk_(disk),
      clock_(clock),
      options_(std::move(options)),
      superblock_(std::move(superblock)),
      reserve_(disk, options_.directory, reserve_options(options_)) {}

Wal::~Wal() = default;

uint64_t Wal::first() const {
  return segments_.empty() ? 1 : segments_.front().position_before + 1;
}

uint64_t Wal::bytes() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.end;
  return sum;
}

// Fills the buffer with the next record, whole blocks.
ByteView Wal::encode(RecordType type, uint64_t position, ByteView payload) {
  span_ = wal::record_span(payload.size());
  char* memory = buffer_.reserve(span_);
  RecordHeader header;
  header.type = type;
  header.epoch = epoch_;
  header.record = next_record_;
  header.position = position;
  header.segment = segments_.back().number;
  header.offset = segments_.back().end;
  header.synced_upto = next_record_ - 1;
  header.chain = chain_->newest();
  header.length = static_cast<uint32_t>(payload.size());
  header.payload_crc = copy_with_crc(payload, memory + header_bytes);
  wal::encode_header(superblock_.current().identity, header, memory);
  uint64_t used = header_bytes + payload.size();
  std::memset(memory + used, 0, span_ - used);
  return ByteView(memory, span_);
}

void Wal::advance(uint64_t span) {
  segments_.back().end += span;
  ++next_record_;
  last_write_ = clock_.monotonic();
}

// Makes sure that the active segment has room for a record, and for a mark behind it.
Status Wal::ensure_room(uint64_t span) {
  if (!segments_.empty() && segments_.back().end + span + block_bytes <= segments_.back().size)
    return {};
  Beginning beginning;
  if (!segments_.empty()) {
    beginning.previous = segments_.back().number;
    beginning.previous_end = segments_.back().end;
  }
  beginning.first_record = next_record_;
  beginning.position_before = tail_;
  beginning.epoch = epoch_;
  beginning.chain = chain_->drain();
  return begin_segment(std::move(beginning), span);
}

// Records first, the block that makes them count behind, then the superblock: so at any instant of
// a crash either the old segment or the new one is whole, and it is known which.
// RESOURCE_EXHAUSTED: nothing has happened.
Status Wal::begin_segment(Beginning beginning, uint64_t room) {
  uint64_t number = last_number_ + 1;
  uint64_t start = block_bytes + beginning.moved.size();
  uint64_t size = std::max(options_.segment_bytes, start + room + block_bytes);
  std::string name = path(wal::segment_name(number));
  PAWL_ASSIGN(std::unique_ptr<File> file, reserve_.take(name, size));
  last_number_ = number;

  const wal::LogIdentity& identity = superblock_.current().identity;
  uint64_t at = block_bytes;
  for (RecordHeader header : beginning.moved_headers) {
    header.segment = number;
    header.offset = at;
    wal::encode_header(identity, header, beginning.moved.data() + (at - block_bytes));
    at += wal::record_span(header.length);
  }
  if (!beginning.moved.empty()) PAWL_TRY(file->write(block_bytes, beginning.moved));

  uint64_t next = beginning.first_record + beginning.moved_headers.size();
  Bytes link = wal::encode_link({beginning.previous, beginning.previous_end, file->size()});
  RecordHeader header;
  header.type = RecordType::segment;
  header.epoch = beginning.epoch;
  header.record = beginning.first_record;
  header.position = beginning.position_before;
  header.segment = number;
  header.synced_upto = next - 1;
  header.chain = beginning.chain;
  header.length = static_cast<uint32_t>(link.size());
  header.payload_crc = crc32c(link);
  Bytes block(block_bytes, '\0');
  wal::encode_header(identity, header, block.data());
  block.replace(header_bytes, link.size(), link);
  PAWL_TRY(file->write(0, block));

  wal::Superblock superblock = superblock_.current();
  superblock.active_segment = number;
  superblock.synced_upto = next - 1;
  superblock.closing = wal::Closing::open;
  PAWL_TRY(superblock_.update(std::move(superblock)));
  segments_.push_back({number, file->size(), beginning.previous, beginning.previous_end,
                       beginning.first_record, beginning.position_before, next - 1, beginning.epoch,
                       beginning.chain, start});
  file_ = std::move(file);
  next_record_ = next;
  return {};
}

Status Wal::write_record(RecordType type) {
  PAWL_TRY(ensure_room(block_bytes));
  PAWL_TRY(file_->write(segments_.back().end, encode(type, tail_, {})));
  advance(span_);
  return {};
}

Result<uint64_t> Wal::take_over() {
  PAWL_CHECK(stage_ == Stage::free, "take_over() during an append");
  if (!broken_.empty()) return Error{Code::failed_precondition, broken_};
  if (superblock_.current().closing == wal::Closing::clean) {
    wal::Superblock reopened = superblock_.current();
    reopened.closing = wal::Closing::open;
    if (Status status = superblock_.update(std::move(reopened)); !status.ok()) {
      break_with(status.error());
      return std::move(status.error());
    }
  }
  // Room first: a segment begun here still belongs to the epoch before.
  Status status = ensure_room(block_bytes);
  if (status.ok()) {
    ++epoch_;
    status = write_record(RecordType::epoch);
  }
  if (!status.ok()) {
    if (status.error().code != Code::resource_exhausted) break_with(status.error());
    return std::move(status.error());
  }
  owner_ = true;
  reserve_.replenish();
  judge_space();
  return epoch_;
}

void Wal::append(uint64_t position, Bytes group, AppendMode mode) {
  PAWL_CHECK(stage_ == Stage::free && !done_, "a second append in flight");
  PAWL_CHECK(group.size() <= wal::payload_bytes_max, "a group beyond the log's limit");
  append_ = {position, std::move(group), mode};
  if (!broken_.empty()) return answer(AppendOutcome::unknown, broken_);
  if (!owner_) return answer(AppendOutcome::conflict, "append before take_over()");
  if (position != tail_ + 1)
    return answer(AppendOutcome::conflict,
                  "the log's next position is " + std::to_string(tail_ + 1));
  start_append();
}

void Wal::start_append() {
  Status room = ensure_room(wal::record_span(append_.group.size()));
  if (!room.ok() && room.error().code == Code::resource_exhausted) {
    stage_ = Stage::waiting;
    space_ = DiskSpace::hard;
    retry_at_ = clock_.monotonic() + space_check_interval;
    return;
  }
  if (!room.ok()) {
    break_with(room.error());
    return answer(AppendOutcome::unknown, broken_);
  }
  stage_ = Stage::writing;
  ByteView record = encode(RecordType::group, append_.position, append_.group);
  if (append_.mode == AppendMode::blocking) {
    finish_append(file_->write(segments_.back().end, record));
  } else {
    file_->start_write(segments_.back().end, record);
  }
  // Beside the write, or behind it: the next segment switch must not wait for an allocation.
  if (!reserve_.complete() && clock_.monotonic() >= judged_at_ + space_check_interval)
    judge_space();
}

void Wal::finish_append(const Status& status) {
  if (!status.ok()) {
    break_with(status.error());
    return answer(AppendOutcome::unknown, broken_);
  }
  advance(span_);
  tail_ = append_.position;
  marked_ = false;
  chain_->add({append_.position, epoch_, std::move(append_.group), last_write_});
  answer(AppendOutcome::ok, "");
}

void Wal::answer(AppendOutcome outcome, std::string error) {
  stage_ = Stage::free;
  done_ = AppendDone{append_.position, outcome, std::move(error)};
}

void Wal::break_with(const Error& error) {
  broken_ = "the log has failed and must be opened again: " + error.message;
}

std::optional<AppendDone> Wal::poll() {
  if (stage_ == Stage::writing) {
    if (std::optional<Status> status = file_->poll_write()) finish_append(*status);
  } else if (stage_ == Stage::waiting && clock_.monotonic() >= retry_at_) {
    start_append();
  }
  std::optional<AppendDone> done = std::move(done_);
  done_.reset();
  return done;
}

Result<std::unique_ptr<LogReader>> Wal::read(uint64_t from) {
  if (from < first())
    return Error{Code::out_of_range, "position " + std::to_string(from) +
                                         " has been trimmed; the log begins at " +
                                         std::to_string(first())};
  return std::unique_ptr<LogReader>(std::make_unique<wal::WalReader>(
      disk_, options_.directory, superblock_.current().identity, segments_, from));
}

// Whole segments only. The superblock moves first, so a crash between leaves files, never a hole.
Status Wal::trim(uint64_t before) {
  size_t count = 0;
  while (count + 1 < segments_.size() && segments_[count + 1].position_before < before) ++count;
  if (count == 0) return {};
  if (!broken_.empty()) return Error{Code::failed_precondition, broken_};
  wal::Superblock superblock = superblock_.current();
  superblock.first_segment = segments_[count].number;
  if (Status status = superblock_.update(std::move(superblock)); !status.ok()) {
    break_with(status.error());
    return status;
  }
  auto end = segments_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Segment> trimmed(segments_.begin(), end);
  segments_.erase(segments_.begin(), end);
  for (const Segment& segment : trimmed)
    PAWL_TRY(reserve_.give_back(path(wal::segment_name(segment.number)), segment.size));
  return {};
}

void Wal::judge_space() {
  judged_at_ = clock_.monotonic();
  if (!reserve_.complete()) reserve_.replenish();
  space_ = reserve_.judge();
}

DiskSpace Wal::space() {
  if (clock_.monotonic() >= judged_at_ + space_check_interval) judge_space();
  return space_;
}

Instant Wal::idle_deadline() const {
  if (stage_ == Stage::waiting) return retry_at_;
  if (stage_ == Stage::writing || !owner_ || !broken_.empty()) return Instant::never();
  Instant deadline = Instant::never();
  if (!marked_) deadline = last_write_ + options_.idle_after;
  if (space_ != DiskSpace::plenty) deadline = std::min(deadline, judged_at_ + space_check_interval);
  return deadline;
}

void Wal::idle() {
  if (stage_ != Stage::free || !owner_ || !broken_.empty()) return;
  Instant now = clock_.monotonic();
  if (!marked_ && now >= last_write_ + options_.idle_after) {
    bool sealed = chain_->newest_after(chain_idle_bytes).position == tail_;
    Status status = write_record(RecordType::mark);
    if (!status.ok() && status.error().code != Code::resource_exhausted) break_with(status.error());
    marked_ = sealed || !status.ok();
  }
  if (space_ != DiskSpace::plenty && now >= judged_at_ + space_check_interval) judge_space();
}

Status Wal::close() {
  PAWL_CHECK(stage_ == Stage::free, "close() during an append");
  if (!broken_.empty()) return Error{Code::failed_precondition, broken_};
  if (!owner_) return {};
  chain_->drain();
  owner_ = false;
  Status status = write_record(RecordType::mark);
  if (status.ok()) {
    wal::Superblock superblock = superblock_.current();
    superblock.synced_upto = next_record_ - 1;
    superblock.closing = wal::Closing::clean;
    status = superblock_.update(std::move(superblock));
  }
  if (!status.ok()) break_with(status.error());
  return status;
}

}  // namespace pawl
