#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "pawl/access/audit_file.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/partition_layout.h"
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

  // What follows is about it: "partition 2: ".
  void about(std::string what) { about_ = std::move(what); }
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
                                  : std::to_string(problems_) +
                                        (problems_ == 1 ? " problem\n" : " problems\n"));
    }
    return problems_ == 0 ? exit_ok : exit_failed;
  }

 private:
  void add(const char* kind, const std::string& text, Colour colour) {
    const std::string line = about_ + text;
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
  std::string about_;
  std::string items_;
};

std::string checkpoint_name(uint64_t position) {
  return "checkpoint at group " + with_commas(position);
}

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

// The positions of the generations that verify, oldest first.
std::vector<uint64_t> check_view(const std::string& directory, Findings& findings) {
  std::vector<uint64_t> sound;
  Result<std::vector<GenerationReport>> generations = verify_generations(directory);
  if (!generations.ok()) {
    findings.bad("view: " + generations.error().message);
    return sound;
  }
  for (const GenerationReport& one : *generations) {
    std::string name = checkpoint_name(one.position);
    if (one.verdict.ok()) {
      findings.good(name + ": every block matches its checksum");
      sound.push_back(one.position);
    } else {
      findings.bad(name + ": " + one.verdict.error().message);
    }
  }
  if (generations->empty()) findings.note("no checkpoint yet: the log alone holds everything");
  return sound;
}

// Every way to the state that there is: from the log alone, and from each checkpoint with the log
// above it. All must come to the same.
class Replays {
 public:
  Replays(StateReplay& replay, Findings& findings) : replay_(replay), findings_(findings) {}

  void from_log() { take("the log alone", replay_.from_log()); }
  void from_checkpoint(uint64_t position, const WalReport& log) {
    std::string name = checkpoint_name(position);
    bool joins = position + 1 >= log.first && position <= log.tail;
    if (!joins) {
      failed_ = true;
      return findings_.bad(name + " does not join the log, which has groups " +
                           with_commas(log.first) + " to " + with_commas(log.tail));
    }
    take(name + " with the log above it", replay_.from_checkpoint(position));
  }

  void tell() {
    if (failed_) return;
    if (ways_ == 0)
      return findings_.bad(
          "the state cannot be rebuilt: no checkpoint, and the log "
          "does not begin at its beginning");
    findings_.good("replay: " + with_commas(state_.executions) + " executions" +
                   (ways_ > 1 ? "; " + std::to_string(ways_) +
                                    " ways (the log alone, a checkpoint with the log above it) "
                                    "give the same state"
                              : ""));
    for (const std::string& problem : state_.blob_problems) findings_.bad(problem);
    if (state_.blob_problems.empty() && state_.blobs > 0)
      findings_.good(with_commas(state_.blobs) + " payload files match their hashes");
  }

 private:
  void take(std::string way, Result<ReplayedState> state) {
    if (!state.ok()) {
      failed_ = true;
      return findings_.bad("replay: " + state.error().message);
    }
    if (ways_ > 0 && !(state->hash == state_.hash)) {
      failed_ = true;
      return findings_.bad("replay: " + way + " gives another state than " + first_way_);
    }
    if (ways_++ == 0) first_way_ = std::move(way);
    state_ = std::move(*state);
  }

  StateReplay& replay_;
  Findings& findings_;
  std::string first_way_;
  ReplayedState state_;
  int ways_ = 0;
  bool failed_ = false;
};

void check_replay(StateReplay& replay, const WalReport& log,
                  const std::vector<uint64_t>& checkpoints, Findings& findings) {
  Replays replays(replay, findings);
  if (log.first <= 1) {
    replays.from_log();
  } else {
    findings.note("the log begins at group " + with_commas(log.first) +
                  ": what was before is in the checkpoints alone");
  }
  for (uint64_t position : checkpoints) replays.from_checkpoint(position, log);
  replays.tell();
}

Status check_partition(const std::string& directory, Slot slot, Disk& payloads,
                       Findings& findings) {
  const std::string own = partition_directory(directory, slot.slot);
  if (slot.slots > 1) findings.about("partition " + std::to_string(slot.slot) + ": ");
  LinuxDiskOptions options;
  options.access = DiskAccess::read_only;
  PAWL_ASSIGN(std::unique_ptr<Disk> disk, open_linux_disk(own, options));
  WalReport log;
  bool good = check_log(*disk, findings, log);
  std::vector<uint64_t> checkpoints = check_view(own + "/view", findings);
  StateReplay replay(*disk, own, slot, payloads);
  if (good) check_replay(replay, log, checkpoints, findings);
  findings.about("");
  return {};
}

// Only servers keep one.
void check_audit(const std::string& directory, Findings& findings) {
  Result<AuditReport> report = verify_audit(directory + "/" + audit_file_name);
  if (!report.ok()) return;
  if (report->problem) return findings.bad(*report->problem);
  findings.good(
      "audit: " + with_commas(report->records) + " records, each follows the one before" +
      (report->segments > 0 ? ", in " + with_commas(report->segments + 1) + " files" : "") +
      (report->cut_off ? "; a line that a crash cut off is no record" : ""));
  if (report->first > 1)
    findings.note("audit: the records before number " + std::to_string(report->first) +
                  " have been moved away; they are checked where they are");
  findings.note("audit: the newest record is number " + std::to_string(report->newest_number()) +
                ", hash " + report->newest);
}

}  // namespace

int verb_verify(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  std::string directory = local_directory(given);
  Result<QuietDirectory> quiet = QuietDirectory::enter(directory);
  if (!quiet.ok()) return session.fail(quiet.error());
  LinuxDiskOptions options;
  options.access = DiskAccess::read_only;
  Result<std::unique_ptr<Disk>> disk = open_linux_disk(directory, options);
  if (!disk.ok()) return session.fail(disk.error());
  Result<uint32_t> partitions = partitions_in(**disk);
  if (!partitions.ok()) return session.fail(partitions.error());
  Findings findings(session.console(), Session::wants_json(given));
  for (uint32_t slot = 0; slot < *partitions; ++slot) {
    Status checked = check_partition(directory, {slot, *partitions}, **disk, findings);
    if (!checked.ok()) findings.bad(checked.error().message);
  }
  check_audit(directory, findings);
  return findings.finish();
}

}  // namespace pawl::cli
