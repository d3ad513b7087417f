// The embedded log of record: port/log.h over port/disk.h.
//
//   WalOptions options;
//   options.log_id = random_id;                          // used when the log is new
//   PAWL_ASSIGN(std::unique_ptr<Wal> log, Wal::open(disk, clock, options));
//   PAWL_ASSIGN(uint64_t epoch, log->take_over());
//   log->append(log->tail() + 1, std::move(group), AppendMode::overlapped);
//   ... wake ...   log->poll() -> {position, ok}
//   log->close();                                        // optional: the next open is quicker
//
// On disk (wal_format.h): one header per group, 4 KiB blocks, preallocated segments, a superblock
// in four copies, a spare segment and a ballast file. One write is in flight at a time, so only the
// last record can be torn. open() tells a torn tail from damage (log_shape.h); after anything but a
// clean close it moves the records that are not known to be durable into a new segment and makes
// them durable before anything is acknowledged, and never writes to the old segment again. If
// little is in the old segment all of it moves, so that a crash loop does not fill the disk.
//
// Decisions of this log where the port leaves them open:
//  * take_over() appends an epoch record: no position, not seen by read().
//  * Any failed write breaks this object: every later append answers `unknown` until the log has
//    been opened again. Nothing is retried.
//  * Groups up to payload_bytes_max (1 GiB); one that does not fit an ordinary segment
//    gets a larger one.
//  * trim() recycles segments as spares (writing into used blocks is twice as fast
//    as into fresh ones).
//  * A reader must not be used for groups below what trim() was given since: their segments are
//    used again.
//  * idle() writes a mark `idle_after` behind the last group: it proves the group durable, and
//    carries the chain. Without it a damaged last group cannot be told from a torn one.
//
// Threads: one caller; the chain has a thread of its own unless ChainMode::in_line (simulation).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/adapter/wal/chain.h"
#include "pawl/adapter/wal/log_shape.h"
#include "pawl/adapter/wal/reserve.h"
#include "pawl/adapter/wal/superblock_file.h"
#include "pawl/port/clock.h"
#include "pawl/port/log.h"

namespace pawl {

struct WalOptions {
  std::string directory = "log";
  Hash128 log_id;  // names a new log; different for every log
  uint64_t partition = 1;
  uint64_t segment_bytes = 64ULL << 20;
  uint64_t ballast_bytes = 64ULL << 20;
  uint64_t soft_free_bytes = 512ULL << 20;  // less free space: DiskSpace::soft
  uint64_t hard_free_bytes = 128ULL << 20;  // less, or a reserve is missing: DiskSpace::hard
  uint32_t spares_max = 4;                  // recycled segments kept
  uint64_t rewrite_bytes_max = 1ULL << 20;  // up to this much moves whole after a crash
  wal::ChainLimits chain_limits;
  wal::ChainMode chain = wal::ChainMode::own_thread;
  Duration idle_after = Duration::milliseconds(5);
  Durability durability = Durability::local;  // of the disk below
  std::string writer = "pawl 0.1.0";
};

// Memory on a block border, so that a disk may write it without a copy.
class BlockBuffer final {
 public:
  BlockBuffer() = default;
  BlockBuffer(const BlockBuffer&) = delete;
  BlockBuffer& operator=(const BlockBuffer&) = delete;
  ~BlockBuffer();
  char* reserve(uint64_t size);  // content is undefined

 private:
  char* memory_ = nullptr;
  uint64_t size_ = 0;
};

class Wal final : public Log {
 public:
  static Result<std::unique_ptr<Wal>> open(Disk& disk, Clock& clock, WalOptions options);
  ~Wal() override;

  // Marks the end, so that the next open continues in place.
  Status close();

  Result<uint64_t> take_over() override;
  uint64_t first() const override;
  uint64_t tail() const override { return tail_; }
  void append(uint64_t position, Bytes group, AppendMode mode) override;
  std::optional<AppendDone> poll() override;
  Result<std::unique_ptr<LogReader>> read(uint64_t from) override;
  Status trim(uint64_t before) override;
  uint64_t bytes() const override;
  Durability durability() const override { return options_.durability; }
  DiskSpace space() override;
  Instant idle_deadline() const override;
  void idle() override;

 private:
  enum class Stage : uint8_t { free, waiting, writing };  // of the append; waiting: for space
  struct Append {
    uint64_t position = 0;
    Bytes group;
    AppendMode mode = AppendMode::blocking;
  };
  // What a new segment starts with.
  struct Beginning {
    uint64_t previous = 0;
    uint64_t previous_end = 0;
    uint64_t first_record = 1;
    uint64_t position_before = 0;
    uint64_t epoch = 0;
    wal::ChainPoint chain;
    Bytes moved;  // records, to be placed at block 1
    std::vector<wal::RecordHeader> moved_headers;
  };

  Wal(Disk& disk, Clock& clock, WalOptions options, wal::SuperblockFile superblock);

  Status recover(wal::LogShape shape);
  Status move_tail(const wal::LogShape& shape);
  Result<wal::ChainPoint> resume_chain(const wal::LogShape& shape, uint64_t cut_position,
                                       wal::ChainPoint& at_cut);
  Status begin_segment(Beginning beginning, uint64_t room);
  Status ensure_room(uint64_t span);
  ByteView encode(wal::RecordType type, uint64_t position, ByteView payload);
  Status write_record(wal::RecordType type);
  void advance(uint64_t span);
  void start_append();
  void finish_append(const Status& status);
  void answer(AppendOutcome outcome, std::string error);
  void break_with(const Error& error);
  void judge_space();
  std::string path(const std::string& name) const { return options_.directory + "/" + name; }

  Disk& disk_;
  Clock& clock_;
  WalOptions options_;
  wal::SuperblockFile superblock_;
  wal::Reserve reserve_;
  std::unique_ptr<wal::Chain> chain_;
  std::vector<wal::Segment> segments_;  // the last one is active; its end grows
  std::unique_ptr<File> file_;          // of the active segment
  BlockBuffer buffer_;                  // the record being written
  uint64_t last_number_ = 0;            // of segments
  uint64_t next_record_ = 1;
  uint64_t tail_ = 0;
  uint64_t epoch_ = 0;
  bool owner_ = false;

  Stage stage_ = Stage::free;
  Append append_;
  uint64_t span_ = 0;  // of the record being written
  std::optional<AppendDone> done_;
  std::string broken_;

  bool marked_ = true;  // the last group is known to be durable, by a mark
  Instant last_write_;
  Instant retry_at_;  // of an append that waits for space
  Instant judged_at_;
  DiskSpace space_ = DiskSpace::plenty;
};

}  // namespace pawl
