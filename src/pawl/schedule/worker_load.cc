#include "pawl/schedule/worker_load.h"

#include <algorithm>

namespace pawl {
namespace {

bool has_label(const WorkerSpec& worker, const PlacementRule& rule) {
  if (rule.label == "zone") return worker.zone == rule.value;
  if (rule.label == "worker") return worker.name == rule.value;
  return std::binary_search(worker.labels.begin(), worker.labels.end(),
                            Label{rule.label, rule.value});
}

}  // namespace

bool runs(const WorkerSpec& worker, const LaneKey& lane) {
  if (!worker.runs(lane.type)) return false;
  if (lane.type != NodeType::function) return true;
  return std::binary_search(worker.functions.begin(), worker.functions.end(), lane.function);
}

bool takes_from(const WorkerSpec& worker, const LaneKey& lane) {
  return worker.queues.empty() ||
         std::binary_search(worker.queues.begin(), worker.queues.end(), lane.queue);
}

bool obeys(const WorkerSpec& worker, const LaneKey& lane) {
  for (const PlacementRule& rule : lane.placement.rules) {
    if (rule.kind == RuleKind::require && !has_label(worker, rule)) return false;
    if (rule.kind == RuleKind::forbid && has_label(worker, rule)) return false;
  }
  return true;
}

bool large_enough(const WorkerSpec& worker, const LaneKey& lane) {
  return lane.placement.resources.empty() || fits(lane.placement.resources, worker.capacity) > 0;
}

bool serves(const WorkerSpec& worker, const LaneKey& lane) {
  return runs(worker, lane) && takes_from(worker, lane) && obeys(worker, lane) &&
         large_enough(worker, lane);
}

uint32_t preference(const WorkerSpec& worker, const Placement& placement) {
  uint32_t held = 0;
  for (const PlacementRule& rule : placement.rules) {
    if (rule.kind == RuleKind::prefer && has_label(worker, rule)) ++held;
    if (rule.kind == RuleKind::avoid && !has_label(worker, rule)) ++held;
  }
  return held;
}

uint32_t places(const WorkerLoad& worker, const LaneKey& lane) {
  return lane.at_once ? worker.idle() : worker.free();
}

uint32_t room(const WorkerLoad& worker, const LaneKey& lane) {
  uint32_t free = places(worker, lane);
  if (free == 0 || !serves(*worker.spec, lane)) return 0;
  const Amounts& wanted = lane.placement.resources;
  if (wanted.empty()) return free;
  const Amounts& capacity = worker.spec->capacity;
  if (worker.taken_elsewhere != nullptr) {
    std::vector<uint64_t> taken = *worker.taken_elsewhere;
    if (worker.taken != nullptr && taken.size() < worker.taken->size())
      taken.resize(worker.taken->size());
    for (size_t i = 0; worker.taken != nullptr && i < worker.taken->size(); ++i)
      taken[i] += (*worker.taken)[i];
    return std::min(free, fits(wanted, capacity, taken));
  }
  return std::min(free,
                  worker.taken ? fits(wanted, capacity, *worker.taken) : fits(wanted, capacity));
}

}  // namespace pawl
