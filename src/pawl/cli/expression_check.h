// What jq says about the expressions of a definition that are more than paths.
//
//   check_expressions(loaded, file, [&](const std::string& text) { return jq.check(text); });
//
// To compile costs the time of jq's own library each time, so many are compiled as one program, each
// text once; which of them is wrong is looked for only where that fails. Constants are not asked about.
#pragma once

#include <string>

#include "pawl/base/callback.h"
#include "pawl/definition/definition.h"

namespace pawl::cli {

using JqCheck = Callback<Status(const std::string& expression)>;

// Adds to loaded.problems.
void check_expressions(Loaded& loaded, const std::string& file, const JqCheck& check);

}  // namespace pawl::cli
