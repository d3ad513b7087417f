// A connected worker as the scheduler sees it, and whether it can take what waits in a lane.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "pawl/model/message.h"

namespace pawl {

// What a worker can or cannot serve: tasks that are alike in this wait in one lane.
struct LaneKey {
  std::string queue;
  NodeType type = NodeType::process;
  std::string function{};  // type function only
  Placement placement{};
  bool at_once =
      false;  // only to where a slot is free: the node's timeout.queue ends with the grant

  friend bool operator==(const LaneKey&, const LaneKey&) = default;
};

struct WorkerLoad {
  SessionId session;
  const WorkerSpec* spec = nullptr;
  uint32_t outstanding = 0;                      // items granted and not reported, by anybody
  const std::vector<uint64_t>* taken = nullptr;  // of spec->capacity, parallel to it; null: nothing
  const std::vector<uint64_t>* taken_elsewhere = nullptr;  // by other partitions; null: nothing
  int64_t bar_ns =
      INT64_MAX;          // only for what is at least as urgent: more urgent tasks wait elsewhere
  uint64_t identity = 0;  // hash of its name: the same in its next session
  bool suspect = false;   // not heard from: it gets nothing new

  uint32_t free() const {
    return !suspect && spec->credit > outstanding ? spec->credit - outstanding : 0;
  }
  // Slots for which it has nothing.
  uint32_t idle() const {
    return std::min(free(), spec->slots - std::min(spec->slots, outstanding));
  }
  // Tasks that it holds and cannot have begun, each in a slot of its own.
  uint32_t waiting() const { return outstanding - std::min(spec->slots, outstanding); }
};

// The steps of "can this worker run what waits in this lane at all?", in the order of serves().
bool runs(const WorkerSpec& worker, const LaneKey& lane);          // type and function
bool takes_from(const WorkerSpec& worker, const LaneKey& lane);    // its queue
bool obeys(const WorkerSpec& worker, const LaneKey& lane);         // required and forbidden labels
bool large_enough(const WorkerSpec& worker, const LaneKey& lane);  // with nothing taken
bool serves(const WorkerSpec& worker, const LaneKey& lane);

// How many of the node's preferences hold for the worker.
uint32_t preference(const WorkerSpec& worker, const Placement& placement);

// The same without a look at what they need.
uint32_t places(const WorkerLoad& worker, const LaneKey& lane);
// How many tasks of the lane it could take now; 0: it is full, or does not serve it.
uint32_t room(const WorkerLoad& worker, const LaneKey& lane);

}  // namespace pawl
