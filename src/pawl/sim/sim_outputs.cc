#include "pawl/sim/sim_outputs.h"

#include <algorithm>

namespace pawl::sim {

void SimOutputs::wrote(ExecutionId execution) {
  if (!machine_.crashed()) kept_.insert(execution);
}

Result<std::vector<ExecutionId>> SimOutputs::owners() {
  return std::vector<ExecutionId>(kept_.begin(), kept_.end());
}

Status SimOutputs::drop_owner(ExecutionId owner) {
  if (machine_.crashed()) return Error{Code::unavailable, "the simulated machine has stopped"};
  if (!is_nowhere(owner))
    universe_.violate("I18",
                      "outputs of " + to_text(owner) + " are removed before it is forgotten");
  if (kept_.erase(owner) > 0) removed_.insert(owner);
  return {};
}

void SimOutputs::cut_power() {
  for (ExecutionId owner : removed_) {
    if (!dice_.chance(300)) continue;
    kept_.insert(owner);
    universe_.reached(Sometimes::removed_output_came_back);
  }
  removed_.clear();
}

std::optional<ExecutionId> SimOutputs::left_behind() const {
  auto found = std::find_if(kept_.begin(), kept_.end(),
                            [&](ExecutionId owner) { return is_nowhere(owner); });
  return found == kept_.end() ? std::nullopt : std::optional(*found);
}

bool SimOutputs::is_nowhere(ExecutionId owner) const {
  const ExecutionModel* known = log_.find(owner);
  return known == nullptr || known->forgotten();
}

}  // namespace pawl::sim
