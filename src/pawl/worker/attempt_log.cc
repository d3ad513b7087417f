#include "pawl/worker/attempt_log.h"

#include "pawl/model/labels.h"

namespace pawl {
namespace {

void log(Telemetry& telemetry, LogLine line, const std::string& worker, const Grant& grant,
         const TaskRange& range) {
  const RunContext& context = *grant.context;
  line.execution = context.execution;
  line.node = context.definition().id;
  if (range.size() > 1)
    line.message +=
        ": items " + std::to_string(range.begin) + " to " + std::to_string(range.end - 1);
  else if (context.definition().mapped())
    line.item = range.begin;
  line.attempt = grant.attempt;
  line.worker = worker;
  if (context.trace.id != Hash128{}) line.trace = context.trace.id;
  line.name_space = tenant(context.labels);
  line.user = submitter(context.labels);
  telemetry.log(line);
}

}  // namespace

void log_started(Telemetry& telemetry, const std::string& worker, const Grant& grant) {
  if (!telemetry.logs(LogLevel::debug)) return;
  log(telemetry, {.level = LogLevel::debug, .event = "attempt_started", .message = "started"},
      worker, grant, grant.range);
}

void log_ended(Telemetry& telemetry, const std::string& worker, const Grant& grant,
               const AttemptReport& report) {
  LogLevel level = report.succeeded ? LogLevel::debug : LogLevel::info;
  if (!telemetry.logs(level)) return;
  LogLine line{.level = level, .event = "attempt_succeeded", .message = "succeeded"};
  if (!report.succeeded) {
    line.event = "attempt_failed";
    line.message = name(report.kind);
  }
  log(telemetry, std::move(line), worker, grant, report.range);
}

}  // namespace pawl
