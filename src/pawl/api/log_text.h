// Lines of the operator's log as text.
//
//   log_text(line, LogFormat::json, now)
//       ->  {"ts":"2026-11-21T10:00:00.123Z","level":"info","event":"execution_ended","message":"succeeded",
//            "execution":"e3","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
//   log_text(line, LogFormat::text, now)
//       ->  2026-11-21T10:00:00.123Z info execution_ended succeeded execution=e3 trace_id=4bf9...
//   log_text(line, LogFormat::plain, now)
//       ->  pawl: succeeded
//
// One line each, with its newline, whatever the message holds; bytes that are no UTF-8 are replaced in JSON.
// Members that do not apply are left out. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/port/telemetry.h"

namespace pawl {

enum class LogFormat : uint8_t { plain, text, json };

struct LogOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::warn;  // and above
  bool chosen = false;              // by a person: the log of a server goes to standard error then
};

const char* name(LogLevel level);
std::string log_text(const LogLine& line, LogFormat format, WallTime now);
// `format`: json or text; empty: nothing was chosen. `level`: debug, info, warn or error; empty: info.
// INVALID_ARGUMENT for anything else.
Result<LogOptions> read_log_options(std::string_view format, std::string_view level);

}  // namespace pawl
