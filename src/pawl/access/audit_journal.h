// Lines that are on disk before the file they go to is: syncing a file that grows costs a journal commit of the
// file system, writing into a file of fixed size costs one write.
//
//   PAWL_ASSIGN(auto journal, AuditJournal::open(disk));
//   journal->found()                          // after a crash: what may be missing in the file
//   journal->begin(file_size);                // all of the file is on disk
//   if (journal->has_room(lines.size())) journal->write(lines);       // on disk when it returns ok
//   else sync the file, and begin() again
//
// Limits: audit_journal_bytes; errors as of port/disk.h. Threading: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pawl/port/disk.h"

namespace pawl {

inline constexpr const char* audit_journal_name = "audit.journal";
constexpr uint64_t audit_journal_bytes = 1 << 20;

class AuditJournal {
 public:
  struct Found {
    uint64_t file_size = 0;  // as of the last begin()
    std::string lines;  // since then; what stands behind them is older, or was never acknowledged
  };

  // In the disk's root directory; made where it is missing.
  static Result<std::unique_ptr<AuditJournal>> open(Disk& disk);

  const Found& found() const { return found_; }
  void begin(uint64_t file_size);
  bool has_room(uint64_t bytes) const { return used_ + bytes <= audit_journal_bytes; }
  Status write(std::string_view lines);

 private:
  explicit AuditJournal(std::unique_ptr<File> file);

  struct Free {
    void operator()(char* memory) const;
  };

  std::unique_ptr<File> file_;
  std::unique_ptr<char, Free>
      image_;  // of the file, as far as it is used; aligned, for direct writes
  uint64_t used_ = 0;
  Found found_;
};

}  // namespace pawl
