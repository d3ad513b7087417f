#include "pawl/partition/scene.h"

#include <algorithm>

#include "pawl/base/random.h"
#include "pawl/partition/native.h"

namespace pawl {

std::vector<WorkerLoad> worker_loads(const State& state) {
  std::vector<WorkerLoad> workers;
  workers.reserve(state.sessions.size());
  for (const auto& [id, session] : state.sessions) {
    if (session.away || session.usage.leaving) continue;
    const Elsewhere& others = session.elsewhere;
    workers.push_back({id, &session.worker, session.outstanding + others.items, &session.taken,
                       others.taken.empty() ? nullptr : &others.taken, others.bar_ns,
                       session.identity, suspect_from(session) <= state.now});
  }
  return workers;
}

bool StateFacts::neighbours(const TaskRange& tasks, Apart apart, const WorkerLoad& worker) const {
  const Execution* execution = state_.executions.find(tasks.execution);
  if (execution == nullptr || !execution->nodes[tasks.node].work) return false;
  const SmallVector<OpenRange>& open = execution->nodes[tasks.node].work->open;
  return std::any_of(open.begin(), open.end(), [&](const OpenRange& range) {
    if (range.session == worker.session) return true;
    return apart == Apart::zone &&
           state_.sessions.at(range.session).worker.zone == worker.spec->zone;
  });
}

uint64_t StateFacts::key(const TaskRange& tasks) const {
  const Execution* execution = state_.executions.find(tasks.execution);
  if (execution == nullptr) return 0;
  const Expression& key = execution->definition(tasks.node).placement.key;
  uint64_t own = mix64(tasks.execution.value) ^ tasks.node;
  if (!key) return mix64(own) ^ tasks.begin;
  std::optional<std::string> value = native_value(*execution, key);
  return value ? hash128(*value).low : own;
}

}  // namespace pawl
