#include "pawl/partition/state.h"

#include <algorithm>

#include "pawl/base/check.h"
#include "pawl/base/random.h"
#include "pawl/partition/describe.h"
#include "pawl/partition/held_bytes.h"
#include "pawl/partition/readiness.h"

namespace pawl {

const char* name(NodeStatus status) {
  switch (status) {
    case NodeStatus::waiting:
      return "waiting";
    case NodeStatus::evaluating_condition:
      return "evaluating";
    case NodeStatus::evaluating_items:
      return "evaluating";
    case NodeStatus::active:
      return "active";
    case NodeStatus::succeeded:
      return "succeeded";
    case NodeStatus::failed:
      return "failed";
    case NodeStatus::skipped:
      return "skipped";
    case NodeStatus::cancelled:
      return "cancelled";
    case NodeStatus::parked:
      return "parked";
  }
  return "unknown";
}

Execution& ExecutionTable::insert(std::unique_ptr<Execution> execution) {
  PAWL_CHECK(slot_.owns(execution->id), "an execution of another partition");
  uint64_t place_of_id = execution->id.value / slot_.slots;
  uint64_t page = place_of_id / page_size;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (!pages_[page]) pages_[page] = std::make_unique<Page>();
  std::unique_ptr<Execution>& place = pages_[page]->places[place_of_id % page_size];
  PAWL_CHECK(!place, "an execution id is used once");
  place = std::move(execution);
  ++pages_[page]->used;
  ++size_;
  return *place;
}

void ExecutionTable::erase(ExecutionId id) {
  PAWL_CHECK(find(id) != nullptr, "erasing an execution that is not there");
  uint64_t place = id.value / slot_.slots;
  uint64_t page = place / page_size;
  pages_[page]->places[place % page_size].reset();
  --size_;
  if (--pages_[page]->used == 0) pages_[page].reset();
}

const Execution* ExecutionTable::previous(ExecutionId from) const {
  if (pages_.empty()) return nullptr;
  uint64_t last = std::min(from.value / slot_.slots, pages_.size() * page_size - 1);
  for (uint64_t page = last / page_size + 1; page-- > 0; last = page * page_size - 1) {
    if (!pages_[page]) continue;
    for (uint64_t i = last % page_size + 1; i-- > 0;) {
      const Execution* found = pages_[page]->places[i].get();
      if (found != nullptr && found->id <= from) return found;
    }
  }
  return nullptr;
}

const Execution* ExecutionTable::next(ExecutionId from) const {
  const uint64_t first = from.value / slot_.slots;
  for (uint64_t page = first / page_size; page < pages_.size(); ++page) {
    if (!pages_[page]) continue;
    uint64_t start = page == first / page_size ? first % page_size : 0;
    for (uint64_t i = start; i < page_size; ++i) {
      const Execution* found = pages_[page]->places[i].get();
      if (found != nullptr && found->id >= from) return found;
    }
  }
  return nullptr;
}

Execution* ExecutionTable::next(ExecutionId from) {
  return const_cast<Execution*>(std::as_const(*this).next(from));
}

namespace {

const OpenRange* open_range(const NodeRun& run, ItemIndex item) {
  if (!run.work) return nullptr;
  const SmallVector<OpenRange>& open = run.work->open;
  const OpenRange* it =
      std::upper_bound(open.begin(), open.end(), item,
                       [](ItemIndex i, const OpenRange& o) { return i < o.span.end; });
  return it != open.end() && it->span.begin <= item ? it : nullptr;
}

}  // namespace

NameSpace& State::name_space(const std::string& name) {
  auto [found, fresh] = name_spaces.try_emplace(name);
  if (fresh) {
    found->second.name = name;
    found->second.drain.begin(now);
  }
  return found->second;
}

Hash128 operator+(const Hash128& a, const Hash128& b) {
  uint64_t low = a.low + b.low;
  return {low, a.high + b.high + (low < a.low ? 1 : 0)};
}

Hash128 digest(const Execution& ended) {
  uint64_t sum = mix64(ended.id.value);
  auto add = [&sum](uint64_t value) { sum = mix64(sum ^ value); };
  add(static_cast<uint64_t>(ended.status));
  add(static_cast<uint64_t>(ended.ended.ns));
  add(ended.payload_hash.low);
  if (ended.name_space->name != default_namespace) add(hash128(ended.name_space->name).low);
  for (const NodeRun& run : ended.nodes) {
    add(static_cast<uint64_t>(run.status));
    add(uint64_t{run.items_count} << 32 | run.failed);
    add(uint64_t{run.cancelled} << 32 | run.succeeded());
  }
  Hash128 output = ended.output.is_blob() ? ended.output.ref().hash : hash128(ended.output.text());
  return hash128(ended.error, sum) + Hash128{mix64(sum ^ output.low), mix64(sum ^ output.high)};
}

Hash128 digest(const ExecutionForgotten& event) {
  return hash128("forgotten", mix64(event.execution.value));
}

TaskStatus task_status(const NodeRun& run, ItemIndex item) {
  if (run.work) {
    if (run.work->done.contains(item)) return TaskStatus::succeeded;
    const Story* story = run.work->stories.find(item);
    bool final_story = story != nullptr && is_terminal(story->status);
    if (final_story) return story->status;
    if (run.status == NodeStatus::cancelled) return TaskStatus::cancelled;
    if (story != nullptr) return story->status;
    if (open_range(run, item) != nullptr) return TaskStatus::granted;
  }
  return run.status == NodeStatus::cancelled ? TaskStatus::cancelled : TaskStatus::ready;
}

AttemptNumber attempts_of(const NodeRun& run, ItemIndex item) {
  if (!run.work) return 0;
  if (const Story* story = run.work->stories.find(item)) return story->attempts;
  return item < run.next_fresh ? 1 : 0;
}

namespace {

struct ReadyAgain {
  Instant since;
  TaskRange range;
  AttemptNumber attempt;
  LaneId lane;
  uint8_t priority;
};

// Every run of tasks of this node that may be granted now.
void collect_ready(const Execution& execution, NodeIndex index, std::vector<ReadyAgain>& found) {
  const NodeRun& run = execution.nodes[index];
  LaneId lane = execution.plan->lanes[index];
  uint8_t priority = execution.definition(index).priority;
  auto add = [&](ItemIndex begin, ItemIndex end, AttemptNumber attempt, Instant since) {
    found.push_back({since, {execution.id, index, begin, end}, attempt, lane, priority});
  };
  ItemIndex at = run.next_fresh;
  while (at < run.items_count) {
    ItemIndex end = run.work ? run.work->stories.next_from(at, run.items_count) : run.items_count;
    if (end > at) add(at, end, 1, run.since);
    at = end < run.items_count ? run.work->stories.run_end(end, run.items_count) : end;
  }
  if (!run.work) return;
  for (const auto& [begin, entry] : run.work->stories.entries()) {
    if (entry.story.status == TaskStatus::ready)
      add(begin, entry.end, entry.story.attempts + 1, entry.story.since);
  }
}

void count_waiting(State& state, const Execution& execution, NodeIndex index) {
  const NodeRun& run = execution.nodes[index];
  Queue& queue = state.queues.at(execution.plan->queues[index]);
  if (run.status == NodeStatus::parked) ++queue.parked;
  if (is_evaluating(run.status)) ++queue.evaluating;
  if (run.status != NodeStatus::active) return;
  TaskCounts tasks = count_tasks(run);
  ready_tasks(state, execution, index) += tasks.ready;
  queue.backing_off += tasks.backing_off;
  queue.parked += tasks.parked;
}

void collect_timers(State& state, const Execution& execution, NodeIndex index) {
  const NodeRun& run = execution.nodes[index];
  Duration queue = execution.definition(index).timeout.queue;
  TaskKey node{execution.id, index, 0};
  if (queue.ns > 0) state.timers.insert({run.since + queue, TimerKind::queue_timeout, node});
  if (!run.work) return;
  for (const auto& [begin, entry] : run.work->stories.entries()) {
    if (entry.story.status == TaskStatus::backing_off)
      state.timers.insert({entry.story.retry_at, TimerKind::retry, {execution.id, index, begin}});
    if (entry.story.status == TaskStatus::ready && queue.ns > 0)
      state.timers.insert({entry.story.since + queue, TimerKind::queue_timeout, node});
  }
}

}  // namespace

namespace {

void count_lane(std::vector<LaneItems>& lanes, LaneId lane, uint32_t count, bool add) {
  auto of_lane = [lane](const LaneItems& one) { return one.lane == lane; };
  auto held = std::find_if(lanes.begin(), lanes.end(), of_lane);
  if (held == lanes.end()) held = lanes.insert(held, {lane, 0});
  held->items = add ? held->items + count : held->items - count;
  if (held->items > 0) return;
  *held = lanes.back();
  lanes.pop_back();
}

void book(State& state, const Execution& execution, NodeIndex node, Session& session,
          uint32_t count, bool add) {
  session.outstanding = add ? session.outstanding + count : session.outstanding - count;
  count_lane(session.lanes, execution.plan->lanes[node], count, add);
  Queue& queue = state.queues.at(execution.plan->queues[node]);
  queue.granted = add ? queue.granted + count : queue.granted - count;
  if (state.live && add) queue.drain.take(count, state.now);
  if (state.live) ready_tasks(state, execution, node) += add ? -uint64_t{count} : count;
  const Amounts& wanted = execution.definition(node).placement.resources;
  if (wanted.empty()) return;
  const Amounts& offered = session.worker.capacity;
  size_t at = 0;
  for (const Amount& one : wanted) {
    while (at < offered.size() && offered[at].name < one.name) ++at;
    if (at == offered.size() || offered[at].name != one.name) continue;
    uint64_t& taken = session.taken[at];
    taken = add ? taken + one.amount * count : taken - one.amount * count;
  }
}

Session& session_of(State& state, SessionId id) {
  auto session = state.sessions.find(id);
  PAWL_CHECK(session != state.sessions.end(), "an open attempt of a session that does not exist");
  return session->second;
}

}  // namespace

Instant suspect_from(const Session& session) {
  return session.heard + Duration{session.worker.lease.ns / 3 * 2};
}

Session open_session(WorkerSpec worker, Instant now) {
  Session session;
  session.taken.resize(worker.capacity.size());
  session.identity = hash128(worker.name).low;
  session.heard = now;
  session.worker = std::move(worker);
  return session;
}

void reserve(State& state, const Execution& execution, NodeIndex node, SessionId id,
             uint32_t count) {
  Session& session = session_of(state, id);
  session.asked_in_vain = false;
  book(state, execution, node, session, count, true);
}

void release(State& state, const Execution& execution, NodeIndex node, SessionId id,
             uint32_t count) {
  book(state, execution, node, session_of(state, id), count, false);
}

void enlist(State& state, NodeKey key, NodeWork& work) {
  work.granted_at = static_cast<uint32_t>(state.granted.size());
  state.granted.push_back(key);
}

void delist(State& state, NodeWork& work) {
  NodeKey last = state.granted.back();
  state.granted[work.granted_at] = last;
  state.executions.find(last.execution)->nodes[last.node].work->granted_at = work.granted_at;
  state.granted.pop_back();
}

std::vector<NodeKey> ascending(std::vector<NodeKey> granted) {
  std::sort(granted.begin(), granted.end());
  return granted;
}

void add_stored(State& state, ExecutionId ended) {
  const Execution* execution = state.executions.find(ended);
  state.stored.push_back({ended, execution != nullptr ? held_bytes(*execution) : 0});
  state.stored_bytes += state.stored.back().bytes;
}

void index(State& state) {
  state.live = true;
  state.ready.clear();
  state.timers.clear();
  state.undecided.clear();
  state.unsettled.clear();
  state.queues.forget_derived();
  state.open_bytes = 0;
  std::vector<ReadyAgain> found;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (e->ended_already()) continue;
    state.open_bytes += held_bytes(*e);
    for (NodeIndex node = 0; node < e->nodes.size(); ++node) {
      const NodeRun& run = e->nodes[node];
      if (run.status == NodeStatus::waiting && run.needs_left == 0)
        state.undecided.push_back({e->id, node});
      count_waiting(state, *e, node);
      if (run.status != NodeStatus::active) continue;
      collect_ready(*e, node, found);
      collect_timers(state, *e, node);
    }
    if (e->moving == 0) state.unsettled.push_back(e->id);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const ReadyAgain& a, const ReadyAgain& b) { return a.since < b.since; });
  for (const ReadyAgain& r : found)
    state.ready.push(r.lane, r.priority, {r.range, r.attempt, r.since});
  state.queues.forget_soft(state.now);
  state.bytes_drain.begin(state.now);
  state.open_drain.begin(state.now);
  for (auto& [name, one] : state.name_spaces) one.drain.begin(state.now);
  for (auto& [id, session] : state.sessions) session.heard = state.now;
}

}  // namespace pawl
