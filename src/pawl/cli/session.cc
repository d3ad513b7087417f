#include "pawl/cli/session.h"

#include <signal.h>

#include <cstdlib>

#include "pawl/adapter/linux_loop/linux_clock.h"

namespace pawl::cli {
namespace {

// What a person can do about it.
Error with_advice(Error error) {
  if (error.code == Code::unavailable) {
    error.message += "; does `pawl server --http` run there?";
  } else if (error.code == Code::unimplemented) {
    error.message += "; is it a `pawl server --http`, as new as this pawl?";
  } else if (error.code == Code::unauthenticated) {
    error.message +=
        "; PAWL_TOKEN, or --token-file or --certificate of `pawl context add`, says who you are";
  } else if (error.code == Code::failed_precondition) {
    error.message +=
        "; name the file of the authority that has signed it (ca.pem of `pawl init`): PAWL_CA, or "
        "--ca of `pawl context add`";
  }
  return error;
}

}  // namespace

void Interrupts::signalled(int signal) {
  if (signal == SIGINT || signal == SIGTERM) ++count_;
}

Status Session::open(const Arguments& given, Purpose purpose) {
  PAWL_ASSIGN(place_, place_of(given, Variables::of_process()));
  StationRequest request;
  request.directory = place_.directory;
  request.server = place_.server;
  request.purpose = purpose;
  PAWL_ASSIGN(uint64_t jobs, number_of(given, "jobs", 0, 1));
  if (jobs > 100'000) {
    return Error{Code::invalid_argument, "--jobs: at most 100,000 tasks can run at once"};
  }
  request.jobs = static_cast<uint32_t>(jobs);
  PAWL_ASSIGN(request.log, log_options(given));
  return open(request);
}

Status Session::open(const StationRequest& request) {
  if (place_.name.empty()) place_.name = place_.directory = request.directory;
  unable_ = true;
  Result<std::unique_ptr<Station>> station = stations_.open(request);
  if (!station.ok() && request.server) return with_advice(station.error());
  if (!station.ok()) return station.error();
  station_ = std::move(*station);
  unable_ = false;
  return station_->loop().watch_signals(interrupts_);
}

Result<std::unique_ptr<Shift>> Session::hire(const ShiftRequest& request) {
  unable_ = true;
  PAWL_ASSIGN(std::unique_ptr<Shift> shift, stations_.hire(request));
  PAWL_TRY(shift->loop().watch_signals(interrupts_));
  unable_ = false;
  return shift;
}

int Session::close(int code) {
  if (!station_) return code;
  Status closed = station_->close();
  station_.reset();
  console_.flush();
  if (closed.ok()) return code;
  fail(closed.error());
  return exit_unable;
}

int Session::fail(const Error& error) {
  if (log_.chosen) {
    say(error.message, "failed", LogLevel::error);
  } else {
    const Style& style = console_.err_style();
    console_.err(style.paint(Colour::red, "pawl:") + " " + error.message + "\n");
  }
  if (unable_ || error.code == Code::permission_denied || error.code == Code::unauthenticated)
    return exit_unable;
  if (error.code == Code::invalid_argument || error.code == Code::already_exists ||
      error.code == Code::out_of_range) {
    return exit_usage;
  }
  bool gone = station_ && station_->remote() && error.code == Code::unavailable;
  return station_ && !gone ? exit_failed : exit_unable;
}

void Session::say(const std::string& line, const char* event, LogLevel level) {
  if (log_.chosen && level < log_.level) return;
  LogFormat format = log_.chosen ? log_.format : LogFormat::plain;
  LinuxClock clock;
  console_.err(log_text({.level = level, .event = event, .message = line}, format, clock.wall()));
}

Result<LogOptions> Session::log_options(const Arguments& given) {
  const char* inherited = getenv("PAWL_LOG");
  std::string format = given.value("log").value_or(inherited != nullptr ? inherited : "");
  return read_log_options(format, given.value("log-level").value_or(""));
}

Status Session::check_output(const Arguments& given) {
  std::string output = given.value("output").value_or("text");
  if (output == "text" || output == "json") return {};
  return Error{Code::invalid_argument, "--output is text or json, not \"" + output + "\""};
}

std::string Session::output_folder(ExecutionId execution) const {
  return place_.server ? "" : place_.directory + "/output/" + to_text(execution) + "/";
}

}  // namespace pawl::cli
