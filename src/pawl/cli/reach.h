// What the verbs do about connections to servers that break: executions go on, and so do their watchers.
//
//   PAWL_ASSIGN(ExecutionId id, submit(session, request));      // once, whatever the connection does
//   ...
//   PAWL_TRY(go_on(session, given, Purpose::work, error));      // then ask again
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

// After `error` has ended a watch: comes back to the server, or opens the directory anew whose holder
// has gone (what it accepted is in the log). Any other error comes back. The session may then be closed.
Status go_on(Session& session, const Arguments& given, Purpose purpose, const Error& error);

// To a server with a request id, so that asking again is safe. While there is no room it waits for as long as it is
// told to, and asks again.
Result<ExecutionId> submit(Session& session, SubmitRequest request);

}  // namespace pawl::cli
