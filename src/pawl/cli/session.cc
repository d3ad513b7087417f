#include "pawl/cli/session.h"

#include <signal.h>

#include <cstdlib>

namespace pawl::cli {

void Interrupts::signalled(int signal) {
  if (signal == SIGINT || signal == SIGTERM) ++count_;
}

std::string Session::directory(const Arguments& given) {
  if (std::optional<std::string> named = given.value("state")) return *named;
  const char* variable = std::getenv("PAWL_STATE");
  return variable != nullptr && *variable != '\0' ? variable : ".pawl";
}

Status Session::open(const Arguments& given, Purpose purpose) {
  StationRequest request;
  request.directory = directory(given);
  request.purpose = purpose;
  PAWL_ASSIGN(uint64_t jobs, number_of(given, "jobs", 0, 1));
  if (jobs > 100'000) {
    return Error{Code::invalid_argument, "--jobs: at most 100,000 tasks can run at once"};
  }
  request.jobs = static_cast<uint32_t>(jobs);
  return open(request);
}

Status Session::open(const StationRequest& request) {
  state_ = request.directory;
  unable_ = true;
  PAWL_ASSIGN(station_, stations_.open(request));
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
  const Style& style = console_.err_style();
  console_.err(style.paint(Colour::red, "pawl:") + " " + error.message + "\n");
  if (unable_) return exit_unable;
  if (error.code == Code::invalid_argument || error.code == Code::already_exists ||
      error.code == Code::out_of_range) {
    return exit_usage;
  }
  return station_ ? exit_failed : exit_unable;
}

void Session::say(const std::string& line) {
  console_.err("pawl: " + line + "\n");
}

Status Session::check_output(const Arguments& given) {
  std::string output = given.value("output").value_or("text");
  if (output == "text" || output == "json") return {};
  return Error{Code::invalid_argument, "--output is text or json, not \"" + output + "\""};
}

std::string Session::state_option() const {
  const char* variable = std::getenv("PAWL_STATE");
  bool default_one =
      variable != nullptr && *variable != '\0' ? state_ == variable : state_ == ".pawl";
  return default_one ? "" : " --state " + state_;
}

}  // namespace pawl::cli
