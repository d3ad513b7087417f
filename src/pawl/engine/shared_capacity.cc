#include "pawl/engine/shared_capacity.h"

namespace pawl {

void SharedCapacity::attach(PartitionNumber partition, Loop* loop) {
  std::lock_guard<std::mutex> lock(mutex_);
  seats_[partition].loop = loop;
  seats_[partition].called = false;
  if (loop == nullptr) broker_.silence(partition);
  wake_called();
}

void SharedCapacity::wake_called() {
  for (PartitionNumber partition : broker_.take_called()) {
    Seat& seat = seats_[partition];
    if (seat.loop != nullptr && !seat.called.exchange(true)) seat.loop->wake();
  }
}

SharedCapacity::Turn::Turn(SharedCapacity& capacity, PartitionNumber partition)
    : capacity_(capacity), partition_(partition), lock_(capacity.mutex_) {
  capacity_.seats_[partition].called = false;
}

SharedCapacity::Turn::~Turn() {
  capacity_.wake_called();
}

void SharedCapacity::Turn::hold(const std::vector<Holding>& holdings) {
  capacity_.broker_.hold(partition_, holdings);
}

Elsewhere SharedCapacity::Turn::elsewhere(WorkerNumber worker) const {
  return capacity_.broker_.elsewhere(partition_, worker);
}

uint64_t SharedCapacity::Turn::granted_elsewhere(const std::string& queue) const {
  return capacity_.broker_.granted_elsewhere(partition_, queue);
}

void SharedCapacity::Turn::tell(PartitionWord word) {
  capacity_.broker_.tell(partition_, std::move(word));
}

}  // namespace pawl
