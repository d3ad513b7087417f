// The audit trail as files that only grow and cannot be changed unseen: each line begins with the SHA-256
// of the line before it and of itself.
//
//   PAWL_ASSIGN(auto trail, AuditFile::open(directory + "/audit.log", disk, loop));
//   trail->add({...});                                   // on disk soon; the loop is woken then
//   AuditReport report = verify_audit(directory + "/audit.log");
//
//   <64 hex digits> {"number":1,"at":"2024-05-01T00:00:00Z","caller":"ci","namespace":"team-a","call":...}
//
// A file of segment_bytes or more is given the number of its first record as its name,
// audit-000000000001.log, and a new audit.log goes on with the chain: its first line is the hash of the record
// before it, and nothing else. Segments are never removed here; the oldest may be moved elsewhere at any time,
// and are checked there.
//
// What gathers while one write is being synced goes with the next. Records are on disk when they are in the
// journal beside the file (audit_journal.h): the file is synced when that is full, at the end of a segment and at
// close, and what a power cut takes from it is put back at the next open. A last line that a crash has cut off
// was never acknowledged, and is removed at the next open.
// What it cannot show: that the newest lines were cut off whole. Whoever must know keeps the newest number
// and hash elsewhere; `pawl verify` prints them.
//
// Limits: audit_pending_bytes_max wait in memory, beyond which add() waits for the disk. Errors of open():
// DATA_LOSS when the last line is not one; UNAVAILABLE. Threading: add() and durable() on one thread; writing
// is done on a thread of its own.
#pragma once

#include <memory>
#include <optional>

#include "pawl/api/audit.h"
#include "pawl/port/disk.h"
#include "pawl/port/loop.h"

namespace pawl {

inline constexpr const char* audit_file_name = "audit.log";
constexpr size_t audit_pending_bytes_max = 16 << 20;
constexpr uint64_t audit_segment_bytes = 64 << 20;

class AuditFile final : public AuditTrail {
 public:
  // `path`: of the newest file, into which is written, in the root of `disk`; segments lie beside it. Both
  // outlive it.
  static Result<std::unique_ptr<AuditFile>> open(const std::string& path, Disk& disk, Loop& loop,
                                                 uint64_t segment_bytes = audit_segment_bytes);
  ~AuditFile() override;  // what was added is written first

  uint64_t add(AuditRecord record) override;
  Result<uint64_t> durable() override;

 private:
  struct Impl;
  explicit AuditFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct AuditReport {
  uint64_t records = 0;                // that are as they were written
  uint64_t first = 1;                  // number of the first: those before it have been moved away
  uint32_t segments = 0;               // beside the newest file
  std::string newest;                  // hash of the last record
  bool cut_off = false;                // a last line without an end: never acknowledged
  std::optional<std::string> problem;  // "audit.log: line 17: ..."

  uint64_t newest_number() const { return first + records - 1; }
};
// The newest file, and all segments beside it. NOT_FOUND: there is neither.
Result<AuditReport> verify_audit(const std::string& path);

}  // namespace pawl
