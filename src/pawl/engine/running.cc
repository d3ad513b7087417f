#include "pawl/engine/running.h"

#include <algorithm>

namespace pawl {
namespace {

uint64_t limit_running(TaskCounts& counts, uint64_t said) {
  uint64_t running = std::min(counts.running, said);
  counts.ready += counts.running - running;
  counts.running = running;
  return running;
}

void tell(ExecutionDetail& detail, const Peers& peers) {
  std::map<NodeIndex, uint64_t> said = peers.running(detail.summary.id);
  uint64_t sum = 0;
  for (NodeIndex node = 0; node < detail.nodes.size(); ++node)
    sum += limit_running(detail.nodes[node].tasks, said[node]);
  limit_running(detail.summary.tasks, sum);
}

void tell(ExecutionSummary& summary, const Peers& peers) {
  if (summary.tasks.running == 0) return;
  uint64_t sum = 0;
  for (const auto& [node, count] : peers.running(summary.id)) sum += count;
  limit_running(summary.tasks, sum);
}

void tell(Overview& overview, const Peers& peers) {
  uint64_t running = std::min(overview.running, peers.running());
  overview.ready += overview.running - running;
  overview.running = running;
}

}  // namespace

void tell_running(QueryResult& result, const Peers& peers) {
  if (auto* detail = std::get_if<ExecutionDetail>(&result)) return tell(*detail, peers);
  if (auto* overview = std::get_if<Overview>(&result)) return tell(*overview, peers);
  auto* list = std::get_if<ExecutionList>(&result);
  if (list == nullptr) return;
  for (ExecutionSummary& summary : list->executions) tell(summary, peers);
}

}  // namespace pawl
