#include "pawl/cli/guests.h"

#include <algorithm>
#include <utility>

namespace pawl::cli {
namespace {

constexpr Duration look_interval = Duration::milliseconds(200);
constexpr size_t names_max = 5;

}  // namespace

Result<std::vector<ExecutionId>> unfinished(Client& client) {
  std::vector<ExecutionId> found;
  ListExecutions query;
  query.status = ExecutionStatus::running;
  query.limit = 1000;
  while (true) {
    PAWL_ASSIGN(ExecutionList page, client.executions(query));
    for (const ExecutionSummary& one : page.executions) found.push_back(one.id);
    if (page.executions.size() < query.limit) break;
    query.before = found.back();
  }
  return std::vector<ExecutionId>(found.rbegin(), found.rend());
}

std::string names_of(const std::vector<ExecutionId>& executions) {
  std::string names;
  for (size_t i = 0; i < std::min(executions.size(), names_max); ++i)
    names += (names.empty() ? "" : ", ") + to_text(executions[i]);
  if (executions.size() > names_max)
    names += " and " + std::to_string(executions.size() - names_max) + " more";
  return names;
}

Guests::Guests(Session& session) : session_(session) {
  Result<std::vector<ExecutionId>> before = unfinished(session.client());
  if (before.ok()) before_ = std::move(*before);
}

bool Guests::over() {
  return session_.station().failed() || session_.interrupts().count() > 0;
}

std::vector<ExecutionId> Guests::left() {
  Result<std::vector<ExecutionId>> open = unfinished(session_.client());
  if (!open.ok()) return {};
  std::erase_if(*open, [&](ExecutionId id) {
    return std::find(before_.begin(), before_.end(), id) != before_.end();
  });
  return std::move(*open);
}

void Guests::await(ExecutionId execution) {
  Client& client = session_.client();
  Ticket settled = client.start(AwaitExecution{execution});
  while (!client.done(settled) && !over()) client.pump(look_interval);
  client.forget(settled);
}

void Guests::serve() {
  if (!session_.opened() || !session_.station().holds()) return;
  Station& station = session_.station();
  bool told_of_visitors = false, told_of_work = false;
  while (!over()) {
    if (station.visitors() > 0) {
      if (!std::exchange(told_of_visitors, true))
        session_.say(
            "other pawl processes wait for their executions here; Ctrl-C hands these over");
      session_.client().pump(look_interval);
      continue;
    }
    std::vector<ExecutionId> open = left();
    if (open.empty() && station.visitors() == 0) return;
    if (open.empty()) continue;
    if (!std::exchange(told_of_work, true))
      session_.say("left to this process, which goes on with it: " + names_of(open));
    await(open.front());
  }
  std::vector<ExecutionId> open = left();
  if (!open.empty() && station.visitors() == 0)
    session_.say("unfinished here: " + names_of(open) + "; go on with: pawl resume" +
                 session_.place_option());
}

}  // namespace pawl::cli
