// port/view.h on RocksDB. The view is a picture of the log, so RocksDB's own write-ahead
// log is off: what counts is a *generation*, a RocksDB checkpoint that has been synced,
// read back and verified.
//
//   <directory>/live/            the working database; never trusted when the view is opened
//   <directory>/gen-<position>/  sealed generations, the two newest
//   <directory>/making/          one in the making; removed when the view is opened
//
//   auto view = RocksdbView::open({.directory = state + "/view"}, loop, telemetry);
//   if (!view.ok()) return view.error();           // not writable, or written by a newer Pawl
//   replay(log, (*view)->position() + 1);
//
// Opening takes the newest generation whose table checksums, manifest and position all verify, and
// falls back to the older one, or to the empty view, with a line in the telemetry that names the
// bad file. What verifies is what will be read, from the page cache if it is there: each table was
// read back from the medium when it was sealed, and is again before the first checkpoint of this life
// counts. It happens on the view's own thread; position(), get() and scan() wait for it. A view
// without generations opens without touching RocksDB at all, which then starts with the first
// batch: a short run never pays for it.
//
// The own thread applies one batch at a time and wakes the loop when poll() has an answer. The
// other calls belong to the engine's thread. Destruction waits for the batch in flight; cursors
// must be gone. Errors: RESOURCE_EXHAUSTED (the disk is full: the batch may be submitted again),
// DATA_LOSS (a damaged file, named), PERMISSION_DENIED, FAILED_PRECONDITION (a newer format),
// UNAVAILABLE (other I/O).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pawl/port/loop.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/view.h"

namespace pawl {

struct RocksdbViewOptions {
  std::string directory;
  uint64_t block_cache_bytes = 8 << 20;
  uint64_t write_buffer_bytes = 8 << 20;  // of these, at most two
  int open_files_max = 256;
};

class RocksdbView final : public View {
 public:
  static Result<std::unique_ptr<RocksdbView>> open(const RocksdbViewOptions& options, Loop& loop,
                                                   Telemetry& telemetry);
  ~RocksdbView() override;

  uint64_t position() const override;
  uint64_t trim_position() const override;
  void submit(ViewBatch batch) override;
  void submit_again() override;
  std::optional<Status> poll() override;
  Result<std::optional<Bytes>> get(ByteView key) override;
  std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) override;

 private:
  struct Impl;
  explicit RocksdbView(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// For `pawl verify`: every generation under `directory`, oldest first, read in full and changing
// nothing. Any thread, while no view has the directory open.
struct GenerationReport {
  uint64_t position = 0;
  Status verdict;
};
Result<std::vector<GenerationReport>> verify_generations(const std::string& directory);

}  // namespace pawl
