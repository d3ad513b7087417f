// Bodies packed with gzip (RFC 1952).
//
//   std::string packed = gzip(body);
//   PAWL_ASSIGN(std::string body, gunzip(packed, body_bytes_max));
//
// gunzip() is safe on any bytes and never makes more than `bytes_max`: RESOURCE_EXHAUSTED beyond,
// INVALID_ARGUMENT for what is not gzip. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/result.h"

namespace pawl {

std::string gzip(std::string_view text);
Result<std::string> gunzip(std::string_view packed, uint64_t bytes_max);

}  // namespace pawl
