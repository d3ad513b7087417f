// Namespaces: each is a tenant. Executions and workflows belong to one for as long as they exist, and
// request ids are its own: the same id in two namespaces is two requests.
//
//   PAWL_TRY(check_name_space("team-a"));
//   Hash128 request = hash_in("team-a", "nightly-2024-05-01");
//
// Names: 1 to name_space_bytes_max letters, digits, '.', '_' and '-', beginning with a letter or digit.
// Errors: INVALID_ARGUMENT with the name. Threading: none of its own.
#pragma once

#include <string>

#include "pawl/base/hash.h"
#include "pawl/base/result.h"

namespace pawl {

inline constexpr const char* default_namespace = "default";
inline constexpr size_t name_space_bytes_max = 63;

Status check_name_space(const std::string& name);

// What a request id, or an encoded workflow, is known by. In the default namespace it is hash128(bytes), as
// it was before there were others.
Hash128 hash_in(const std::string& name_space, ByteView bytes);

}  // namespace pawl
