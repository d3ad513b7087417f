// What programs write, as the machine of a partition keeps it (port/output_store.h), and the judge of what becomes
// of it: nothing of an execution goes before its forgetting is durable, and nothing stays of one that is nowhere, not
// even what a power cut brought back.
//
//   SimOutputs outputs(universe, log, dice, disk);   // the engine's belongings
//   outputs.wrote(grant.range.execution);            // by an attempt
#pragma once

#include <optional>
#include <set>

#include "pawl/base/random.h"
#include "pawl/port/belongings.h"
#include "pawl/sim/log_model.h"
#include "pawl/sim/universe.h"
#include "pawl/testing/sim_disk.h"

namespace pawl::sim {

class SimOutputs final : public Belongings {
 public:
  // `machine`: whose stop they share.
  SimOutputs(Universe& universe, const LogModel& log, Random dice, const SimDisk& machine)
      : universe_(universe), log_(log), dice_(dice), machine_(machine) {}

  void wrote(ExecutionId execution);
  Result<std::vector<ExecutionId>> owners() override;
  Status drop_owner(ExecutionId owner) override;

  // Removals are not synced.
  void cut_power();
  // At rest, after a start: something is kept for this one, which does not exist.
  std::optional<ExecutionId> left_behind() const;

 private:
  bool is_nowhere(ExecutionId owner) const;

  Universe& universe_;
  const LogModel& log_;
  Random dice_;
  const SimDisk& machine_;
  std::set<ExecutionId> kept_;
  std::set<ExecutionId> removed_;  // since the last power cut
};

}  // namespace pawl::sim
