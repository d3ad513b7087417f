#include "pawl/partition/stored.h"

#include <algorithm>

#include "pawl/partition/snapshot.h"
#include "pawl/wire/fields.h"

namespace pawl {
namespace {

Result<KnownRequest> decode_request(ByteView row) {
  ByteReader in(row);
  Decoder io(in);
  KnownRequest known;
  io.number(known.execution.value);
  io.hash(known.payload_hash);
  if (!in.ok()) return Error{Code::data_loss, "the view row of a request id is damaged"};
  return known;
}

// Out of memory what a checkpoint would have dropped by now.
void drop_if_over(State& state, const Hash128& request) {
  auto known = state.requests.find(request);
  if (known == state.requests.end()) return;
  auto forgotten = state.forgotten.find(known->second.execution);
  if (forgotten == state.forgotten.end()) return;
  if (week_of(forgotten->second.at) + 1 < week_of(state.now)) state.requests.erase(known);
}

Status load_forgotten_request(State& state, View& view, const Hash128& request) {
  uint64_t week = week_of(state.now);
  for (uint64_t back = 0; back <= std::min<uint64_t>(week, 1); ++back) {
    PAWL_ASSIGN(std::optional<Bytes> row, view.get(forgotten_key(week - back, request)));
    if (!row) continue;
    PAWL_ASSIGN(state.requests[request], decode_request(*row));
    state.recalled.push_back(request);
    return {};
  }
  return {};
}

Status load_request(State& state, View& view, const SubmitExecution& submit) {
  if (submit.request_id.empty()) return {};
  Hash128 request = hash_in(submit.name_space, submit.request_id);
  drop_if_over(state, request);
  bool all_here = state.executions.size() == state.counts.submitted;
  if (all_here || state.requests.contains(request)) return {};
  PAWL_ASSIGN(std::optional<Bytes> row, view.get(request_key(request)));
  if (row) {
    PAWL_ASSIGN(KnownRequest known, decode_request(*row));
    if (!state.forgotten.contains(known.execution))
      return load_execution(state, view, known.execution);
  }
  if (state.counts.forgotten == 0) return {};
  return load_forgotten_request(state, view, request);
}

// What a command or query names, if it names an execution that its answer depends on.
struct Named {
  ExecutionId operator()(const CancelExecution& c) const { return c.execution; }
  ExecutionId operator()(const CancelTask& c) const { return c.task.execution; }
  ExecutionId operator()(const RedriveDeadLetters& c) const { return c.which.execution; }
  ExecutionId operator()(const DiscardDeadLetters& c) const { return c.which.execution; }
  ExecutionId operator()(const ForgetExecution& c) const { return c.execution; }
  ExecutionId operator()(const GetExecution& q) const { return q.execution; }
  ExecutionId operator()(const GetTask& q) const { return q.execution; }
  ExecutionId operator()(const ListDeadLetters& q) const { return q.execution; }
  ExecutionId operator()(const Explain& q) const { return q.execution; }
  template <class Other>
  ExecutionId operator()(const Other&) const {
    return {};
  }
};

// Ended executions of one status in the view, newest first.
class EndedRows {
 public:
  EndedRows(View& view, ExecutionStatus status, ExecutionId newest)
      : cursor_(view.scan(ended_key(status, newest), ended_key(status, {}))) {}
  ExecutionId id() const {
    return cursor_->valid() ? id_of_ended_key(cursor_->key()) : ExecutionId{};
  }
  ByteView row() const { return cursor_->value(); }
  void next() { cursor_->next(); }
  Status status() const { return cursor_->status(); }

 private:
  std::unique_ptr<ViewCursor> cursor_;
};

}  // namespace

ExecutionId named(const Command& command) {
  return std::visit(Named{}, command);
}

ExecutionId named(const Query& query) {
  return std::visit(Named{}, query);
}

Status load_execution(State& state, View& view, ExecutionId id) {
  if (!id || id.value > state.last_execution || state.executions.find(id) != nullptr) return {};
  if (state.forgotten.contains(id)) return {};
  for (ExecutionStatus status : ended_statuses) {
    PAWL_ASSIGN(std::optional<Bytes> row, view.get(ended_key(status, id)));
    if (row) return load_ended(state, view, id, *row);
  }
  return {};
}

Result<bool> exists(const State& state, View& view, ExecutionId id) {
  if (state.executions.find(id) != nullptr) return true;
  if (!id || id.value > state.last_execution || state.forgotten.contains(id)) return false;
  for (ExecutionStatus status : ended_statuses) {
    PAWL_ASSIGN(std::optional<Bytes> row, view.get(ended_key(status, id)));
    if (row) return true;
  }
  return false;
}

Status load_named(State& state, View& view, const Command& command) {
  if (const auto* submit = std::get_if<SubmitExecution>(&command))
    return load_request(state, view, *submit);
  return load_execution(state, view, named(command));
}

Status load_named(State& state, View& view, const Query& query) {
  return load_execution(state, view, named(query));
}

QueryResult list_executions(const State& state, View& view, const ListExecutions& query,
                            const std::string& name_space) {
  ExecutionId newest{state.last_execution};
  if (query.before && query.before.value <= newest.value) newest.value = query.before.value - 1;
  auto wanted = [&](ExecutionStatus status) { return !query.status || *query.status == status; };
  std::vector<EndedRows> stored;
  for (ExecutionStatus status : ended_statuses) {
    if (wanted(status)) stored.emplace_back(view, status, newest);
  }
  ExecutionList list;
  const Execution* here = state.executions.previous(newest);
  while (list.executions.size() < query.limit) {
    while (here != nullptr && !(wanted(here->status) && belongs(*here, name_space)))
      here = state.executions.previous({here->id.value - 1});
    EndedRows* best = nullptr;
    for (EndedRows& rows : stored) {
      // What is here too has been listed from here.
      while (rows.id() &&
             (state.executions.find(rows.id()) != nullptr || state.forgotten.contains(rows.id())))
        rows.next();
      if (rows.id() && (best == nullptr || best->id() < rows.id())) best = &rows;
    }
    if (here != nullptr && (best == nullptr || best->id() < here->id)) {
      list.executions.push_back(summarise(state, *here));
      here = state.executions.previous({here->id.value - 1});
      continue;
    }
    if (best == nullptr) break;
    auto execution = decode_execution(state, best->id(), best->row());
    if (!execution.ok()) return execution.error();
    if (belongs(**execution, name_space)) list.executions.push_back(summarise(state, **execution));
    best->next();
  }
  for (const EndedRows& rows : stored) {
    if (!rows.status().ok()) return rows.status().error();
  }
  return list;
}

}  // namespace pawl
