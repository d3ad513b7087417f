#include "pawl/cli/state_replay.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "pawl/adapter/file_blob/file_blob.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/superblock_file.h"
#include "pawl/adapter/wal/wal_reader.h"
#include "pawl/partition/snapshot.h"
#include "pawl/wire/event_codec.h"

namespace pawl::cli {
namespace {

constexpr size_t blob_problems_max = 20;

class NoTelemetry final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};

// A directory that goes with its object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::error_code error;
    std::string pattern = std::filesystem::temp_directory_path(error) / "pawl-verify-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class BlobCheck {
 public:
  BlobCheck(Disk& disk, ReplayedState& result) : blobs_(disk), result_(result) {}

  void check(const Payload& payload) {
    if (!payload.is_blob() || !seen_.insert(payload.ref()).second) return;
    ++result_.blobs;
    Result<Bytes> content = blobs_.get(payload.ref());
    if (content.ok() || result_.blob_problems.size() >= blob_problems_max) return;
    result_.blob_problems.push_back(content.error().message);
  }

  void check(const Execution& execution) {
    check(execution.input);
    check(execution.output);
    for (const NodeRun& run : execution.nodes) {
      if (!run.work) continue;
      check(run.work->output);
      if (!run.work->mapped) continue;
      check(run.work->mapped->items);
      const ItemOutputs& outputs = *run.work->mapped->outputs;
      for (ItemIndex i = 0; i < outputs.count(); ++i) check(outputs.get(i));
    }
  }

 private:
  FileBlob blobs_;
  ReplayedState& result_;
  std::set<BlobRef> seen_;
};

}  // namespace

template <class Take>
Status StateReplay::each_group(uint64_t from, Take take) {
  PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(std::string("log/") + wal::superblock_name));
  PAWL_ASSIGN(wal::SuperblockQuorum quorum, wal::read_superblock(*file, "log"));
  PAWL_ASSIGN(wal::LogShape shape, wal::read_log_shape(disk_, "log", quorum.superblock));
  std::vector<wal::Segment> segments;
  for (const wal::Segment& segment : shape.segments) {
    if (segment.position_before + 1 <= from) segments.clear();
    segments.push_back(segment);
  }
  wal::WalReader reader(disk_, "log", shape.identity, std::move(segments), from);
  while (true) {
    PAWL_ASSIGN(std::optional<LogGroup> record, reader.next());
    if (!record) return {};
    PAWL_TRY(take(*record));
  }
}

// Twice over the log: what is quarantined stands above what it is about, and whose log it is may be said
// below the checkpoint only.
Status StateReplay::replay(Partition& partition, uint64_t from) {
  auto look = [&](const LogGroup& record) -> Status {
    if (auto cluster = cluster_in(record.payload)) PAWL_TRY(partition.belongs_to(*cluster));
    if (record.position < from) return {};
    for (const ExecutionQuarantined& found : quarantines_in(record.payload))
      partition.expect(found);
    return {};
  };
  PAWL_TRY(each_group(1, look));
  return each_group(from, [&](const LogGroup& record) -> Status {
    Result<Group> group = decode_group(record.position, record.epoch, record.payload);
    if (!group.ok()) return std::move(group.error()).within("the log");
    PAWL_TRY(partition.follows(*group));
    partition.replay(*group);
    return {};
  });
}

ReplayedState StateReplay::judge(const Partition& partition) {
  ReplayedState result;
  const State& state = partition.state();
  result.hash = state_hash(state);
  result.executions = state.executions.size();
  BlobCheck blobs(payloads_, result);
  for (const Execution* one = state.executions.next({1}); one != nullptr;
       one = state.executions.next({one->id.value + 1})) {
    blobs.check(*one);
  }
  return result;
}

Result<ReplayedState> StateReplay::from_log() {
  Partition partition(Limits{}, slot_);
  PAWL_TRY(replay(partition, 1));
  return judge(partition);
}

Result<ReplayedState> StateReplay::from_checkpoint(uint64_t position) {
  ScratchDirectory scratch;
  if (scratch.path().empty()) {
    return Error{Code::unavailable,
                 "no temporary directory for a copy of the checkpoint; set TMPDIR"};
  }
  std::error_code error;
  std::filesystem::path view = std::filesystem::path(directory_) / "view";
  for (const auto& entry : std::filesystem::directory_iterator(view, error)) {
    std::string file = entry.path().filename();
    if (!file.starts_with("gen-") || std::stoull(file.substr(4)) != position) continue;
    std::filesystem::copy(entry.path(), scratch.path() + "/" + file,
                          std::filesystem::copy_options::recursive, error);
  }
  if (error) return Error{Code::unavailable, "cannot copy the checkpoint: " + error.message()};
  LinuxClock clock;
  NoTelemetry telemetry;
  PAWL_ASSIGN(std::unique_ptr<LinuxLoop> loop, LinuxLoop::create(clock));
  RocksdbViewOptions options;
  options.directory = scratch.path();
  PAWL_ASSIGN(std::unique_ptr<RocksdbView> opened, RocksdbView::open(options, *loop, telemetry));
  Partition partition(Limits{}, slot_);
  PAWL_TRY(restore(partition.restoring(), *opened));
  PAWL_TRY(replay(partition, opened->position() + 1));
  return judge(partition);
}

}  // namespace pawl::cli
