// The log of record of one partition: a conditional durable append, and no more.
//
// Contract (testing/contract/log_contract.h):
//  * Positions are 1, 2, 3 ... without holes. take_over() makes this process the owner with a higher
//    epoch than any before; an append under an older epoch or at another position than tail() + 1 is
//    `conflict` and changes nothing.
//  * `ok` means durable under durability(). `unknown` means it may or may not be there: the log is
//    unusable until it has been opened and read again. Two appends at one position never both succeed.
//  * One append may be in flight; its answer comes once through poll(), after which the next may start.
//  * read() gives groups in order, each verified; DATA_LOSS names file and offset of a corrupt one.
//    It never returns less than what was acknowledged.
//  * trim(before) may drop groups below `before`; first() tells what is left.
//  * take_over() takes no position: the next append after it is still at tail() + 1.
//  * idle() may be called on any turn without an append in flight, and should be once
//    Clock::monotonic() has passed idle_deadline(): it lets the log write down what it knows (which
//    groups were acknowledged), make reserves, and re-judge space(). It may block for one small write.
//  * space(): plenty, soft (refuse new work) or hard (results only); a blocking append whose disk is
//    completely full stays in flight until space returns, and is driven on by poll() and idle().
// Threading: the engine's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/port/disk.h"

namespace pawl {

enum class Durability : uint8_t { volatile_ = 0, crash = 1, local = 2, replicated = 3, quorum = 4 };
const char* name(Durability durability);  // "local-durable"

enum class AppendOutcome : uint8_t { ok, conflict, unknown };

struct AppendDone {
  uint64_t position = 0;
  AppendOutcome outcome = AppendOutcome::ok;
  std::string error;
};

// Whether the caller has something better to do than wait: then the write overlaps with it.
enum class AppendMode : uint8_t { overlapped, blocking };

struct LogGroup {
  uint64_t position = 0;
  uint64_t epoch = 0;
  Bytes payload;
};

class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next group; nothing at the end of the log.
  virtual Result<std::optional<LogGroup>> next() = 0;
  // Where the newest group stands, for people: "log/segment-000000000001 at offset 4096".
  virtual std::string place() const { return "the log"; }
};

class Log {
 public:
  virtual ~Log() = default;
  virtual Result<uint64_t> take_over() = 0;  // the new epoch; nothing can be appended before
  virtual uint64_t first() const = 0;        // lowest readable position; tail() + 1 if empty
  virtual uint64_t tail() const = 0;         // highest durable position; 0 if none
  virtual void append(uint64_t position, Bytes group, AppendMode mode) = 0;
  virtual std::optional<AppendDone> poll() = 0;
  virtual Result<std::unique_ptr<LogReader>> read(uint64_t from) = 0;
  virtual Status trim(uint64_t before) = 0;
  virtual uint64_t bytes() const = 0;  // on disk, for deciding when to checkpoint
  virtual Durability durability() const = 0;
  virtual DiskSpace space() { return DiskSpace::plenty; }
  virtual Instant idle_deadline() const { return Instant::never(); }
  virtual void idle() {}
};

}  // namespace pawl
