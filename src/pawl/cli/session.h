// What every verb is given: the console, the command line, the way to the state directory; and what
// every verb needs of them.
//
//   int show(Session& session, const Arguments& given) {
//     if (Status s = session.open(given, Purpose::look); !s.ok()) return session.fail(s.error());
//     Result<ExecutionDetail> detail = session.client().execution(id);
//     if (!detail.ok()) return session.fail(detail.error());
//     ...
//     return session.close();
//   }
#pragma once

#include <memory>
#include <string>

#include "pawl/cli/arguments.h"
#include "pawl/cli/console.h"
#include "pawl/cli/place.h"
#include "pawl/cli/station.h"

namespace pawl::cli {

// Exit codes, the same for all verbs.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,  // the work failed, or the answer is no
  exit_usage = 2,   // the command line or the definition is wrong
  exit_unable = 3,  // the state directory or the server cannot be used
  exit_interrupted = 130,
};

// Counts SIGINT and SIGTERM.
class Interrupts final : public SignalWatcher {
 public:
  void signalled(int signal) override;
  int count() const { return count_; }

 private:
  int count_ = 0;
};

class Session {
 public:
  Session(Console& console, Stations& stations) : console_(console), stations_(stations) {}

  Console& console() { return console_; }
  Station& station() { return *station_; }
  Client& client() { return station_->client(); }
  Interrupts& interrupts() { return interrupts_; }

  // Opens or connects, where the command line and the environment say (place.h); an error's exit
  // code is then exit_unable.
  Status open(const Arguments& given, Purpose purpose);
  Status open(const StationRequest& request);
  // Works for a server; interrupts are counted on its loop.
  Result<std::unique_ptr<Shift>> hire(const ShiftRequest& request);
  bool opened() const { return station_ != nullptr; }
  void drop() { station_.reset(); }
  // Closes what was opened and gives `code`, or exit_unable.
  int close(int code = exit_ok);

  // "pawl: message" on standard error; gives the exit code that fits.
  int fail(const Error& error);
  // A line on standard error, unless the log's level is above `level`.
  void say(const std::string& line, const char* event = "notice", LogLevel level = LogLevel::info);
  // What is said and what fails goes to the log that was asked for, as lines of it.
  void speak_as(const LogOptions& log) { log_ = log; }
  // --log and --log-level, PAWL_LOG
  static Result<LogOptions> log_options(const Arguments& given);

  // --output json
  static bool wants_json(const Arguments& given) { return given.value("output") == "json"; }
  static Status check_output(const Arguments& given);

  // The state directory or the server, for people.
  const std::string& state() const { return place_.name; }
  // The folder of an execution's output files; empty: they are not on this machine.
  std::string output_folder(ExecutionId execution) const;
  // " --state DIR" or its like where a command to be typed needs it.
  const std::string& place_option() const { return place_.option; }

 private:
  Console& console_;
  Stations& stations_;
  std::unique_ptr<Station> station_;
  Interrupts interrupts_;
  Place place_;
  LogOptions log_;
  bool unable_ = false;  // the directory could not be opened
};

}  // namespace pawl::cli
