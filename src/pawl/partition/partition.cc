#include "pawl/partition/partition.h"
#include "pawl/partition/readiness.h"

#include <algorithm>
#include <utility>

#include "pawl/base/hash.h"

namespace pawl {

Status Partition::follows(const Group& group) const {
  if (group.now < state_.now)
    return Error{Code::data_loss, "group " + std::to_string(group.position) +
                                      " is older than the state below it: the log and the "
                                      "checkpoint do not belong together; bring both back from "
                                      "one copy"};
  for (const Event& event : group.events) {
    const auto* epoch = std::get_if<EpochStarted>(&event);
    if (epoch == nullptr) continue;
    bool same = state_.cluster == Hash128{} || state_.cluster == epoch->cluster;
    if (!same || epoch->epoch <= state_.epoch)
      return Error{Code::data_loss,
                   "group " + std::to_string(group.position) + " begins epoch " +
                       std::to_string(epoch->epoch) + (same ? "" : " of another log") +
                       " above a state of epoch " + std::to_string(state_.epoch) +
                       ": the log and the checkpoint do not belong together; bring both back from "
                       "one copy"};
  }
  return {};
}

Status Partition::belongs_to(Hash128 cluster) const {
  if (state_.cluster == Hash128{} || state_.cluster == cluster) return {};
  return Error{Code::data_loss,
               "the checkpoint is of another state directory than the log (cluster " +
                   to_hex(state_.cluster) + ", the log's is " + to_hex(cluster) +
                   "): they do not belong together; bring both back from one copy"};
}

void Partition::replay(const Group& group) {
  begin_replay(group);
  for (uint32_t index = 0; index < group.events.size(); ++index) replay_event(group, index);
}

void Partition::begin_replay(const Group& group) {
  PAWL_CHECK(!state_.live, "replay comes before resume");
  pawl::begin_group(state_, group.now, group.wall);
}

void Partition::replay_event(const Group& group, uint32_t index) {
  const Event& event = group.events[index];
  if (expected_.empty()) return evolve(state_, event);
  auto quarantine = expected_.find({group.position, index});
  if (quarantine != expected_.end()) return evolve(state_, quarantine->second);
  if (!is_void(event)) evolve(state_, event);
}

bool Partition::is_void(const Event& event) const {
  if (std::holds_alternative<ExecutionForgotten>(event)) return false;
  const Execution* execution = state_.executions.find(execution_of(event));
  return execution != nullptr && execution->status == ExecutionStatus::quarantined;
}

void Partition::expect(const ExecutionQuarantined& quarantine) {
  expected_.emplace(std::pair(quarantine.position, quarantine.index), quarantine);
}

namespace {

// Evaluations are effects, and effects are not logged: ask again for every one that is open.
void ask_evaluations(Step& step) {
  const State& state = step.state();
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (e->evaluating_output)
      step.ask(Evaluate{EvaluationPurpose::output, e->plan->workflow->output,
                        make_context(state, *e, 0, e->plan->output_reads)});
    for (NodeIndex i = 0; i < e->nodes.size(); ++i) {
      NodeStatus status = e->nodes[i].status;
      bool condition = status == NodeStatus::evaluating_condition;
      if (!condition && status != NodeStatus::evaluating_items) continue;
      const Node& node = e->definition(i);
      step.ask(Evaluate{condition ? EvaluationPurpose::condition : EvaluationPurpose::items,
                        condition ? node.when : node.for_each,
                        make_context(state, *e, i, reads_of(*e->plan, i))});
    }
  }
}

}  // namespace

void Partition::resume(StepOutput& out) {
  index(state_);
  Step step(state_, {}, out);
  ask_evaluations(step);
  for (const auto& [id, forgotten] : state_.forgotten) step.ask(DropBelongings{id});
}

void Partition::workers_away() {
  for (auto& [id, session] : state_.sessions) session.away = true;
}

bool Partition::known(const Command& command) const {
  if (const auto* submit = std::get_if<SubmitExecution>(&command))
    return !submit->request_id.empty() &&
           state_.requests.contains(hash_in(submit->name_space, submit->request_id));
  const auto* workflow = std::get_if<RegisterWorkflow>(&command);
  return workflow != nullptr &&
         state_.workflow_ids.contains(hash_in(workflow->name_space, workflow->definition));
}

uint8_t Partition::priority_of(const SubmitExecution& submit) const {
  auto workflow = state_.workflows.find(submit.workflow);
  return workflow == state_.workflows.end() ? priority_max : workflow->second->priority;
}

void Partition::drop_stale() {
  pawl::drop_stale(state_);
}

void Partition::begin_group(Instant now, WallTime wall) {
  PAWL_CHECK(state_.live, "resume comes before new commands");
  pawl::begin_group(state_, now, wall);
}

void Partition::start_epoch(uint64_t epoch, Hash128 cluster, StepOutput& out) {
  Step step(state_, {}, out);
  step.emit(EpochStarted{epoch, cluster});
  settle(step);
}

void Partition::record(const ExecutionQuarantined& quarantine, StepOutput& out) {
  Step step(state_, {}, out);
  step.emit(quarantine);
  settle(step);
}

void Partition::step(const Command& command, Ticket ticket, uint64_t dice, StepOutput& out) {
  Step step(state_, {state_.now, state_.wall, dice}, out);
  const auto first = static_cast<std::ptrdiff_t>(out.effects.size());
  Answer answer{ticket, std::visit([&](const auto& c) { return on(step, c); }, command)};
  settle(step);
  if (ticket == 0) return;
  // A worker that comes back is welcomed first: what it is to stop could not be sent to it before.
  if (std::holds_alternative<ResumeSession>(command))
    out.effects.insert(out.effects.begin() + first, std::move(answer));
  else
    step.ask(std::move(answer));
}

void Partition::schedule(uint64_t dice, StepOutput& out) {
  Step step(state_, {state_.now, state_.wall, dice}, out);
  grant_ready(step);
}

void Partition::take_elsewhere(SessionId session, Elsewhere others, int64_t clock_offset_ns) {
  if (others.bar_ns != Elsewhere::no_bar) others.bar_ns -= clock_offset_ns;
  state_.sessions.at(session).elsewhere = std::move(others);
}

void Partition::take_elsewhere(const std::string& queue, uint64_t granted) {
  if (Queue* here = state_.queues.find(queue)) here->granted_elsewhere = granted;
}

std::vector<WaitingLane> Partition::waiting(int64_t clock_offset_ns) const {
  std::vector<WaitingLane> fronts;
  for (LaneId lane = 0; lane < state_.ready.lanes(); ++lane) {
    if (state_.ready.depth(lane) == 0) continue;
    const Queue& queue = state_.queues.at(state_.ready.queue(lane));
    // What only its queue's limit holds up is told: the place may be taken elsewhere.
    if (!queue.full() && queue.may_grant(state_.now) == 0) continue;
    if (queue.spec.paused) continue;
    Front front = state_.ready.front(lane, queue.spec.aging);
    fronts.push_back({state_.ready.key(lane), front.urgency.due_ns + clock_offset_ns});
  }
  return fronts;
}

Instant Partition::next_timer() const {
  Instant next = state_.timers.empty() ? Instant::never() : state_.timers.begin()->at;
  // Also when a worker becomes suspect: whoever is late for that has not listened to it.
  for (const auto& [id, session] : state_.sessions) {
    Instant suspect = suspect_from(session);
    next = std::min(next, suspect > state_.now ? suspect : session.heard + session.worker.lease);
  }
  return std::min({next, next_by_rate(), state_.recall_due});
}

// When a queue that has to wait for its rate may grant again.
Instant Partition::next_by_rate() const {
  Instant next = Instant::never();
  for (LaneId lane = 0; lane < state_.ready.lanes(); ++lane) {
    const Queue& queue = state_.queues.at(state_.ready.queue(lane));
    if (queue.spec.rate_permille == 0 || state_.ready.depth(lane) == 0) continue;
    if (!queue.spec.paused && !queue.full() && queue.rate.available(state_.now) == 0)
      next = std::min(next, queue.rate.next(state_.now));
  }
  return next;
}

void Partition::checkpoint_applied() {
  for (ExecutionId id : std::exchange(state_.storing, {})) add_stored(state_, id);
  for (ExecutionId id : state_.forgetting) {
    auto forgotten = state_.forgotten.find(id);
    state_.recalled.push_back(forgotten->second.request);
    state_.forgotten.erase(forgotten);
  }
  state_.forgetting.clear();
}

// Request ids of what is nowhere any more: the view has them.
void Partition::forget_recalled() {
  for (const Hash128& request : state_.recalled) {
    auto known = state_.requests.find(request);
    if (known == state_.requests.end()) continue;
    ExecutionId id = known->second.execution;
    bool stays = state_.forgotten.contains(id) || state_.executions.find(id) != nullptr;
    if (!stays) state_.requests.erase(known);
  }
  state_.recalled.clear();
}

bool Partition::evict() {
  forget_recalled();
  constexpr uint64_t evicted_min = 1000;
  constexpr uint64_t part = 64;
  const uint64_t kept = state_.limits.ended_executions_kept_max;
  const uint64_t bytes_kept = ended_bytes_kept_max(state_.limits);
  auto too_much = [&] { return state_.stored.size() > kept || state_.stored_bytes > bytes_kept; };
  for (uint64_t left = std::max(evicted_min, state_.stored.size() / part); left > 0 && too_much();
       --left) {
    const Execution* execution = state_.executions.find(state_.stored.front().id);
    state_.stored_bytes -= state_.stored.front().bytes;
    state_.stored.pop_front();
    if (execution == nullptr) continue;  // forgotten meanwhile
    PAWL_CHECK(execution->ended_already(), "only an ended execution leaves");
    auto request = state_.requests.find(execution->request);
    if (request != state_.requests.end() && request->second.execution == execution->id)
      state_.requests.erase(request);
    state_.executions.erase(execution->id);
  }
  return too_much();
}

}  // namespace pawl
