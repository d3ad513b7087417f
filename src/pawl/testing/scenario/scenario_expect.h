// The steps of a scenario that only look. Private to the scenario library.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pawl/model/effect.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/testing/scenario/scenario_text.h"

namespace pawl {

// What was asked of the outside and no step has looked at yet, as words.
struct ScenarioEffects {
  std::vector<std::string> dispatched;  // "e1/m[0..9]#1@w2"
  std::vector<std::string> asked;       // "e1/a:condition", "e1:output"
  std::vector<std::string> recalled;    // "e1/m[5..9]@w1"
  std::vector<std::string> stopped;     // "e1/a"
  std::vector<std::string> settled;     // "e1:succeeded"

  void add(const std::vector<Effect>& effects, const State& state);
};

std::optional<NodeIndex> scenario_node(const Execution& execution, const std::string& id);
// All tasks that the target names; nothing if there is no such node.
std::optional<TaskRange> scenario_range(const State& state, const ScenarioTarget& target);

// Empty: it is as the step says.
std::string expectation(const ScenarioStep& step, PartitionRig& rig, ScenarioEffects& seen);

}  // namespace pawl
