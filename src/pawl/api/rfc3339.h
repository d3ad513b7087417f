// Wall time as text: RFC 3339, UTC, as many digits of the second as there are.
//
//   rfc3339(WallTime{1'500'000'000})  ->  "1970-01-01T00:00:01.5Z"
//
// Exact in both directions. Days are counted as in Hinnant, "chrono-Compatible
// Low-Level Date Algorithms".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pawl/base/time.h"

namespace pawl {

std::string rfc3339(WallTime time);
// Only what rfc3339() writes: no offset but Z.
std::optional<WallTime> wall_time_from_rfc3339(std::string_view text);

}  // namespace pawl
