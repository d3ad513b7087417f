#include "pawl/api/log_text.h"

#include "pawl/api/rfc3339.h"
#include "pawl/base/json.h"
#include "pawl/model/trace.h"

namespace pawl {
namespace {

// Always three digits: lines of one second sort as texts.
std::string stamp(WallTime now) {
  constexpr int64_t millisecond = 1'000'000;
  constexpr int64_t second = 1'000 * millisecond;
  int64_t within = now.ns % second / millisecond;
  std::string text = rfc3339(WallTime{now.ns - now.ns % second});
  std::string digits = std::to_string(1'000 + within).substr(1);
  return text.substr(0, text.size() - 1) + "." + digits + "Z";
}

template <class Member>
void for_each_member(const LogLine& line, Member member) {
  if (line.execution) member("execution", to_text(line.execution));
  if (!line.node.empty()) member("node", line.node);
  if (line.item) member("item", uint64_t{*line.item});
  if (line.attempt != 0) member("attempt", uint64_t{line.attempt});
  if (!line.worker.empty()) member("worker", line.worker);
  if (line.trace) member("trace_id", trace_id_text(*line.trace));
  if (!line.name_space.empty()) member("namespace", line.name_space);
  if (!line.user.empty()) member("user", line.user);
}

std::string json_line(const LogLine& line, WallTime now) {
  JsonWriter out;
  out.begin_object().key("ts").string(stamp(now)).key("level").string(name(line.level));
  out.key("event").string(line.event).key("message").string(line.message);
  for_each_member(line, [&](const char* key, const auto& value) {
    out.key(key);
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, uint64_t>)
      out.number(value);
    else
      out.string(value);
  });
  return out.end_object().take() + "\n";
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text + "\n";
}

std::string text_line(const LogLine& line, WallTime now) {
  std::string text = stamp(now) + " " + name(line.level) + " " + line.event + " " + line.message;
  for_each_member(line, [&](const char* key, const auto& value) {
    text.append(" ").append(key).append("=");
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, uint64_t>)
      text += std::to_string(value);
    else
      text += value;
  });
  return one_line(std::move(text));
}

}  // namespace

const char* name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

std::string log_text(const LogLine& line, LogFormat format, WallTime now) {
  if (format == LogFormat::json) return json_line(line, now);
  if (format == LogFormat::text) return text_line(line, now);
  return one_line("pawl: " + line.message);
}

Result<LogOptions> read_log_options(std::string_view format, std::string_view level) {
  LogOptions options;
  if (format.empty() && level.empty()) return options;
  options.chosen = true;
  options.level = LogLevel::info;
  if (format == "json")
    options.format = LogFormat::json;
  else if (!format.empty() && format != "text")
    return Error{Code::invalid_argument,
                 "--log (or PAWL_LOG) is json or text, not \"" + std::string(format) + "\""};
  if (level.empty()) return options;
  for (LogLevel known : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (level != name(known)) continue;
    options.level = known;
    return options;
  }
  return Error{Code::invalid_argument,
               "--log-level is debug, info, warn or error, not \"" + std::string(level) + "\""};
}

}  // namespace pawl
