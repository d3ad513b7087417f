#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/wal_verify.h"
#include "pawl/base/json.h"
#include "pawl/cli/state_replay.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

// Holds the directory's lock, shared: nobody writes while we read.
class QuietDirectory {
 public:
  static Result<QuietDirectory> enter(const std::string& directory) {
    int fd = open((directory + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return Error{Code::not_found, "there is no state directory " + directory +
                                        "; --state or PAWL_STATE names another"};
    }
    QuietDirectory quiet(fd);
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) return quiet;
    char holder[32] = {};
    ssize_t size = pread(fd, holder, sizeof holder - 1, 0);
    return Error{Code::failed_precondition,
                 "state directory " + directory + " is in use by process " +
                     (size > 0 ? std::string(holder) : "?") + "; end it before verifying"};
  }
  QuietDirectory(QuietDirectory&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  QuietDirectory& operator=(QuietDirectory&&) = delete;
  ~QuietDirectory() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit QuietDirectory(int fd) : fd_(fd) {}
  int fd_;
};

// Lines for people as they come, or one object for machines at the end.
class Findings {
 public:
  Findings(Console& console, bool json) : console_(console), json_(json) {}

  void good(const std::string& line) { add("ok", line, Colour::green); }
  void note(const std::string& line) { add("note", line, Colour::yellow); }
  void bad(const std::string& line) {
    ++problems_;
    add("problem", line, Colour::red);
  }
  size_t problems() const { return problems_; }

  int finish() {
    if (json_) {
      console_.out("{\"problems\":" + std::to_string(problems_) + ",\"findings\":[" + items_ +
                   "]}\n");
    } else {
      console_.out(problems_ == 0 ? "verified: no problems\n"
                                  : std::to_string(problems_) + " problems\n");
    }
    return problems_ == 0 ? exit_ok : exit_failed;
  }

 private:
  void add(const char* kind, const std::string& line, Colour colour) {
    if (json_) {
      items_ += (items_.empty() ? "" : ",") + std::string("{\"kind\":\"") + kind +
                "\",\"text\":" + json_quote(line) + "}";
    } else {
      console_.out(console_.out_style().paint(colour, padded(kind, 7)) + " " + line + "\n");
    }
  }

  Console& console_;
  bool json_;
  size_t problems_ = 0;
  std::string items_;
};

bool check_log(Disk& disk, Findings& findings, WalReport& report) {
  report = verify_wal(disk, "log");
  if (report.problem) {
    findings.bad(report.problem->where + ": " + report.problem->what);
    return false;
  }
  findings.good(
      "log: " + with_commas(report.groups) + " groups, " + bytes_in_words(report.group_bytes) +
      " in " + with_commas(report.segments) + " segments; " +
      with_commas(report.chain_values_checked) + " chain values agree; " +
      (report.closed_cleanly ? "closed cleanly" : "not closed cleanly, which is allowed"));
  return true;
}

// The newest generation that verifies; 0: none.
uint64_t check_view(const std::string& directory, Findings& findings) {
  uint64_t newest = 0;
  Result<std::vector<GenerationReport>> generations = verify_generations(directory);
  if (!generations.ok()) {
    findings.bad("view: " + generations.error().message);
    return 0;
  }
  for (const GenerationReport& one : *generations) {
    std::string name = "checkpoint at group " + with_commas(one.position);
    if (one.verdict.ok()) {
      findings.good(name + ": every block matches its checksum");
      newest = one.position;
    } else {
      findings.bad(name + ": " + one.verdict.error().message);
    }
  }
  if (generations->empty()) findings.note("no checkpoint yet: the log alone holds everything");
  return newest;
}

void check_replay(const std::string& directory, Disk& disk, const WalReport& log,
                  uint64_t checkpoint, Findings& findings) {
  StateReplay replay(disk, directory);
  bool whole = log.first <= 1;
  Result<ReplayedState> from_log = Error{Code::unavailable, ""};
  if (whole) {
    from_log = replay.from_log();
    if (!from_log.ok()) return findings.bad("replay: " + from_log.error().message);
  } else {
    findings.note("the log begins at group " + with_commas(log.first) +
                  ": what was before is in the checkpoint alone");
  }
  Result<ReplayedState> newest = whole ? from_log : Error{Code::unavailable, ""};
  if (checkpoint > 0) {
    Result<ReplayedState> rebuilt = replay.from_checkpoint(checkpoint);
    if (!rebuilt.ok()) return findings.bad("replay: " + rebuilt.error().message);
    if (whole && !(rebuilt->hash == from_log->hash)) {
      return findings.bad("the checkpoint and the log above it give another state than the log");
    }
    newest = std::move(rebuilt);
  }
  if (!newest.ok())
    return findings.bad(
        "the state cannot be rebuilt: no checkpoint, and the log "
        "does not begin at its beginning");
  findings.good(
      "replay: " + with_commas(newest->executions) + " executions" +
      (whole && checkpoint > 0 ? "; log alone and checkpoint with log give the same state" : ""));
  for (const std::string& problem : newest->blob_problems) findings.bad(problem);
  if (newest->blob_problems.empty() && newest->blobs > 0) {
    findings.good(with_commas(newest->blobs) + " payload files match their hashes");
  }
}

}  // namespace

int verb_verify(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  std::string directory = Session::directory(given);
  Result<QuietDirectory> quiet = QuietDirectory::enter(directory);
  if (!quiet.ok()) return session.fail(quiet.error());
  LinuxDiskOptions options;
  options.access = DiskAccess::read_only;
  Result<std::unique_ptr<Disk>> disk = open_linux_disk(directory, options);
  if (!disk.ok()) return session.fail(disk.error());
  Findings findings(session.console(), Session::wants_json(given));
  WalReport log;
  bool good = check_log(**disk, findings, log);
  uint64_t checkpoint = check_view(directory + "/view", findings);
  if (good) check_replay(directory, **disk, log, checkpoint, findings);
  return findings.finish();
}

}  // namespace pawl::cli
