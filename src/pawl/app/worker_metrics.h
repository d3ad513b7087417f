// What a worker process says about itself, under its names at Prometheus; docs/operations.md says what each
// means.
//
//   WorkerMetrics metrics(*workshop, *transport, operator_log);
//   metrics.write(page);
//
// Threading: the loop's thread.
#pragma once

#include "pawl/adapter/grpc/stream_client.h"
#include "pawl/api/exposition.h"
#include "pawl/app/operator_log.h"
#include "pawl/app/workshop.h"

namespace pawl {

class WorkerMetrics final : public MetricSource {
 public:
  WorkerMetrics(const Workshop& workshop, const StreamClient& transport, const OperatorLog& log)
      : workshop_(workshop), transport_(transport), log_(log) {}
  void write(Exposition& page) const override;

 private:
  const Workshop& workshop_;
  const StreamClient& transport_;
  const OperatorLog& log_;
};

}  // namespace pawl
