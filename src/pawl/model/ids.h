// The identifiers of the domain. All are numbers inside one partition, only executions are
// counted across all partitions of a coordinator (Slot); `uuid_of` gives the globally unique form that
// messages carry.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/hash.h"
#include "pawl/base/id.h"

namespace pawl {

using WorkflowId = Id<struct WorkflowTag>;    // one version of one definition; 1, 2, 3 ...
using ExecutionId = Id<struct ExecutionTag>;  // one run of a workflow; 1, 2, 3 ...
using SessionId = Id<struct SessionTag>;      // one connection of one worker; 1, 2, 3 ...
using NodeIndex = uint32_t;                   // place of a node in its workflow, from 0
using ItemIndex = uint32_t;                   // place of an item in a mapped node, from 0
using AttemptNumber = uint32_t;               // 1, 2, 3 ... per task, without gaps

// One unit of work: a node's run (item 0), or one item of a mapped node.
struct TaskKey {
  ExecutionId execution;
  NodeIndex node = 0;
  ItemIndex item = 0;

  friend constexpr auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

// Items [begin, end) of one node of one execution: how grants, results and states are written down,
// so that a million items cost bytes until they run. A plain node is [0, 1).
struct TaskRange {
  ExecutionId execution;
  NodeIndex node = 0;
  ItemIndex begin = 0;
  ItemIndex end = 0;

  ItemIndex size() const { return end - begin; }
  TaskKey at(ItemIndex item) const { return {execution, node, item}; }
  friend constexpr auto operator<=>(const TaskRange&, const TaskRange&) = default;
};

// Which executions are one partition's: of `slots` partitions that share the ids, number `slot` gives
// slot + 1, slot + 1 + slots, and so on. So an id says where its execution is, ids grow about evenly,
// and one partition alone counts 1, 2, 3.
struct Slot {
  uint32_t slot = 0;
  uint32_t slots = 1;

  constexpr bool owns(ExecutionId id) const { return id.value % slots == (slot + 1) % slots; }
  constexpr ExecutionId after(uint64_t last) const { return {last == 0 ? slot + 1 : last + slots}; }
};
constexpr uint32_t slot_of(ExecutionId id, uint32_t slots) {
  return static_cast<uint32_t>((id.value + slots - 1) % slots);
}
// As many partitions as one coordinator has, at most.
constexpr uint32_t partitions_max = 64;

// "e17", the form in which people see and type an execution.
std::string to_text(ExecutionId id);
// "e17" -> 17; 0 when the text is no such id.
ExecutionId execution_from_text(const std::string& text);

// RFC 9562 version 8 UUID made from the cluster's random id and up to three numbers: stable,
// unique while the cluster id is.
std::string uuid_of(Hash128 cluster, uint64_t a, uint64_t b = 0, uint64_t c = 0);

}  // namespace pawl
