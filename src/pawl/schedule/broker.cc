#include "pawl/schedule/broker.h"

#include <algorithm>

#include "pawl/base/check.h"

namespace pawl {

bool Broker::Worker::serves(WorkKind kind) const {
  return std::binary_search(kinds.begin(), kinds.end(), kind);
}

void Broker::join(WorkerNumber worker, uint32_t capacity, std::vector<WorkKind> kinds) {
  std::sort(kinds.begin(), kinds.end());
  workers_[worker] = {capacity, capacity, std::move(kinds), {}};
}

void Broker::leave(WorkerNumber worker) {
  workers_.erase(worker);
}

void Broker::want(PartitionNumber partition, std::vector<Demand> demands) {
  wants_[partition] = std::move(demands);
}

void Broker::give_back(PartitionNumber partition, WorkerNumber worker, uint32_t items) {
  auto known = workers_.find(worker);
  if (known == workers_.end()) return;  // it has left, and its capacity with it
  uint32_t& held = known->second.held[partition];
  PAWL_CHECK(items <= held, "a partition gives back more than it was offered");
  held -= items;
  known->second.free += items;
}

// Of those that some worker with room could serve.
std::optional<Broker::Best> Broker::best_demand() {
  std::optional<Best> best;
  for (auto& [partition, demands] : wants_) {
    for (Demand& demand : demands) {
      if (demand.items == 0 || freest(demand.kind) == nullptr) continue;
      if (!best || demand.head < best->demand->head) best = Best{partition, &demand};
    }
  }
  return best;
}

// The one with the largest free share of its capacity.
Broker::Worker* Broker::freest(WorkKind kind) {
  Worker* best = nullptr;
  for (auto& [number, worker] : workers_) {
    if (worker.free == 0 || !worker.serves(kind)) continue;
    if (best == nullptr ||
        uint64_t{worker.free} * best->capacity > uint64_t{best->free} * worker.capacity)
      best = &worker;
  }
  return best;
}

std::vector<Offer> Broker::take_offers() {
  std::vector<Offer> offers;
  while (std::optional<Best> best = best_demand()) {
    Worker* worker = freest(best->demand->kind);
    uint32_t items = std::min(worker->free, best->demand->items);
    worker->free -= items;
    worker->held[best->partition] += items;
    best->demand->items -= items;
    auto number = std::find_if(workers_.begin(), workers_.end(),
                               [&](const auto& one) { return &one.second == worker; });
    offers.push_back({best->partition, number->first, best->demand->kind, items});
  }
  return offers;
}

std::optional<Head> Broker::bar(PartitionNumber partition, WorkerNumber worker) const {
  auto known = workers_.find(worker);
  std::optional<Head> best;
  for (const auto& [other, demands] : wants_) {
    if (other == partition || known == workers_.end()) continue;
    for (const Demand& demand : demands) {
      if (demand.items == 0 || !known->second.serves(demand.kind)) continue;
      if (!best || demand.head < *best) best = demand.head;
    }
  }
  return best;
}

uint32_t Broker::free(WorkerNumber worker) const {
  auto known = workers_.find(worker);
  return known == workers_.end() ? 0 : known->second.free;
}

uint32_t Broker::held(PartitionNumber partition, WorkerNumber worker) const {
  auto known = workers_.find(worker);
  if (known == workers_.end()) return 0;
  auto held = known->second.held.find(partition);
  return held == known->second.held.end() ? 0 : held->second;
}

}  // namespace pawl
