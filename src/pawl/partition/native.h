// Plain paths, followed in the pure zone. Everything else is the evaluator's.
#pragma once

#include <optional>
#include <string>

#include "pawl/model/expression.h"
#include "pawl/partition/state.h"

namespace pawl {

// The expression's value as JSON text, if it is a literal or a plain path and all it touches is at
// hand (no blob, not too large). A step that does not exist gives null, as in jq.
std::optional<std::string> native_value(const Execution& execution, const Expression& expression);

// jq's truth: everything but null and false.
bool json_true(std::string_view value);

}  // namespace pawl
