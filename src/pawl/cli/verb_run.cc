#include <unistd.h>

#include <algorithm>

#include "pawl/base/json.h"
#include "pawl/cli/guests.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/reach.h"
#include "pawl/cli/report.h"
#include "pawl/cli/verbs.h"
#include "pawl/cli/watch.h"
#include "pawl/model/limits.h"

namespace pawl::cli {
namespace {

Result<SubmitRequest> request_of(const Arguments& given) {
  const Limits limits;
  SubmitRequest request;
  request.file_name = given.positionals().front();
  PAWL_ASSIGN(request.definition, read_text(request.file_name, limits.definition_bytes_max));
  std::optional<std::string> input_file = given.value("input-file");
  if (input_file && given.has("input")) {
    return Error{Code::invalid_argument, "--input and --input-file cannot be given together"};
  }
  if (input_file) {
    PAWL_ASSIGN(request.input_json, read_text(*input_file, limits.input_bytes_max));
    Status valid = json_validate(request.input_json);
    if (!valid.ok()) {
      return Error{Code::invalid_argument, *input_file + " is not JSON: " + valid.error().message};
    }
  } else {
    PAWL_ASSIGN(request.input_json, object_from_pairs(given.values("input"), "--input"));
  }
  PAWL_ASSIGN(request.labels_json, object_from_pairs(given.values("label"), "--label"));
  request.request_id = given.value("request-id").value_or("");
  PAWL_TRY(check_text(request.request_id, "--request-id"));
  request.traceparent = traceparent_of(given.value("traceparent"));
  PAWL_ASSIGN(request.directory, current_directory());
  return request;
}

int refused(Session& session, const Error& error) {
  int code = session.fail(error);
  return session.interrupts().count() > 0 ? exit_interrupted : code;
}

DisplayKind display_of(const Arguments& given) {
  if (Session::wants_json(given)) return DisplayKind::machines;
  return given.has("quiet") ? DisplayKind::none : DisplayKind::people;
}

void announce(Session& session, const Arguments& given, ExecutionId execution) {
  if (!Session::wants_json(given)) return;
  JsonWriter json;
  json.begin_object().key("event").string("started").key("execution").string(to_text(execution));
  session.console().out(json.end_object().take() + "\n");
  session.console().flush();
}

int follow(Session& session, const Arguments& given, ExecutionId execution) {
  std::string again = "resume " + to_text(execution);
  while (true) {
    std::unique_ptr<Display> display = make_display(session.console(), display_of(given));
    Watched watched = watch(session, *display, execution);
    if (watched.end == WatchEnd::interrupted) return leave(session, execution, again);
    if (watched.end == WatchEnd::settled) {
      bool json = Session::wants_json(given);
      return json ? report_json(session, watched.detail) : report(session, watched.detail);
    }
    Status back = go_on(session, given, Purpose::work, *watched.error);
    if (session.opened() && session.interrupts().count() > 0)
      return leave(session, execution, again);
    if (!back.ok()) return session.fail(back.error());
  }
}

void mention_others(Session& session, std::vector<ExecutionId> others, ExecutionId own) {
  if (!session.station().holds()) return;
  std::erase(others, own);
  if (!others.empty()) session.say("unfinished here, and going on meanwhile: " + names_of(others));
}

// It goes on in the process that holds the directory, or at the server.
Status can_be_left(Session& session) {
  if (!session.station().holds()) return {};
  return Error{Code::failed_precondition,
               "--detach: nobody else holds " + session.state() +
                   ", and nothing would run it; start `pawl server --jobs N` there first"};
}

// Nothing is made for `resume`: what is not there cannot be resumed.
Status must_exist(const Arguments& given) {
  PAWL_ASSIGN(Place place, place_of(given, Variables::of_process()));
  if (place.server || access(place.directory.c_str(), F_OK) == 0) return {};
  return Error{Code::not_found, "there is no state directory " + place.directory +
                                    "; --state or PAWL_STATE names another"};
}

}  // namespace

int verb_run(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  Result<SubmitRequest> request = request_of(given);
  if (!request.ok()) {
    session.fail(request.error());
    return exit_usage;
  }
  if (Status opened = session.open(given, Purpose::work); !opened.ok()) {
    return session.fail(opened.error());
  }
  if (given.has("detach")) {
    Status leaving = can_be_left(session);
    if (!leaving.ok()) return session.close(session.fail(leaving.error()));
  }
  Guests guests(session);
  Result<ExecutionId> id = submit(session, std::move(*request));
  if (!id.ok()) return session.close(refused(session, id.error()));
  announce(session, given, *id);
  if (given.has("detach")) {
    if (!Session::wants_json(given)) session.console().out(to_text(*id) + "\n");
    return session.close(exit_ok);
  }
  if (!given.has("quiet") && !Session::wants_json(given))
    mention_others(session, guests.before(), *id);
  int code = follow(session, given, *id);
  guests.serve();
  return session.close(code);
}

int verb_resume(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  std::vector<ExecutionId> wanted;
  for (const std::string& text : given.positionals()) {
    ExecutionId id = execution_from_text(text);
    if (!id)
      return session.fail(
          {Code::invalid_argument, "\"" + text + "\" is no execution, such as e17"});
    wanted.push_back(id);
  }
  if (Status there = must_exist(given); !there.ok()) return session.fail(there.error());
  if (Status opened = session.open(given, Purpose::work); !opened.ok()) {
    return session.fail(opened.error());
  }
  Guests guests(session);
  if (wanted.empty()) {
    Result<std::vector<ExecutionId>> all = unfinished(session.client());
    if (!all.ok()) return session.close(session.fail(all.error()));
    wanted = std::move(*all);
    if (wanted.empty()) session.say("nothing is unfinished in " + session.state());
  }
  int worst = exit_ok;
  for (ExecutionId id : wanted) {
    int code = follow(session, given, id);
    if (code == exit_interrupted || !session.opened()) return session.close(code);
    worst = std::max(worst, code);
  }
  guests.serve();
  return session.close(worst);
}

}  // namespace pawl::cli
