// What the process that holds a state directory uses of its machine, under its names at Prometheus: memory,
// processor time and descriptors, the room left on the disk, messages of workers, and what was counted
// through Telemetry.
//
//   HostMetrics metrics(".pawl", operator_log, door);
//   metrics.write(page);
//
// Figures of /proc are read when they are asked for; one that cannot be read is left out.
// Threading: the loop's thread.
#pragma once

#include <string>

#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/api/exposition.h"
#include "pawl/app/operator_log.h"

namespace pawl {

class HostMetrics final : public MetricSource {
 public:
  // `door` may be null: there are no workers of other processes.
  HostMetrics(std::string directory, const OperatorLog& log, const StreamServer* door)
      : directory_(std::move(directory)), log_(log), door_(door) {}
  void write(Exposition& page) const override;

 private:
  std::string directory_;
  const OperatorLog& log_;
  const StreamServer* door_;
};

}  // namespace pawl
