// Families that the pages of a server and of a worker share: what this process uses, what it has counted
// through Telemetry, and messages between workers and a server.
//
//   write_process(page);     // process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds ...
//
// Figures of /proc are read when they are asked for; one that cannot be read is left out. Any thread.
#pragma once

#include <string_view>

#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/api/exposition.h"
#include "pawl/app/operator_log.h"

namespace pawl {

void write_process(Exposition& page);
void write_notices(const OperatorLog& log, Exposition& page);
void write_messages(const StreamCounts& counts, std::string_view help, Exposition& page);

}  // namespace pawl
