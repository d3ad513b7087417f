// From errno to an Error: the code by what the caller should do, the message with path and remedy.
#pragma once

#include <string>

#include "pawl/base/result.h"

namespace pawl {

enum class DiskOperation : uint8_t { write, other };

Error disk_error(int number, DiskOperation operation, const std::string& what,
                 const std::string& path);

}  // namespace pawl
