// What the verbs do about connections to servers that break: executions go on, and so do their watchers.
//
//   PAWL_ASSIGN(ExecutionId id, submit(session, request));      // once, whatever the connection does
//   ...
//   if (is_out_of_reach(session, error)) PAWL_TRY(come_back(session));   // then ask again
//
// Threading: the session's thread.
#pragma once

#include "pawl/cli/session.h"

namespace pawl::cli {

// The connection to a server has broken, which says nothing about what runs there.
bool is_out_of_reach(Session& session, const Error& error);

// Connects again, with longer and longer pauses, until it works. CANCELLED after an interrupt; any
// other error is the server's last word.
Status come_back(Session& session);

// To a server with a request id, so that asking again is safe. While there is no room it waits for as long as it is
// told to, and asks again.
Result<ExecutionId> submit(Session& session, SubmitRequest request);

}  // namespace pawl::cli
