// Who a certificate or token speaks for, as one URI:
//
//   pawl:worker/default/w1
//   pawl:submitter+reader/team-a/ci-bot
//
// It stands in a certificate as a subject alternative name, so that TLS libraries hand it over whole.
// Names have the form of namespaces; `local` is nobody's (it is whoever opens the state directory).
// Errors: INVALID_ARGUMENT. Threading: any.
#pragma once

#include <string>

#include "pawl/api/access.h"

namespace pawl {

Result<uint8_t> roles_from_text(const std::string& text);  // "submitter+reader": a bit per Role
std::string roles_to_text(uint8_t roles, char between = '+');

std::string identity_uri(const Caller& caller);
Result<Caller> caller_from_uri(const std::string& uri);
// That `caller` may be made: names are well-formed, and there is a role.
Status check_caller(const Caller& caller);

}  // namespace pawl
