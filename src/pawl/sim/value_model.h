// What the expressions of a random workflow (testing/random_workflow.h) must give, computed from what
// the executors said, and what must become of a node. Simple and slow, and none of the engine's code.
//
//   value_of(execution, expression, node, item)      ->  "[1,null,3]"
//   decision(execution, node, limits)                ->  Decision::run
//   result_of(execution)                             ->  "{\"n3\":7}"
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pawl/model/limits.h"
#include "pawl/sim/execution_model.h"

namespace pawl::sim {

// What becomes of a node once everything it needs has ended.
enum class Decision : uint8_t { run, needs_failed, needs_skipped, condition_false, park };
const char* name(Decision decision);  // "needs_failed"

// JSON text. Nothing: evaluating it is an error.
std::optional<std::string> value_of(const ExecutionModel& execution, const Expression& expression,
                                    NodeIndex node, ItemIndex item);
// The items of a node in order. Nothing: an error, or no list and no number.
std::optional<std::vector<std::string>> items_of(const ExecutionModel& execution, NodeIndex node);
// What a task works on when its node says nothing else: its item, or the execution's input.
std::string subject_of(const ExecutionModel& execution, NodeIndex node, ItemIndex item);
Decision decision(const ExecutionModel& execution, NodeIndex node, const Limits& limits);
// The output of an execution that has succeeded.
std::optional<std::string> result_of(const ExecutionModel& execution);

}  // namespace pawl::sim
