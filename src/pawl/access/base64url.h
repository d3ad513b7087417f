// base64url without padding (RFC 4648, section 5), as tokens have it. Private.
#pragma once

#include <optional>
#include <string>

#include "pawl/base/bytes.h"

namespace pawl {

std::string base64url(ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);  // nothing: it is none

}  // namespace pawl
