// Reads groups in order from segments whose ends are known; everything it meets must be intact, so
// whatever is not is DATA_LOSS that names file and offset.
//
// Threading: one caller; independent of the log that goes on appending.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/adapter/wal/log_shape.h"
#include "pawl/port/log.h"

namespace pawl::wal {

class WalReader final : public LogReader {
 public:
  // `segments` ascend; the first of them holds `from` or ends before it.
  WalReader(Disk& disk, std::string directory, LogIdentity identity, std::vector<Segment> segments,
            uint64_t from);

  Result<std::optional<LogGroup>> next() override;
  std::string place() const override;

 private:
  Status enter_segment();
  Status check(const CursorStep& step);

  Disk& disk_;
  std::string directory_;
  LogIdentity identity_;
  std::vector<Segment> segments_;
  uint64_t from_;
  size_t index_ = 0;
  std::unique_ptr<File> file_;
  std::optional<RecordCursor> cursor_;
  uint64_t position_ = 0;  // of the last group read
  uint64_t segment_ = 0;   // where it stands
  uint64_t offset_ = 0;
  uint64_t epoch_ = 0;
};

}  // namespace pawl::wal
