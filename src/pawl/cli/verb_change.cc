#include <vector>

#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/report.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

Result<Selection> selection_of(const std::string& text) {
  PAWL_ASSIGN(Subject subject, parse_subject(text));
  return Selection{ExecutionId{subject.execution}, subject.node, subject.item};
}

// `done` reads like "cancelled 3".
int tell_changed(Session& session, const Arguments& given, const Result<uint64_t>& changed,
                 const std::string& done) {
  if (!changed.ok()) return session.fail(changed.error());
  if (Session::wants_json(given)) {
    JsonWriter json;
    json.begin_object().key("count").number(*changed).end_object();
    session.console().out(json.take() + "\n");
  } else {
    session.console().out(done + " " + with_commas(*changed) + "\n");
  }
  return exit_ok;
}

int list_letters(Session& session, const Arguments& given, const std::string& subject) {
  ListDeadLetters query;
  std::string node;
  if (!subject.empty()) {
    Result<Selection> which = selection_of(subject);
    if (!which.ok()) return session.fail(which.error());
    query.execution = which->execution;
    node = which->node;
  }
  Result<DeadLetterList> list = session.client().dead_letters(query);
  if (!list.ok()) return session.fail(list.error());
  if (!node.empty()) {
    std::erase_if(list->letters, [&](const DeadLetter& one) { return one.node != node; });
  }
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(to_json(CallResult(*list)) + "\n");
    return exit_ok;
  }
  if (list->letters.empty()) {
    session.say("no dead letters");
    return exit_ok;
  }
  Table table({"TASK", "ATTEMPTS", "CAUSE"});
  for (const DeadLetter& one : list->letters) {
    bool whole = one.range.begin == one.range.end;
    table.row({to_text(one.range.execution) + "/" +
                   task_name(one.node, one.range.begin, one.range.end, !whole),
               std::to_string(one.attempts), tame(whole ? one.cause.error : in_words(one.cause))});
  }
  console.out(table.text());
  return exit_ok;
}

int dead_letters(Session& session, const Arguments& given) {
  const std::vector<std::string>& words = given.positionals();
  std::string action = words.empty() ? "list" : words[0];
  if (action == "list") return list_letters(session, given, words.size() > 1 ? words[1] : "");
  if (execution_from_text(action.substr(0, action.find('/')))) {
    return list_letters(session, given, action);
  }
  bool redrive = action == "redrive";
  if (!redrive && action != "discard") {
    return session.fail({Code::invalid_argument, "\"" + action +
                                                     "\" is not list, redrive or "
                                                     "discard"});
  }
  if (words.size() < 2) {
    return session.fail({Code::invalid_argument, "which ones? pawl dead-letters " + action +
                                                     " e17, e17/node or 'e17/node[3]'"});
  }
  Result<Selection> which = selection_of(words[1]);
  if (!which.ok()) return session.fail(which.error());
  Result<uint64_t> changed =
      redrive ? session.client().redrive(*which) : session.client().discard(*which);
  int code = tell_changed(session, given, changed, redrive ? "redriven" : "discarded");
  if (code == exit_ok && redrive && session.station().holds()) {
    session.say("nothing runs by itself here; go on with: pawl resume " +
                to_text(which->execution) + session.place_option());
  }
  return code;
}

}  // namespace

int verb_cancel(Session& session, const Arguments& given) {
  Result<Selection> what = selection_of(given.positionals().front());
  if (!what.ok()) return session.fail(what.error());
  Status opened = Session::check_output(given);
  if (opened.ok()) opened = session.open(given, Purpose::look);
  if (!opened.ok()) return session.fail(opened.error());
  Result<uint64_t> changed = session.client().cancel(*what, given.value("reason").value_or(""));
  return session.close(tell_changed(session, given, changed, "cancelled"));
}

int verb_dead_letters(Session& session, const Arguments& given) {
  Status opened = Session::check_output(given);
  if (opened.ok()) opened = session.open(given, Purpose::look);
  if (!opened.ok()) return session.fail(opened.error());
  return session.close(dead_letters(session, given));
}

}  // namespace pawl::cli
