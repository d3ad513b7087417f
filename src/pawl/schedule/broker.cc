#include "pawl/schedule/broker.h"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

void add(std::vector<uint64_t>& sum, const std::vector<uint64_t>& more) {
  if (sum.size() < more.size()) sum.resize(more.size());
  for (size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
}

bool some_less(const std::vector<uint64_t>& now, const std::vector<uint64_t>& before) {
  for (size_t i = 0; i < before.size(); ++i)
    if ((i < now.size() ? now[i] : 0) < before[i]) return true;
  return false;
}

}  // namespace

uint32_t Broker::Worker::room(const LaneKey& lane) const {
  WorkerLoad load;
  load.spec = &spec;
  load.outstanding = all.items;
  if (!all.taken.empty()) load.taken = &all.taken;
  return pawl::room(load, lane);
}

Broker::Held Broker::Worker::without(PartitionNumber partition) const {
  Held others;
  for (const auto& [holder, some] : held) {
    if (holder == partition) continue;
    others.items += some.items;
    add(others.taken, some.taken);
  }
  return others;
}

int64_t Broker::bar(PartitionNumber partition, WorkerNumber number, const Worker& worker) const {
  int64_t bar = Elsewhere::no_bar;
  for (const auto& [other, wants] : wants_) {
    if (other == partition) continue;
    for (const Want& want : wants) {
      if (want.front.due_ns >= bar || want.passed.contains(number)) continue;
      if (worker.room(want.front.lane) > 0) bar = want.front.due_ns;
    }
  }
  return bar;
}

Elsewhere Broker::elsewhere(PartitionNumber partition, WorkerNumber number) const {
  auto known = workers_.find(number);
  if (known == workers_.end()) return {};
  Held others = known->second.without(partition);
  int64_t highest = bar(partition, number, known->second);
  return {others.items, std::move(others.taken), highest};
}

uint64_t Broker::granted_elsewhere(PartitionNumber partition, const std::string& queue) const {
  uint64_t sum = 0;
  for (const auto& [other, granted] : queues_) {
    auto found = granted.find(queue);
    if (other != partition && found != granted.end()) sum += found->second;
  }
  return sum;
}

void Broker::hold(PartitionNumber partition, const std::vector<Holding>& holdings) {
  std::set<WorkerNumber> freed;  // or new to the partition
  std::set<WorkerNumber> mine;
  for (const Holding& holding : holdings) {
    Worker& worker = workers_[holding.worker];
    worker.spec = *holding.spec;
    auto [held, fresh] = worker.held.try_emplace(partition);
    bool less = holding.items < held->second.items || some_less(holding.taken, held->second.taken);
    if (fresh || less) freed.insert(holding.worker);
    held->second = {holding.items, holding.taken};
    mine.insert(holding.worker);
  }
  for (auto it = workers_.begin(); it != workers_.end();) {
    Worker& worker = it->second;
    if (!mine.contains(it->first) && worker.held.erase(partition) > 0) freed.insert(it->first);
    worker.all = {};
    for (const auto& [holder, held] : worker.held) {
      worker.all.items += held.items;
      add(worker.all.taken, held.taken);
    }
    it = worker.held.empty() ? workers_.erase(it) : std::next(it);
  }
  for (auto& [other, wants] : wants_) {
    for (Want& want : wants)
      for (WorkerNumber number : freed) want.passed.erase(number);
  }
}

// A queue that was full for everybody is not any more: whoever passed because of that looks again.
void Broker::take_queues(PartitionNumber partition, std::map<std::string, uint64_t> granted) {
  std::map<std::string, uint64_t>& before = queues_[partition];
  for (const auto& [queue, count] : before) {
    auto now = granted.find(queue);
    if (now != granted.end() && now->second >= count) continue;
    for (auto& [other, wants] : wants_) {
      for (Want& want : wants)
        if (other != partition && want.front.lane.queue == queue) want.passed.clear();
    }
  }
  before = std::move(granted);
}

void Broker::tell(PartitionNumber partition, PartitionWord word) {
  called_.erase(partition);
  hold(partition, word.holdings);
  std::vector<Want>& wants = wants_[partition];
  wants.clear();
  for (WaitingLane& front : word.waiting) wants.push_back({std::move(front), {}});
  // What it could take and left, it has passed.
  for (const auto& [number, worker] : workers_) {
    int64_t highest = bar(partition, number, worker);
    for (Want& want : wants)
      if (want.front.due_ns <= highest && worker.room(want.front.lane) > 0)
        want.passed.insert(number);
  }
  take_queues(partition, std::move(word.queues));
  call_whom_it_concerns();
}

void Broker::silence(PartitionNumber partition) {
  wants_.erase(partition);
  called_.erase(partition);
  call_whom_it_concerns();
}

void Broker::call_whom_it_concerns() {
  for (const auto& [number, worker] : workers_) {
    if (worker.all.items >= worker.spec.credit) continue;
    const Want* best = nullptr;
    PartitionNumber whose = 0;
    for (const auto& [partition, wants] : wants_) {
      for (const Want& want : wants) {
        if (best != nullptr && best->front.due_ns <= want.front.due_ns) continue;
        if (want.passed.contains(number) || worker.room(want.front.lane) == 0) continue;
        best = &want;
        whose = partition;
      }
    }
    if (best != nullptr) called_.insert(whose);
  }
}

std::vector<PartitionNumber> Broker::take_called() {
  std::vector<PartitionNumber> called(called_.begin(), called_.end());
  called_.clear();
  return called;
}

}  // namespace pawl
