#include "pawl/partition/snapshot.h"

#include <algorithm>

#include "pawl/partition/snapshot_fields.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

Status check_format(uint8_t found, const std::string& what) {
  if (found == snapshot_format) return {};
  return Error{Code::failed_precondition,
               "the newest checkpoint in view/ holds " + what + " in format " +
                   std::to_string(found) + ", this program reads format " +
                   std::to_string(snapshot_format) + "; run the Pawl that wrote it"};
}

void big_endian(Bytes& out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((value >> shift) & 0xff));
}

uint64_t big_endian(ByteView in) {
  uint64_t value = 0;
  for (char c : in) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

WorkRow row_of(const NodeWork& work) {
  const SmallVector<ItemSpan>& done = work.done.spans();
  WorkRow row{{work.open.begin(), work.open.end()},
              {done.begin(), done.end()},
              {},
              work.mapped ? work.mapped->items : Payload(),
              work.output,
              work.mapped != nullptr,
              work.error};
  for (const auto& [begin, entry] : work.stories.entries())
    row.stories.push_back({{begin, entry.end}, entry.story});
  return row;
}

std::unique_ptr<NodeWork> work_of(WorkRow row, uint32_t items_count) {
  auto work = std::make_unique<NodeWork>();
  for (const OpenRange& range : row.open) work->open.insert(work->open.end(), range);
  for (ItemSpan span : row.done) work->done.add(span);
  for (const StoryRow& story : row.stories) work->stories.assign(story.span, story.story);
  work->output = std::move(row.output);
  if (row.mapped)
    work->mapped = std::make_unique<MappedWork>(std::move(row.items),
                                                std::make_shared<ItemOutputs>(items_count));
  work->error = std::move(row.error);
  return work;
}

// In the order of the nodes, and in each of its items.
template <class AnExecution, class Visit>
void for_each_open(AnExecution& execution, Visit visit) {
  for (auto& run : execution.nodes) {
    if (!run.work) continue;
    for (auto& open : run.work->open) visit(open);
  }
}

bool any_reason(const Execution& execution) {
  bool any = false;
  for_each_open(execution,
                [&](const OpenRange& open) { any = any || open.reason != GrantReason{}; });
  return any;
}

// Counters that follow from the nodes are worked out, not stored.
void derive_counters(Execution& execution) {
  const Workflow& workflow = *execution.plan->workflow;
  for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
    NodeRun& run = execution.nodes[i];
    if (!is_terminal(run.status)) ++execution.nodes_left;
    bool evaluating = is_evaluating(run.status);
    if (evaluating || (run.status == NodeStatus::active && !run.stuck())) ++execution.moving;
    for (NodeIndex need : workflow.nodes[i].needs) {
      if (!is_terminal(execution.nodes[need].status)) ++run.needs_left;
    }
  }
}

Status restore_execution(State& state, ExecutionId id, ByteView bytes) {
  PAWL_ASSIGN(std::unique_ptr<Execution> execution, decode_execution(state, id, bytes));
  execution->stored_open = true;
  if (!execution->ended_already())
    enter(*state.workflows.at(execution->plan->id), state.ready, state.queues);
  for (NodeIndex node = 0; node < execution->nodes.size(); ++node) {
    NodeWork* work = execution->nodes[node].work.get();
    if (work == nullptr || work->open.empty()) continue;
    enlist(state, {id, node}, *work);
    for (const OpenRange& range : work->open) {
      if (!state.sessions.contains(range.session))
        return Error{Code::data_loss, "the view row of " + to_text(id) +
                                          " names a worker's session that the row m does not"};
      reserve(state, *execution, node, range.session, range.span.end - range.span.begin);
    }
  }
  if (execution->request != Hash128{})
    state.requests[execution->request] = {id, execution->payload_hash};
  state.executions.insert(std::move(execution));
  return {};
}

// What workers offer beyond what they could say at first, and how queues are handed out.
void restore_placement(State& state, ByteReader& in) {
  Decoder io(in);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    SessionId id;
    io.number(id.value);
    WorkerSpec worker;
    auto session = state.sessions.find(id);
    if (session == state.sessions.end()) return in.fail();
    worker = session->second.worker;
    offer_fields(io, worker);
    session->second = open_session(std::move(worker), {});
  }
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    QueueSpec queue;
    fields(io, queue);
    if (in.ok()) state.queues.configure(queue, state.now);
  }
}

// What was added to queues later.
void restore_queue_bounds(State& state, ByteReader& in) {
  Decoder io(in);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    std::string name;
    io.text(name);
    if (!in.ok() || state.queues.find(name) == nullptr) return in.fail();
    QueueSpec queue = state.queues.find(name)->spec;
    io.number(queue.waiting_max);
    if (in.ok()) state.queues.configure(queue, state.now);
  }
}

void restore_certificates(State& state, ByteReader& in) {
  Decoder io(in);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    SessionId id;
    io.number(id.value);
    auto session = state.sessions.find(id);
    if (session == state.sessions.end()) return in.fail();
    io.text(session->second.worker.certificate);
  }
}

void restore_name_spaces(State& state, ByteReader& in) {
  Decoder io(in);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    NameSpace other;
    fields(io, other);
    state.name_space(other.name) = other;
  }
}

Counts counts_of_default(const State& state) {
  Counts rest = state.counts;
  for (const auto& [name, other] : state.name_spaces) {
    if (name == default_namespace) continue;
    for (uint64_t Counts::*one : {&Counts::submitted, &Counts::succeeded, &Counts::failed,
                                  &Counts::cancelled, &Counts::forgotten, &Counts::quarantined})
      rest.*one -= other.counts.*one;
  }
  return rest;
}

Status restore_meta(State& state, ByteView bytes) {
  ByteReader in(bytes);
  Decoder io(in);
  PAWL_TRY(check_format(in.u8(), "its state"));
  io.number(state.epoch);
  io.hash(state.cluster);
  io.signed_number(state.now.ns);
  io.signed_number(state.wall.ns);
  io.number(state.last_workflow);
  io.number(state.last_execution);
  io.number(state.last_session);
  fields(io, state.counts);
  io.hash(state.ended_digest);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    SessionId id;
    WorkerSpec worker;
    uint32_t outstanding = 0;  // counted again from what is open
    io.number(id.value);
    fields(io, worker);
    io.number(outstanding);
    state.sessions[id] = open_session(std::move(worker), {});
  }
  if (!in.at_end()) {
    io.number(state.counts.forgotten);
    io.number(state.counts.quarantined);
  }
  if (!in.at_end()) restore_placement(state, in);
  if (!in.at_end()) restore_name_spaces(state, in);
  if (!in.at_end()) restore_queue_bounds(state, in);
  if (!in.at_end()) restore_certificates(state, in);
  if (!in.ok()) return Error{Code::data_loss, "the view's row m is damaged"};
  state.name_space(default_namespace).counts = counts_of_default(state);
  return {};
}

Status restore_page(State& state, ByteView key, ByteView value) {
  Error damaged{Code::data_loss, "a view row of item outputs is damaged"};
  if (key.size() != 17) return damaged;
  Execution* execution = state.executions.find(ExecutionId{big_endian(key.substr(1, 8))});
  uint64_t node = big_endian(key.substr(9, 4));
  if (execution == nullptr || node >= execution->nodes.size()) return damaged;
  NodeWork* work = execution->nodes[node].work.get();
  ByteReader in(value);
  auto page = static_cast<uint32_t>(big_endian(key.substr(13, 4)));
  if (work == nullptr || !work->mapped) return damaged;
  ItemOutputs& outputs = *work->mapped->outputs;
  if (page >= outputs.pages() || !outputs.decode_page(page, in)) return damaged;
  return {};
}

Status restore_workflow(State& state, View& view, WorkflowId id, ByteView definition) {
  PAWL_ASSIGN(std::optional<Bytes> row, view.get(row_key('n', id.value)));
  const std::string name_space = row ? *row : default_namespace;
  auto decoded = decode_workflow(definition);
  if (!decoded.ok()) return std::move(decoded.error()).within("view row of a workflow");
  Hash128 hash = hash128(definition);
  auto workflow = std::make_shared<const Workflow>(std::move(decoded).value());
  state.workflows.emplace(id, make_plan(id, std::move(workflow), hash, name_space));
  state.workflow_ids[hash_in(name_space, definition)] = id;
  return {};
}

// Calls take(key, value) for every row of one kind.
template <class Take>
Status each_row(View& view, char kind, Take take) {
  auto cursor = view.scan(row_key(kind), row_key(static_cast<char>(kind + 1)));
  for (; cursor->valid(); cursor->next()) PAWL_TRY(take(cursor->key(), cursor->value()));
  return cursor->status();
}

bool has_item_outputs(const Execution& execution) {
  for (const NodeRun& run : execution.nodes) {
    if (run.work && run.work->mapped) return true;
  }
  return false;
}

// Of the executions [first, last]; rows of those that are not in memory are passed over.
Status restore_pages(State& state, View& view, ExecutionId first, ExecutionId last) {
  auto cursor = view.scan(row_key('o', first.value), row_key('o', last.value + 1));
  for (; cursor->valid(); cursor->next()) {
    ExecutionId id{big_endian(cursor->key().substr(1, 8))};
    if (state.executions.find(id) == nullptr) continue;
    PAWL_TRY(restore_page(state, cursor->key(), cursor->value()));
  }
  return cursor->status();
}

// Neighbours share a scan; the pages of what has ended long ago between others are not read.
Status restore_pages_of_open(State& state, View& view) {
  constexpr uint64_t gap_max = 8;
  ExecutionId first;
  ExecutionId last;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!has_item_outputs(*e)) continue;
    if (first && e->id.value - last.value > gap_max) {
      PAWL_TRY(restore_pages(state, view, first, last));
      first = {};
    }
    if (!first) first = e->id;
    last = e->id;
  }
  if (!first) return {};
  return restore_pages(state, view, first, last);
}

// The newest of each status are candidates, the newest of all are kept: so many, and so much.
Status restore_newest_ended(State& state, View& view) {
  std::map<ExecutionId, Bytes> newest;  // their keys
  for (ExecutionStatus status : ended_statuses) {
    auto cursor = view.scan(ended_key(status, ExecutionId{UINT64_MAX}), ended_key(status, {}));
    for (uint64_t i = 0; i < state.limits.ended_executions_kept_max && cursor->valid(); ++i) {
      newest.emplace(id_of_ended_key(cursor->key()), Bytes(cursor->key()));
      if (newest.size() > state.limits.ended_executions_kept_max) newest.erase(newest.begin());
      cursor->next();
    }
    PAWL_TRY(cursor->status());
  }
  for (auto one = newest.rbegin(); one != newest.rend(); ++one) {
    if (state.stored_bytes >= ended_bytes_kept_max(state.limits)) break;
    PAWL_ASSIGN(std::optional<Bytes> row, view.get(one->second));
    if (!row) return Error{Code::data_loss, "the view row of " + to_text(one->first) + " is gone"};
    PAWL_TRY(load_ended(state, view, one->first, *row));
  }
  std::reverse(state.stored.begin(), state.stored.end());
  return {};
}

bool says_placement(const State& state) {
  return std::any_of(state.sessions.begin(), state.sessions.end(),
                     [](const auto& entry) { return entry.second.worker.offers_more(); }) ||
         std::any_of(state.queues.by_name().begin(), state.queues.by_name().end(),
                     [&](const auto& entry) { return state.queues.at(entry.second).configured; });
}

void encode_placement(const State& state, ByteWriter& out) {
  Encoder io(out);
  std::vector<std::pair<SessionId, const WorkerSpec*>> workers;
  for (const auto& [id, session] : state.sessions)
    if (session.worker.offers_more()) workers.emplace_back(id, &session.worker);
  io.list(workers, [&](const auto& entry) {
    io.number(entry.first.value);
    offer_fields(io, *entry.second);
  });
  std::vector<const QueueSpec*> queues;
  for (const auto& [name, id] : state.queues.by_name())
    if (state.queues.at(id).configured) queues.push_back(&state.queues.at(id).spec);
  io.list(queues, [&](const QueueSpec* queue) { fields(io, *queue); });
}

std::vector<std::pair<SessionId, const std::string*>> certificates(const State& state) {
  std::vector<std::pair<SessionId, const std::string*>> shown;
  for (const auto& [id, session] : state.sessions)
    if (!session.worker.certificate.empty()) shown.emplace_back(id, &session.worker.certificate);
  return shown;
}

std::vector<const QueueSpec*> bounded_queues(const State& state) {
  std::vector<const QueueSpec*> queues;
  for (const auto& [name, id] : state.queues.by_name())
    if (state.queues.at(id).spec.waiting_max > 0) queues.push_back(&state.queues.at(id).spec);
  return queues;
}

}  // namespace

Bytes encode_meta(const State& state) {
  ByteWriter out;
  Encoder io(out);
  out.u8(snapshot_format);
  io.number(state.epoch);
  io.hash(state.cluster);
  io.signed_number(state.now.ns);
  io.signed_number(state.wall.ns);
  io.number(state.last_workflow);
  io.number(state.last_execution);
  io.number(state.last_session);
  fields(io, state.counts);
  io.hash(state.ended_digest);
  io.number(state.sessions.size());
  for (const auto& [id, session] : state.sessions) {
    io.number(id.value);
    fields(io, session.worker);
    io.number(session.outstanding);
  }
  std::vector<std::pair<SessionId, const std::string*>> certified = certificates(state);
  std::vector<const QueueSpec*> bounded = bounded_queues(state);
  // What is appended before something stands there, empty.
  bool others = state.name_spaces.size() > 1 || !bounded.empty() || !certified.empty();
  bool placed = others || says_placement(state);
  if (state.counts.forgotten > 0 || state.counts.quarantined > 0 || placed) {
    io.number(state.counts.forgotten);
    io.number(state.counts.quarantined);
  }
  if (placed) encode_placement(state, out);
  if (!others) return out.take();
  io.number(state.name_spaces.size() - 1);
  for (const auto& [name, name_space] : state.name_spaces) {
    if (name != default_namespace) fields(io, name_space);
  }
  io.appended(!bounded.empty() || !certified.empty(), [&] {
    io.list(bounded, [&](const QueueSpec* queue) {
      io.text(queue->name);
      io.number(queue->waiting_max);
    });
  });
  io.appended(!certified.empty(), [&] {
    io.list(certified, [&](const auto& entry) {
      io.number(entry.first.value);
      io.text(*entry.second);
    });
  });
  return out.take();
}

Bytes encode_execution(const Execution& execution) {
  ByteWriter out;
  Encoder io(out);
  out.u8(snapshot_format);
  io.number(execution.plan->id.value);
  execution_fields(io, execution);
  for (const NodeRun& run : execution.nodes) {
    node_fields(io, run);
    io.flag(run.work != nullptr);
    if (run.work) fields(io, row_of(*run.work));
  }
  const std::string& name_space = execution.name_space->name;
  std::optional<Trace> trace;
  if (execution.trace) trace = *execution.trace;
  bool reasons = any_reason(execution);
  if (reasons && !trace) trace.emplace();  // what is appended before something stands there, empty
  io.appended(name_space != default_namespace || trace, [&] { io.text(name_space); });
  trace_field(io, trace);
  io.appended(reasons, [&] {
    for_each_open(execution, [&](const OpenRange& open) { fields(io, open.reason); });
  });
  return out.take();
}

Bytes request_row(ExecutionId id, const Hash128& payload_hash) {
  ByteWriter out;
  Encoder io(out);
  io.number(id.value);
  io.hash(payload_hash);
  return out.take();
}

Result<std::unique_ptr<Execution>> decode_execution(const State& state, ExecutionId id,
                                                    ByteView bytes) {
  ByteReader in(bytes);
  Decoder io(in);
  PAWL_TRY(check_format(in.u8(), to_text(id)));
  auto execution = std::make_unique<Execution>();
  execution->id = id;
  WorkflowId workflow;
  io.number(workflow.value);
  auto plan = state.workflows.find(workflow);
  if (plan == state.workflows.end())
    return Error{Code::data_loss, "the view row of " + to_text(id) + " names no known workflow"};
  execution->plan = plan->second.get();
  execution_fields(io, *execution);
  execution->nodes.resize(execution->plan->workflow->nodes.size());
  for (NodeIndex i = 0; i < execution->nodes.size() && in.ok(); ++i) {
    NodeRun& run = execution->nodes[i];
    node_fields(io, run);
    if (run.items_count > mapped_items_max) in.fail();
    if (!in.boolean() || !in.ok()) continue;
    WorkRow row;
    fields(io, row);
    if (in.ok()) run.work = work_of(std::move(row), run.items_count);
  }
  std::string name_space = default_namespace;
  io.appended(false, [&] { io.text(name_space); });
  std::optional<Trace> trace;
  trace_field(io, trace);
  io.appended(
      false, [&] { for_each_open(*execution, [&](OpenRange& open) { fields(io, open.reason); }); });
  if (trace && trace->id != Hash128{}) execution->trace = std::make_unique<const Trace>(*trace);
  auto tenant = state.name_spaces.find(name_space);
  if (!in.ok() || !in.at_end() || tenant == state.name_spaces.end())
    return Error{Code::data_loss, "the view row of " + to_text(id) + " is damaged"};
  execution->name_space = &tenant->second;
  derive_counters(*execution);
  return execution;
}

Status load_ended(State& state, View& view, ExecutionId id, ByteView row) {
  PAWL_TRY(restore_execution(state, id, row));
  if (has_item_outputs(*state.executions.find(id))) PAWL_TRY(restore_pages(state, view, id, id));
  add_stored(state, id);
  return {};
}

Bytes ended_key(ExecutionStatus status, ExecutionId id) {
  Bytes key(1, 'z');
  key.push_back(static_cast<char>(status));
  big_endian(key, ~id.value, 8);
  return key;
}

ExecutionId id_of_ended_key(ByteView key) {
  return ExecutionId{~big_endian(key.substr(2))};
}

Bytes request_key(const Hash128& request) {
  Bytes key(1, 'r');
  big_endian(key, request.high, 8);
  big_endian(key, request.low, 8);
  return key;
}

uint64_t week_of(Instant now) {
  return static_cast<uint64_t>(std::max<int64_t>(now.ns, 0) / request_kept_for.ns);
}

Bytes forgotten_key(uint64_t week, const Hash128& request) {
  Bytes key = row_key('f', week);
  big_endian(key, request.high, 8);
  big_endian(key, request.low, 8);
  return key;
}

Bytes row_key(char kind) {
  return Bytes(1, kind);
}

Bytes row_key(char kind, uint64_t id) {
  Bytes key(1, kind);
  big_endian(key, id, 8);
  return key;
}

Bytes page_key(ExecutionId execution, NodeIndex node, uint32_t page) {
  Bytes key = row_key('o', execution.value);
  big_endian(key, node, 4);
  big_endian(key, page, 4);
  return key;
}

Bytes history_key(ExecutionId execution, uint64_t position, uint32_t index) {
  Bytes key = row_key('h', execution.value);
  big_endian(key, position, 8);
  big_endian(key, index, 4);
  return key;
}

Status restore(State& state, View& view) {
  PAWL_CHECK(!state.live && state.last_execution == 0, "restore fills an empty partition");
  auto meta = view.get(row_key('m'));
  if (!meta.ok()) return meta.error();
  if (!meta->has_value()) return {};
  PAWL_TRY(restore_meta(state, **meta));
  PAWL_TRY(each_row(view, 'w', [&](ByteView key, ByteView value) {
    return restore_workflow(state, view, WorkflowId{big_endian(key.substr(1))}, value);
  }));
  PAWL_TRY(each_row(view, 'e', [&](ByteView key, ByteView value) {
    return restore_execution(state, ExecutionId{big_endian(key.substr(1))}, value);
  }));
  PAWL_TRY(restore_pages_of_open(state, view));
  return restore_newest_ended(state, view);
}

Hash128 state_hash(const State& state) {
  ByteWriter out;
  out.text(encode_meta(state));
  for (const auto& [id, plan] : state.workflows) {
    out.varint(id.value);
    out.u64(plan->hash.low);
    out.u64(plan->hash.high);
  }
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (e->ended_already()) continue;  // in ended_digest
    out.varint(e->id.value);
    out.text(encode_execution(*e));
    for (const NodeRun& run : e->nodes) {
      if (!run.work || !run.work->mapped) continue;
      const ItemOutputs& outputs = *run.work->mapped->outputs;
      for (uint32_t page = 0; page < outputs.pages(); ++page) outputs.encode_page(page, out);
    }
  }
  return hash128(out.view());
}

}  // namespace pawl
