#include <deque>
#include <vector>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/report.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"
#include "pawl/definition/quantity.h"

namespace pawl::cli {
namespace {

constexpr uint32_t page_size = 1000;
constexpr size_t calls_open_max = 256;

bool has_ended(const ExecutionSummary& one) {
  return one.status >= ExecutionStatus::succeeded;
}

Result<std::vector<ExecutionSummary>> named(Session& session, const Arguments& given) {
  std::vector<ExecutionSummary> found;
  for (const std::string& word : given.positionals()) {
    ExecutionId id = execution_from_text(word);
    if (!id) return Error{Code::invalid_argument, "\"" + word + "\" is no execution; write e17"};
    if (!given.has("dry-run")) {
      found.emplace_back().id = id;
      continue;
    }
    PAWL_ASSIGN(ExecutionDetail detail, session.client().execution(id));
    if (has_ended(detail.summary)) found.push_back(std::move(detail.summary));
  }
  return found;
}

Result<std::vector<ExecutionSummary>> ended_before(Session& session, const std::string& time) {
  auto age = parse_duration(time);
  if (!age.ok()) return Error{Code::invalid_argument, "--ended-before: " + age.error().message};
  int64_t latest = LinuxClock().wall().ns - age->ns;
  std::vector<ExecutionSummary> found;
  ListExecutions query;
  query.limit = page_size;
  for (bool more = true; more;) {
    PAWL_ASSIGN(ExecutionList page, session.client().executions(query));
    more = page.executions.size() == page_size;
    for (ExecutionSummary& one : page.executions) {
      query.before = one.id;
      if (has_ended(one) && one.ended.ns <= latest) found.push_back(std::move(one));
    }
  }
  return found;
}

void show(Session& session, const std::vector<ExecutionSummary>& all) {
  Table table({"ID", "WORKFLOW", "STATUS", "ENDED"});
  for (const ExecutionSummary& one : all)
    table.row({to_text(one.id), tame(one.workflow), name(one.status), local_time(one.ended)});
  if (!all.empty()) session.console().out(table.text());
}

// Several at a time, so that they share their commits; the errors of some do not stop the others.
struct Forgetting {
  uint64_t count = 0;
  std::vector<Error> refused;
};
Forgetting forget(Session& session, const std::vector<ExecutionSummary>& all) {
  Client& client = session.client();
  Forgetting done;
  std::deque<Ticket> open;
  auto take_first = [&] {
    while (!client.done(open.front())) client.pump(Duration::seconds(1));
    Result<Changed> changed = client.take_as<Changed>(open.front());
    open.pop_front();
    if (changed.ok())
      done.count += changed->count;
    else
      done.refused.push_back(changed.error());
  };
  for (const ExecutionSummary& one : all) {
    if (open.size() >= calls_open_max) take_first();
    open.push_back(client.start(Forget{one.id}));
  }
  while (!open.empty()) take_first();
  return done;
}

void tell(Session& session, const Arguments& given, const char* done, uint64_t count) {
  if (Session::wants_json(given)) {
    JsonWriter json;
    json.begin_object().key("count").number(count).end_object();
    session.console().out(json.take() + "\n");
  } else {
    session.console().out(std::string(done) + " " + with_commas(count) + "\n");
  }
}

int forget_chosen(Session& session, const Arguments& given) {
  auto chosen = given.has("ended-before") ? ended_before(session, *given.value("ended-before"))
                                          : named(session, given);
  if (!chosen.ok()) return session.fail(chosen.error());
  if (given.has("dry-run")) {
    if (!Session::wants_json(given)) show(session, *chosen);
    tell(session, given, "would forget", chosen->size());
    return exit_ok;
  }
  Forgetting done = forget(session, *chosen);
  tell(session, given, "forgot", done.count);
  int code = exit_ok;
  for (const Error& error : done.refused) code = session.fail(error);
  return code;
}

}  // namespace

int verb_forget(Session& session, const Arguments& given) {
  if (given.positionals().empty() == !given.has("ended-before"))
    return session.fail({Code::invalid_argument,
                         "which ones? name executions, or say --ended-before TIME; not both"});
  Status opened = Session::check_output(given);
  if (opened.ok()) opened = session.open(given, Purpose::look);
  if (!opened.ok()) return session.fail(opened.error());
  return session.close(forget_chosen(session, given));
}

}  // namespace pawl::cli
