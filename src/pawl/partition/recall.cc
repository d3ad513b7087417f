// Recalls: which tasks a worker is asked to give back (who is asked, and for whom: schedule/rebalance.h).

#include <algorithm>
#include <map>

#include "pawl/partition/step.h"
#include "pawl/schedule/rebalance.h"

namespace pawl {
namespace {

// So long a task waits in its worker before it is recalled, and so long is the pause between two looks: what
// takes less is done before it could be moved.
constexpr Duration recall_after = Duration::milliseconds(20);
constexpr size_t looks_max = 8192;  // open ranges, for all recalls of one look
constexpr size_t parts_max = 1024;  // ranges in one recall

struct Part {
  HeldAttempts attempts;
  uint8_t priority = 0;
  Instant granted;
};

// The worker comes to `a` after `b`.
bool later(const Part& a, const Part& b) {
  if (a.priority != b.priority) return a.priority < b.priority;
  if (a.granted != b.granted) return a.granted > b.granted;
  return a.attempts.range.begin > b.attempts.range.begin;
}

struct Search {
  const Relief* relief = nullptr;
  std::vector<Part> parts{};
  Instant old_enough = Instant::never();  // the first of those that are not yet
};
using Searches = std::map<SessionId, Search>;

// The nodes that got attempts last stand last, and with them what their workers come to last.
void search(const State& state, Searches& searches) {
  size_t looks = 0;
  for (auto key = state.granted.rbegin(); key != state.granted.rend(); ++key) {
    const Execution& execution = *state.executions.find(key->execution);
    const LaneId lane = execution.plan->lanes[key->node];
    for (const OpenRange& open : execution.nodes[key->node].work->open) {
      if (++looks > looks_max) return;
      auto of = searches.find(open.session);
      if (of == searches.end()) continue;
      Search& found = of->second;
      const std::vector<LaneId>& lanes = found.relief->lanes;
      if (std::find(lanes.begin(), lanes.end(), lane) == lanes.end()) continue;
      if (open.since + recall_after > state.now) {
        found.old_enough = std::min(found.old_enough, open.since + recall_after);
        continue;
      }
      TaskRange range{key->execution, key->node, open.span.begin, open.span.end};
      found.parts.push_back({{range, open.attempt, open.nonce},
                             execution.definition(key->node).priority,
                             open.since});
    }
  }
}

// The last `items` tasks of them.
std::vector<HeldAttempts> last(std::vector<Part> parts, uint32_t items) {
  std::sort(parts.begin(), parts.end(), later);
  std::vector<HeldAttempts> taken;
  for (const Part& part : parts) {
    if (items == 0 || taken.size() == parts_max) break;
    HeldAttempts& some = taken.emplace_back(part.attempts);
    some.range.begin = some.range.end - std::min(some.range.size(), items);
    items -= some.range.size();
  }
  return taken;
}

// One that is suspect may never answer: it may be asked again once it is heard.
void forget_suspects(State& state, const std::vector<WorkerLoad>& workers) {
  for (const WorkerLoad& worker : workers) {
    if (worker.suspect) state.sessions.at(worker.session).asked = {};
  }
}

// What is on its way to a worker is as good as there.
void count_asked(const State& state, std::vector<WorkerLoad>& workers) {
  for (const WorkerLoad& worker : workers) {
    const Asked& asked = state.sessions.at(worker.session).asked;
    if (asked.items == 0) continue;
    auto to = std::lower_bound(
        workers.begin(), workers.end(), asked.meant_for,
        [](const WorkerLoad& one, SessionId session) { return one.session < session; });
    if (to != workers.end() && to->session == asked.meant_for) to->outstanding += asked.items;
  }
}

std::vector<Burden> burdens_of(const State& state, const std::vector<WorkerLoad>& workers) {
  std::vector<Burden> burdens;
  for (const WorkerLoad& worker : workers) {
    const Session& session = state.sessions.at(worker.session);
    burdens.push_back(
        {session.outstanding, &session.lanes, session.asked.items == 0 && !session.asked_in_vain});
  }
  return burdens;
}

}  // namespace

void take_back(Step& step, std::vector<WorkerLoad>& workers) {
  State& state = step.state_;
  state.recall_due = Instant::never();
  if (!uneven(workers)) return;
  forget_suspects(state, workers);
  count_asked(state, workers);
  std::vector<Burden> burdens = burdens_of(state, workers);
  std::vector<Relief> reliefs = even_out(state.ready, state.queues, workers, burdens);
  if (reliefs.empty()) return;
  if (state.now < state.recall_from) {
    state.recall_due = state.recall_from;
    return;
  }
  state.recall_from = state.now + recall_after;
  Searches searches;
  for (const Relief& relief : reliefs) searches[workers[relief.from].session] = {&relief};
  search(state, searches);
  for (auto& [id, found] : searches) {
    std::vector<HeldAttempts> attempts = last(std::move(found.parts), found.relief->items);
    Session& session = state.sessions.at(id);
    if (attempts.empty()) {
      session.asked_in_vain = found.old_enough == Instant::never();
      state.recall_due = std::min(state.recall_due, found.old_enough);
      continue;
    }
    session.asked.meant_for = workers[found.relief->to].session;
    for (const HeldAttempts& one : attempts) session.asked.items += one.range.size();
    step.ask(TakeBack{id, std::move(attempts)});
  }
}

void answered(Step& step, SessionId id, bool in_vain) {
  Session& session = step.state_.sessions.at(id);
  session.asked_in_vain = in_vain && session.asked.items > 0;
  session.asked = {};
}

void forget_recall_due(Step& step) {
  if (step.state_.recall_due <= step.state_.now) step.state_.recall_due = Instant::never();
}

}  // namespace pawl
