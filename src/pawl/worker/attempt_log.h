// Lines of a worker's log about attempts: without what programs wrote, for that may be anything.
//
//   log_started(telemetry, "w1", grant);
//   log_ended(telemetry, "w1", grant, report);     // `debug` for a success, else `info`
//
// Where nobody keeps such a line, it costs a call. Threading: any.
#pragma once

#include <string>

#include "pawl/model/message.h"
#include "pawl/port/telemetry.h"

namespace pawl {

void log_started(Telemetry& telemetry, const std::string& worker, const Grant& grant);
void log_ended(Telemetry& telemetry, const std::string& worker, const Grant& grant,
               const AttemptReport& report);

}  // namespace pawl
