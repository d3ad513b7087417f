// How an engine schedules where others schedule for the same workers.

#include "pawl/engine/engine.h"
#include "pawl/engine/shared_capacity.h"

namespace pawl {

void Engine::attach_capacity(Loop* loop) {
  if (ports_.capacity != nullptr) ports_.capacity->attach(options_.slot.slot, loop);
}

// Others have left room for what waits here: a group is opened for it.
void Engine::come_if_called() {
  if (ports_.capacity == nullptr) return;
  if (ports_.capacity->called(options_.slot.slot) || std::exchange(worker_came_, false))
    open_group();
}

// Of every session whose worker is known in this life.
std::vector<Holding> Engine::holdings() const {
  std::vector<Holding> holdings;
  for (const auto& [id, session] : partition_->state().sessions) {
    if (Address address = peers_.address_of(id))
      holdings.push_back({address, &session.worker, session.outstanding, session.taken});
  }
  return holdings;
}

void Engine::schedule() {
  if (ports_.capacity == nullptr) return partition_->schedule(dice_.next(), gathering_.out);
  SharedCapacity::Turn turn(*ports_.capacity, options_.slot.slot);
  const State& state = partition_->state();
  const int64_t offset_ns = turn.now().ns - state.now.ns;
  turn.hold(holdings());
  for (const auto& [id, session] : state.sessions) {
    if (Address address = peers_.address_of(id))
      partition_->take_elsewhere(id, turn.elsewhere(address), offset_ns);
    else  // before its Welcome is durable nobody can tell what else it does
      partition_->take_elsewhere(id, {session.worker.credit, {}}, 0);
  }
  PartitionWord word;
  for (const auto& [name, id] : state.queues.by_name()) {
    if (state.queues.at(id).spec.concurrency_max == 0) continue;
    partition_->take_elsewhere(name, turn.granted_elsewhere(name));
    word.queues[name] = 0;
  }
  partition_->schedule(dice_.next(), gathering_.out);
  for (auto& [name, granted] : word.queues) granted = state.queues.find(name)->granted;
  word.holdings = holdings();
  word.waiting = partition_->waiting(offset_ns);
  turn.tell(std::move(word));
}

}  // namespace pawl
