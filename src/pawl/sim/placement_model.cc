#include "pawl/sim/placement_model.h"

#include <algorithm>

namespace pawl::sim {
namespace {

bool has(const WorkerSpec& worker, const std::string& label, const std::string& value) {
  if (label == "zone") return worker.zone == value;
  if (label == "worker") return worker.name == value;
  return std::find(worker.labels.begin(), worker.labels.end(), Label{label, value}) !=
         worker.labels.end();
}

}  // namespace

void PlacementModel::opened(SessionId session, const WorkerSpec& worker) {
  workers_[session] = {worker, {}};
}

void PlacementModel::configured(const QueueSpec& queue, Instant now) {
  QueueModel& known = queues_[queue.name];
  if (known.spec.rate_permille != queue.rate_permille || known.spec.burst != queue.burst) {
    known.water = 0;
    known.since = now;
  }
  known.spec = queue;
}

// A grant pours a whole one in; the rate lets it run off; never more than the burst stands in it.
std::string PlacementModel::pour(QueueModel& queue, Instant now) {
  if (queue.spec.rate_permille == 0) return "";
  constexpr uint64_t grant = 1'000'000'000'000;
  auto passed = static_cast<uint64_t>((now - queue.since).ns);
  uint64_t gone = 0;
  bool dry = __builtin_mul_overflow(passed, queue.spec.rate_permille, &gone) || gone >= queue.water;
  queue.water = (dry ? 0 : queue.water - gone) + grant;
  queue.since = now;
  if (queue.water <= queue.spec.burst * grant) return "";
  return "queue " + queue.spec.name + " grants faster than its rate";
}

std::string PlacementModel::granted(SessionId session, const Node& node, Instant now) {
  QueueModel& queue = queues_[node.queue];
  if (queue.spec.paused) return "a grant from queue " + node.queue + ", which is paused";
  ++queue.granted;
  if (queue.spec.concurrency_max > 0 && queue.granted > queue.spec.concurrency_max)
    return "queue " + node.queue + " has more granted than it may";
  coverage_.reached_if(
      queue.spec.concurrency_max > 0 && queue.granted == queue.spec.concurrency_max,
      Sometimes::queue_full);
  if (std::string wrong = pour(queue, now); !wrong.empty()) return wrong;
  coverage_.reached_if(queue.spec.rate_permille > 0, Sometimes::queue_rate_kept);
  WorkerModel& worker = workers_[session];
  const std::vector<std::string>& queues = worker.spec.queues;
  if (!queues.empty() && std::find(queues.begin(), queues.end(), node.queue) == queues.end())
    return "worker " + worker.spec.name + " does not serve queue " + node.queue;
  for (const PlacementRule& rule : node.placement.rules) {
    bool held = has(worker.spec, rule.label, rule.value);
    if ((rule.kind == RuleKind::require && !held) || (rule.kind == RuleKind::forbid && held))
      return "worker " + worker.spec.name + " breaks a rule about " + rule.label;
  }
  for (const Amount& wanted : node.placement.resources) {
    uint64_t& taken = worker.held[wanted.name];
    taken += wanted.amount;
    uint64_t offered = 0;
    for (const Amount& one : worker.spec.capacity)
      if (one.name == wanted.name) offered = one.amount;
    if (taken > offered)
      return "worker " + worker.spec.name + " is given " + std::to_string(taken) + " " +
             wanted.name + " of " + std::to_string(offered);
    coverage_.reached_if(taken == offered, Sometimes::resource_used_up);
  }
  return "";
}

void PlacementModel::released(SessionId session, const Node& node) {
  --queues_[node.queue].granted;
  auto worker = workers_.find(session);
  if (worker == workers_.end()) return;
  for (const Amount& wanted : node.placement.resources)
    worker->second.held[wanted.name] -= wanted.amount;
}

std::string PlacementModel::held() const {
  for (const auto& [name, queue] : queues_)
    if (queue.granted != 0) return "queue " + name + " counts tasks that are over";
  for (const auto& [session, worker] : workers_)
    for (const auto& [name, amount] : worker.held)
      if (amount != 0) return "worker " + worker.spec.name + " still holds " + name;
  return "";
}

}  // namespace pawl::sim
