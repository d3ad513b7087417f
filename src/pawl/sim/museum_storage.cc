#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "pawl/engine/history_rows.h"
#include "pawl/sim/museum.h"
#include "pawl/sim/wrappers.h"
#include "pawl/wire/event_codec.h"

namespace pawl::sim {
namespace {

// Acknowledges a group as soon as it has been handed over.
class EagerLog final : public WrappedLog {
 public:
  using WrappedLog::WrappedLog;
  void append(uint64_t position, Bytes group, AppendMode) override {
    answers_.push_back({position, AppendOutcome::ok, ""});
    waiting_.emplace_back(position, std::move(group));
    start_next();
  }
  std::optional<AppendDone> poll() override {
    if (auto done = real.poll()) busy_ = false;
    start_next();
    if (answers_.empty()) return std::nullopt;
    AppendDone done = answers_.front();
    answers_.pop_front();
    return done;
  }
  void idle() override {
    if (!busy_ && waiting_.empty()) real.idle();
  }

 private:
  void start_next() {
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    auto [position, group] = std::move(waiting_.front());
    waiting_.pop_front();
    real.append(position, std::move(group), AppendMode::overlapped);
  }
  std::deque<AppendDone> answers_;
  std::deque<std::pair<uint64_t, Bytes>> waiting_;
  bool busy_ = false;
};

struct AckBeforeFsync final : Seams {
  Log& log_below_listener(Log& real) override { return *(log_ = std::make_unique<EagerLog>(real)); }
  std::unique_ptr<Log> log_;
};

// A file whose failed writes are tried again; the second fsync finds nothing dirty and succeeds.
class ForgivingFile final : public File {
 public:
  ForgivingFile(Disk& disk, std::string path, std::unique_ptr<File> file, uint64_t claimed_size)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)), claimed_(claimed_size) {}
  Status write(uint64_t offset, ByteView bytes) override {
    return forgive(file_->write(offset, bytes));
  }
  void start_write(uint64_t offset, ByteView bytes) override { file_->start_write(offset, bytes); }
  std::optional<Status> poll_write() override {
    std::optional<Status> done = file_->poll_write();
    if (done) return forgive(std::move(*done));
    return done;
  }
  Result<Bytes> read(uint64_t offset, uint64_t size) override { return file_->read(offset, size); }
  uint64_t size() const override { return std::max(claimed_, file_->size()); }

 private:
  Status forgive(Status status) {
    if (status.ok() || status.error().code == Code::unavailable) return status;
    auto again = disk_.open(path_);
    if (!again.ok()) return status;
    file_ = std::move(*again);
    return {};
  }
  Disk& disk_;
  std::string path_;
  std::unique_ptr<File> file_;
  uint64_t claimed_;
};

class ForgivingDisk final : public WrappedDisk {
 public:
  ForgivingDisk(Disk& disk, bool ignore_full) : WrappedDisk(disk), ignore_full_(ignore_full) {}
  Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override {
    auto file = real.create(path, size);
    bool full = !file.ok() && file.error().code == Code::resource_exhausted;
    if (full && ignore_full_) file = real.create(path, 0);
    return forgiving(path, std::move(file), size);
  }
  Result<std::unique_ptr<File>> open(const std::string& path) override {
    return forgiving(path, real.open(path), 0);
  }

 private:
  Result<std::unique_ptr<File>> forgiving(const std::string& path,
                                          Result<std::unique_ptr<File>> file, uint64_t size) {
    if (!file.ok()) return file;
    return std::unique_ptr<File>(
        std::make_unique<ForgivingFile>(real, path, std::move(*file), size));
  }
  bool ignore_full_;
};

struct FsyncRetried final : Seams {
  Disk& disk(SimDisk& real) override {
    return *(disk_ = std::make_unique<ForgivingDisk>(real, false));
  }
  std::unique_ptr<Disk> disk_;
};

struct FullDiskIgnored final : Seams {
  Disk& disk(SimDisk& real) override {
    return *(disk_ = std::make_unique<ForgivingDisk>(real, true));
  }
  std::unique_ptr<Disk> disk_;
};

// Renames and new files are in the page cache only: the last one is undone by a power cut.
struct DirectoryNotSynced final : Seams {
  class UnsyncedDisk final : public WrappedDisk {
   public:
    UnsyncedDisk(SimDisk& disk, DirectoryNotSynced& owner) : WrappedDisk(disk), owner_(owner) {}
    Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override {
      owner_.newest_ = path;
      owner_.from_.clear();
      return real.create(path, size);
    }
    Status publish(const std::string& temporary, const std::string& final_name) override {
      owner_.newest_ = final_name;
      owner_.from_ = temporary;
      return real.publish(temporary, final_name);
    }

   private:
    DirectoryNotSynced& owner_;
  };
  Disk& disk(SimDisk& real) override {
    return *(disk_ = std::make_unique<UnsyncedDisk>(real, *this));
  }
  void stopped(SimDisk& disk, MapView&) override {
    SimDisk::Image image = disk.image();
    auto newest = image.find(newest_);
    if (newest == image.end()) return;
    if (!from_.empty()) image[from_] = newest->second;
    image.erase(newest_);
    disk.restore(image);
  }
  std::unique_ptr<Disk> disk_;
  std::string newest_;
  std::string from_;
};

// A log whose records pass through a Reader on their way.
template <class Reader>
class LogReadBy final : public WrappedLog {
 public:
  using WrappedLog::WrappedLog;
  Result<std::unique_ptr<LogReader>> read(uint64_t from) override {
    PAWL_ASSIGN(std::unique_ptr<LogReader> reader, real.read(from));
    return std::unique_ptr<LogReader>(std::make_unique<Reader>(std::move(reader)));
  }
};

// Reads damage as the end of the log.
struct DamageReadAsEnd final : Seams {
  class Reader final : public LogReader {
   public:
    explicit Reader(std::unique_ptr<LogReader> reader) : reader_(std::move(reader)) {}
    Result<std::optional<LogGroup>> next() override {
      auto group = reader_->next();
      if (!group.ok()) return std::optional<LogGroup>();
      return group;
    }

   private:
    std::unique_ptr<LogReader> reader_;
  };
  Log& log_below_listener(Log& real) override {
    return *(log_ = std::make_unique<LogReadBy<Reader>>(real));
  }
  std::unique_ptr<Log> log_;
};

// After some restarts, the directory of an earlier one is mounted.
struct OldDiskImage final : Seams {
  void stopped(SimDisk& disk, MapView&) override {
    if (++stops_ % 3 == 0) disk.restore(old_);
    if (stops_ % 3 == 1) old_ = disk.image();
  }
  uint64_t stops_ = 0;
  SimDisk::Image old_;
};

// Changes what the engine reads back from its log.
template <class Change>
struct RewrittenReplay : Seams {
  class Reader final : public LogReader {
   public:
    explicit Reader(std::unique_ptr<LogReader> reader) : reader_(std::move(reader)) {}
    Result<std::optional<LogGroup>> next() override {
      auto record = reader_->next();
      if (!record.ok() || !*record) return record;
      auto group = decode_group((*record)->position, (*record)->epoch, (*record)->payload);
      if (!group.ok()) return record;
      for (Event& event : group->events) Change::change(event);
      (*record)->payload = encode(*group);
      return record;
    }

   private:
    std::unique_ptr<LogReader> reader_;
  };
  Log& log_above_listener(Log& real) override {
    return *(log_ = std::make_unique<LogReadBy<Reader>>(real));
  }
  std::unique_ptr<Log> log_;
};

struct ForgetRequest {
  static void change(Event& event) {
    if (auto* submitted = std::get_if<ExecutionSubmitted>(&event)) submitted->request_id.clear();
  }
};
struct ForgetTimer {
  static void change(Event& event) {
    auto* failed = std::get_if<AttemptFailed>(&event);
    if (failed != nullptr && failed->disposition == Disposition::retry)
      failed->retry_at = Instant::never();
  }
};
struct ForgetFailure {
  static void change(Event& event) {
    auto* failed = std::get_if<AttemptFailed>(&event);
    if (failed != nullptr && failed->attempt > 0 && failed->disposition == Disposition::retry)
      failed->kind = FailureKind::lost;  // does not count
  }
};
struct RetryCountLost final : RewrittenReplay<ForgetFailure> {};
struct DedupeLostOnFailover final : RewrittenReplay<ForgetRequest> {};
struct TimerLostOnFailover final : RewrittenReplay<ForgetTimer> {};

// The new owner does not raise the epoch.
struct EpochReused final : Seams {
  class SameEpochLog final : public WrappedLog {
   public:
    using WrappedLog::WrappedLog;
    Result<uint64_t> take_over() override {
      PAWL_ASSIGN(uint64_t epoch, real.take_over());
      return std::min<uint64_t>(epoch, 1);
    }
  };
  Log& log_above_listener(Log& real) override {
    return *(log_ = std::make_unique<SameEpochLog>(real));
  }
  std::unique_ptr<Log> log_;
};

// After a failed write, everything is read from and written to the page cache, which claims to be
// clean; the next stop shows what was on the disk.
struct PageCacheBelieved final : Seams {
  class WatchedFile final : public File {
   public:
    WatchedFile(std::unique_ptr<File> file, PageCacheBelieved& owner)
        : file_(std::move(file)), owner_(owner) {}
    Status write(uint64_t offset, ByteView bytes) override {
      return watched(file_->write(offset, bytes));
    }
    void start_write(uint64_t offset, ByteView bytes) override {
      file_->start_write(offset, bytes);
    }
    std::optional<Status> poll_write() override {
      std::optional<Status> done = file_->poll_write();
      if (done) return watched(std::move(*done));
      return done;
    }
    Result<Bytes> read(uint64_t offset, uint64_t size) override {
      return file_->read(offset, size);
    }
    uint64_t size() const override { return file_->size(); }

   private:
    Status watched(Status status) {
      if (!status.ok() && status.error().code == Code::unknown) owner_.failed_ = true;
      return status;
    }
    std::unique_ptr<File> file_;
    PageCacheBelieved& owner_;
  };
  class WatchedDisk final : public WrappedDisk {
   public:
    WatchedDisk(Disk& disk, PageCacheBelieved& owner) : WrappedDisk(disk), owner_(owner) {}
    Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override {
      return watched(real.create(path, size));
    }
    Result<std::unique_ptr<File>> open(const std::string& path) override {
      return watched(real.open(path));
    }

   private:
    Result<std::unique_ptr<File>> watched(Result<std::unique_ptr<File>> file) {
      if (!file.ok()) return file;
      return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(*file), owner_));
    }
    PageCacheBelieved& owner_;
  };
  Disk& disk(SimDisk& real) override {
    cached_ = failed_;
    failed_ = false;
    if (cached_) on_disk_ = real.image();
    return *(disk_ = std::make_unique<WatchedDisk>(real, *this));
  }
  void stopped(SimDisk& disk, MapView&) override {
    if (cached_) disk.restore(on_disk_);
  }
  std::unique_ptr<Disk> disk_;
  SimDisk::Image on_disk_;
  bool failed_ = false;
  bool cached_ = false;
};

// A length that no checksum covers is wrong once in a while: the reader lands behind the next record.
struct CrcWithoutLength final : Seams {
  class Reader final : public LogReader {
   public:
    explicit Reader(std::unique_ptr<LogReader> reader) : reader_(std::move(reader)) {}
    Result<std::optional<LogGroup>> next() override {
      if (++read_ == 5) (void)reader_->next().ok();
      return reader_->next();
    }

   private:
    std::unique_ptr<LogReader> reader_;
    uint64_t read_ = 0;
  };
  Log& log_below_listener(Log& real) override {
    if (++lives_ % 3 != 0) return real;
    return *(log_ = std::make_unique<LogReadBy<Reader>>(real));
  }
  uint64_t lives_ = 0;
  std::unique_ptr<Log> log_;
};

// Lets the log be trimmed up to a checkpoint that nobody has read back.
struct TrimBeforeVerify final : Seams {
  class HastyView final : public WrappedView {
   public:
    using WrappedView::WrappedView;
    uint64_t trim_position() const override { return real.position(); }
  };
  View& view(View& real) override { return *(view_ = std::make_unique<HastyView>(real)); }
  std::unique_ptr<View> view_;
};

// A checkpoint that is not one atomic batch: the end of it is missing.
struct TornCheckpoint final : Seams {
  class TearingView final : public WrappedView {
   public:
    using WrappedView::WrappedView;
    void submit(ViewBatch batch) override {
      if (batch.puts.size() > 4) batch.puts.resize(batch.puts.size() / 2);
      real.submit(std::move(batch));
    }
  };
  View& view(View& real) override { return *(view_ = std::make_unique<TearingView>(real)); }
  std::unique_ptr<View> view_;
};

// An iterator that skips a key.
struct RowLostInView final : Seams {
  class SkippingView final : public WrappedView {
   public:
    using WrappedView::WrappedView;
    std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) override {
      auto cursor = real.scan(from, to);
      if (!from.empty() && from[0] == 'e' && cursor->valid()) cursor->next();
      return cursor;
    }
  };
  View& view(View& real) override { return *(view_ = std::make_unique<SkippingView>(real)); }
  std::unique_ptr<View> view_;
};

// The events of a row of history get the clocks of the newest one.
struct HistoryDatedLate final : Seams {
  class DatingView final : public WrappedView {
   public:
    using WrappedView::WrappedView;
    void submit(ViewBatch batch) override {
      for (auto& [key, row] : batch.puts)
        if (key.starts_with('h')) row = dated_late(row);
      real.submit(std::move(batch));
    }

   private:
    static Bytes dated_late(const Bytes& row) {
      std::vector<std::pair<HistoryPlace, Group>> events;
      Status read = each_event(row, [&](HistoryPlace place, ByteView event) -> Status {
        PAWL_ASSIGN(Group group, decode_group(place.position, 0, event));
        events.emplace_back(place, std::move(group));
        return {};
      });
      if (!read.ok() || events.empty()) return row;
      ByteWriter out;
      for (auto& [place, group] : events) {
        group.now = events.back().second.now;
        group.wall = events.back().second.wall;
        out.varint(place.position);
        out.varint(place.index);
        out.text(encode(group));
      }
      return out.take();
    }
  };
  View& view(View& real) override { return *(view_ = std::make_unique<DatingView>(real)); }
  std::unique_ptr<View> view_;
};

// A poisoned event: nobody remembers that the process before died of it.
struct PoisonCrashLoop final : Seams {
  class Forgetful final : public ReplayNote {
   public:
    explicit Forgetful(ReplayNote& note) : real(note) {}
    ReplayRemains read() override { return {}; }
    Status write(ByteView bytes) override { return real.write(bytes); }
    void done() override { real.done(); }
    ReplayNote& real;
  };
  ReplayNote& replay_note(ReplayNote& real) override {
    return *(note_ = std::make_unique<Forgetful>(real));
  }
  std::unique_ptr<ReplayNote> note_;
};

// A kill from outside is taken for a death of the event.
struct KillsAccuse final : Seams {
  class Accusing final : public ReplayNote {
   public:
    explicit Accusing(ReplayNote& note) : real(note) {}
    ReplayRemains read() override { return {real.read().note, true}; }
    Status write(ByteView bytes) override { return real.write(bytes); }
    void done() override { real.done(); }
    ReplayNote& real;
  };
  ReplayNote& replay_note(ReplayNote& real) override {
    return *(note_ = std::make_unique<Accusing>(real));
  }
  std::unique_ptr<ReplayNote> note_;
};

template <class Defect>
std::unique_ptr<Seams> make() {
  return std::make_unique<Defect>();
}

}  // namespace

std::vector<Exhibit> storage_exhibits() {
  return {
      {"ack_before_fsync", "NATS JetStream acknowledges before its sync interval",
       "faults crash_in_call", make<AckBeforeFsync>},
      {"fsync_retried", "PostgreSQL's fsyncgate: the second fsync succeeds, the pages are gone",
       "faults write_error short_write engine_crash", make<FsyncRetried>},
      {"full_disk_ignored", "NATS and Redis go on after ENOSPC", "faults disk_full engine_crash",
       make<FullDiskIgnored>},
      {"directory_not_synced", "RocksDB #10573: a rename undone by a power cut",
       "faults crash_in_call engine_crash\nsegment_bytes 16384", make<DirectoryNotSynced>},
      {"damage_read_as_end", "NATS #7549, RocksDB's tolerant recovery: truncation at damage",
       "faults damage_at_rest\nsegment_bytes 16384", make<DamageReadAsEnd>},
      {"old_disk_image", "a wiped or rolled back disk votes as if nothing had happened",
       "faults engine_crash", make<OldDiskImage>},
      {"dedupe_lost_on_failover", "deduplication kept in memory only",
       "faults engine_crash\ncheckpoint_log_bytes 1000000", make<DedupeLostOnFailover>},
      {"timer_lost_on_failover", "a timer lost when its partition moved",
       "faults engine_crash\nfail_permille 500\ncheckpoint_log_bytes 1000000",
       make<TimerLostOnFailover>},
      {"retry_count_lost", "a failure counter kept in memory only: a poison task is tried for ever",
       "faults engine_crash\nfail_permille 500\ncheckpoint_log_bytes 1000000",
       make<RetryCountLost>},
      {"page_cache_believed", "ATC'20: recovery believes pages that only the cache holds",
       "faults write_error short_write engine_crash", make<PageCacheBelieved>},
      {"crc_without_length", "LevelDB's log format: its checksum leaves the length out",
       "faults engine_crash", make<CrcWithoutLength>},
      {"epoch_reused", "two leaders of one term", "faults engine_crash", make<EpochReused>},
      {"trim_before_verify", "Zeebe: the log deleted below a snapshot that cannot be read",
       "faults checkpoint_damaged\ncheckpoint_log_bytes 2000\nsegment_bytes 16384",
       make<TrimBeforeVerify>},
      {"torn_checkpoint", "NATS #7556: a snapshot that was written in part",
       "faults engine_crash\ncheckpoint_log_bytes 2000", make<TornCheckpoint>},
      {"poison_crash_loop",
       "Argo CVE-2026-40886: one malformed workflow crash-loops the controller", "faults poison",
       make<PoisonCrashLoop>},
      {"kills_accuse", "Sidekiq: jobs of a process killed for its memory become poison pills",
       "faults poison", make<KillsAccuse>},
      {"row_lost_in_view", "an index and its records disagree after a restart",
       "faults engine_crash\ncheckpoint_log_bytes 2000", make<RowLostInView>},
      {"history_dated_late",
       "audit trails dated by when they were written, not by when it happened",
       "faults none\ncheckpoint_log_bytes 2000", make<HistoryDatedLate>},
  };
}

}  // namespace pawl::sim
