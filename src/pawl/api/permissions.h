// Who may do what: one table, a row per kind of call, and the namespace that a caller is confined to.
//
//   PAWL_TRY(permit(call, caller));               // PERMISSION_DENIED names the roles that would do
//   request.name_space = confinement(caller);     // the engine's walls; empty for an admin
//
// A caller with one of a row's roles may make the call, within its namespace; an admin may make every
// call in every namespace. Nothing is decided anywhere else: doors find out who asks (access.h), the
// gateway asks here, and the engine keeps the namespaces apart (engine.h, Request).
// Errors: PERMISSION_DENIED. Threading: any.
#pragma once

#include <string>

#include "pawl/api/access.h"
#include "pawl/api/call.h"

namespace pawl {

struct Permission {
  size_t kind = 0;       // place in Call
  uint8_t roles = 0;     // bit per Role: any of them
  bool changes = false;  // something other than what is read: it is audited
};

// Of the call that stands at `kind` in Call.
const Permission& permission(size_t kind);

Status permit(const Call& call, const Caller& caller);
// Whether a worker of this caller may open a session and run attempts, of every namespace.
Status permit_work(const Caller& caller);

std::string confinement(const Caller& caller);

// "reader, submitter or admin"
std::string role_names(uint8_t roles);

}  // namespace pawl
