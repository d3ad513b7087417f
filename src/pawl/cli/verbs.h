// The verbs: each takes what was typed and gives the exit code. What it prints goes
// through the session's console.
#pragma once

#include "pawl/cli/session.h"

namespace pawl::cli {

using Verb = int (*)(Session&, const Arguments&);

// verb_run.cc
int verb_run(Session& session, const Arguments& given);
int verb_resume(Session& session, const Arguments& given);
// verb_each.cc
int verb_each(Session& session, const Arguments& given);
// verb_ask.cc
int verb_list(Session& session, const Arguments& given);
int verb_show(Session& session, const Arguments& given);
int verb_history(Session& session, const Arguments& given);
int verb_why(Session& session, const Arguments& given);
// verb_change.cc
int verb_cancel(Session& session, const Arguments& given);
int verb_dead_letters(Session& session, const Arguments& given);
// verb_queue.cc
int verb_queue(Session& session, const Arguments& given);
int verb_workers(Session& session, const Arguments& given);
// verb_top.cc
int verb_top(Session& session, const Arguments& given);
// verb_forget.cc
int verb_forget(Session& session, const Arguments& given);
// verb_logs.cc
int verb_logs(Session& session, const Arguments& given);
// verb_definition.cc
int verb_validate(Session& session, const Arguments& given);
int verb_graph(Session& session, const Arguments& given);
// verb_context.cc
int verb_context(Session& session, const Arguments& given);
// verb_access.cc
int verb_init(Session& session, const Arguments& given);
int verb_certificate(Session& session, const Arguments& given);
int verb_token(Session& session, const Arguments& given);
// bench_verb.cc
int verb_bench(Session& session, const Arguments& given);
// verb_server.cc
int verb_server(Session& session, const Arguments& given);
int verb_worker(Session& session, const Arguments& given);
// verb_verify.cc
int verb_verify(Session& session, const Arguments& given);

}  // namespace pawl::cli
