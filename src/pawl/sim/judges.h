// The judges of all partitions. Each hears what concerns its own, and nothing else.
//
//   judges.of(report.range.execution).reported(report, text);
#pragma once

#include <memory>
#include <vector>

#include "pawl/port/transport.h"
#include "pawl/sim/oracle.h"

namespace pawl::sim {

class Judges {
 public:
  Judges(Universe& universe, const Limits& limits, uint32_t partitions, jq::Interpreter* jq) {
    for (uint32_t i = 0; i < partitions; ++i)
      all_.push_back(std::make_unique<Oracle>(universe, limits, jq));
  }

  uint32_t partitions() const { return static_cast<uint32_t>(all_.size()); }
  Oracle& at(uint32_t slot) { return *all_[slot]; }
  Oracle& of(ExecutionId id) { return at(slot_of(id, partitions())); }
  // A client is told that its workflow has this number: wherever it submits to.
  void check_registered(WorkflowId id, const Bytes& definition) {
    for (uint32_t slot = 0; slot < partitions(); ++slot) at(slot).check_registered(id, definition);
  }
  // Of the engine at this address, or null.
  Oracle* of_engine(Address address) {
    for (uint32_t slot = 0; slot < partitions(); ++slot)
      if (engine_address(slot) == address) return all_[slot].get();
    return nullptr;
  }

 private:
  std::vector<std::unique_ptr<Oracle>> all_;
};

}  // namespace pawl::sim
