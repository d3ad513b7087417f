#include "pawl/worker/worker_figures.h"

namespace pawl {

void WorkerFigures::take(const AttemptReport& report) {
  uint64_t items = report.range.size();
  (report.succeeded ? succeeded : failed[static_cast<size_t>(report.kind)]) += items;
  if (!report.times || items == 0) return;
  auto divisor = static_cast<int64_t>(items);
  queued.observe({report.times->queued.ns / divisor}, items);
  ran.observe({report.times->ran.ns / divisor}, items);
}

}  // namespace pawl
