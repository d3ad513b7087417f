// Events of an execution as lines for people.
#pragma once

#include <string>
#include <vector>

#include "pawl/partition/query.h"
#include "pawl/partition/request.h"

namespace pawl::cli {

// "count[3..9]: granted, attempt 1"; node names come from the detail.
std::string event_line(const Event& event, const ExecutionDetail& detail);

}  // namespace pawl::cli
