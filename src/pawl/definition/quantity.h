// Numbers with units, as people write them: "1.5s", "64KiB", "0.1".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl {

constexpr Duration quantity_duration_max = Duration::hours(24 * 36'500);

// ns us ms s m h d; above zero, at most a hundred years.
Result<Duration> parse_duration(std::string_view text);

// B, KB MB GB TB (powers of 1000), KiB MiB GiB TiB (of 1024); above zero.
Result<uint64_t> parse_size(std::string_view text);

// "2.5" -> 2500. At most three digits behind the point.
Result<uint32_t> parse_permille(std::string_view text, uint32_t max_permille);

}  // namespace pawl
