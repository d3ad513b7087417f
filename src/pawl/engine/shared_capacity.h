// The workers' capacity, shared by the engines of one coordinator: the broker, and who is to be woken.
//
//   SharedCapacity capacity(8, clock);                // partitions; outlives their engines
//   Engine engine({..., &capacity}, {.slot = {3, 8}});
//
// An engine has the turn while it schedules, a few microseconds to a millisecond of each of its groups; nobody
// else schedules meanwhile, so that nothing is given twice. What it cannot know is what another partition
// granted before this process started and whose worker has not resumed its session there yet.
//
// Threading: any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/port/clock.h"
#include "pawl/port/loop.h"
#include "pawl/schedule/broker.h"

namespace pawl {

class SharedCapacity {
 public:
  // `clock`: by which all partitions compare for how long their tasks have waited.
  SharedCapacity(uint32_t partitions, Clock& clock) : clock_(clock), seats_(partitions) {}

  // The engine's loop is woken when it is called. Null: it has gone, and asks for nothing.
  void attach(PartitionNumber partition, Loop* loop);
  // Whether there is room for it now; asking makes it forget.
  bool called(PartitionNumber partition) { return seats_[partition].called.exchange(false); }

  // From before scheduling until after it.
  class Turn {
   public:
    Turn(SharedCapacity& capacity, PartitionNumber partition);
    ~Turn();  // wakes whoever is called
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    Instant now() const { return capacity_.clock_.monotonic(); }
    void hold(const std::vector<Holding>& holdings);
    Elsewhere elsewhere(WorkerNumber worker) const;
    uint64_t granted_elsewhere(const std::string& queue) const;
    void tell(PartitionWord word);

   private:
    SharedCapacity& capacity_;
    PartitionNumber partition_;
    std::lock_guard<std::mutex> lock_;
  };

 private:
  struct Seat {
    Loop* loop = nullptr;
    std::atomic<bool> called = false;
  };
  void wake_called();

  Clock& clock_;
  std::mutex mutex_;
  Broker broker_;
  std::vector<Seat> seats_;
};

}  // namespace pawl
