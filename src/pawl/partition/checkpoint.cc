#include "pawl/partition/checkpoint.h"

#include <algorithm>

#include "pawl/base/check.h"
#include "pawl/partition/snapshot.h"
#include "pawl/wire/fields.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {

Checkpoint::Checkpoint(State& state, uint64_t position)
    : state_(state), number_(state.checkpoint_number) {
  PAWL_CHECK(state.checkpoint == nullptr && state.storing.empty() && state.forgetting.empty(),
             "a checkpoint begins once the one before it is applied");
  state.checkpoint = this;
  ++state.checkpoint_number;
  batch_.position = position;
  put(row_key('m'), encode_meta(state));
  workflows_ = std::exchange(state.new_workflows, {});
  executions_ = std::exchange(state.dirty, {});
  state.forgetting = std::exchange(state.new_forgotten, {});
  if (uint64_t week = week_of(state.now); week > 1 && state.counts.forgotten > 0)
    batch_.delete_ranges.emplace_back(row_key('f', 0), row_key('f', week - 1));
}

Checkpoint::~Checkpoint() {
  state_.checkpoint = nullptr;
}

bool Checkpoint::whole() const {
  return pages_.empty() && next_forgotten_ == state_.forgetting.size() &&
         next_workflow_ == workflows_.size() && next_execution_ == executions_.size();
}

bool Checkpoint::slice(uint64_t rows_max, uint64_t bytes_max) {
  uint64_t begin = bytes_;
  for (; !whole(); take_next()) {
    if (rows_max-- == 0 || bytes_ - begin >= bytes_max) return false;
  }
  return true;
}

void Checkpoint::take_next() {
  if (!pages_.empty()) {
    put_page(pages_.front());
    pages_.pop_front();
  } else if (next_forgotten_ < state_.forgetting.size()) {
    ExecutionId id = state_.forgetting[next_forgotten_++];
    forget(id, state_.forgotten.at(id));
  } else if (next_workflow_ < workflows_.size()) {
    WorkflowId id = workflows_[next_workflow_++];
    const Plan& plan = *state_.workflows.at(id);
    put(row_key('w', id.value), encode(*plan.workflow));
    if (plan.name_space != default_namespace) put(row_key('n', id.value), plan.name_space);
  } else {
    Execution* execution = state_.executions.find(executions_[next_execution_++]);
    // Whoever is not there was forgotten, and encoded before that if it was frozen.
    if (execution != nullptr && is_frozen(*execution)) put(*execution);
  }
}

// Whichever rows it has; its request id moves from r to f.
void Checkpoint::forget(ExecutionId id, const Forgotten& forgotten) {
  forgotten_.insert(id);
  batch_.deletes.push_back(row_key('e', id.value));
  for (ExecutionStatus status : ended_statuses) batch_.deletes.push_back(ended_key(status, id));
  for (char kind : {'o', 'h'})
    batch_.delete_ranges.emplace_back(row_key(kind, id.value), row_key(kind, id.value + 1));
  if (forgotten.request == Hash128{}) return;
  batch_.deletes.push_back(request_key(forgotten.request));
  put(forgotten_key(week_of(forgotten.at), forgotten.request),
      request_row(id, forgotten.payload_hash));
}

void Checkpoint::put(Bytes key, Bytes value) {
  bytes_ += key.size() + value.size();
  batch_.puts.emplace_back(std::move(key), std::move(value));
}

void Checkpoint::put(Execution& execution) {
  PAWL_CHECK(is_frozen(execution), "an execution is encoded once, as it was frozen");
  execution.changed_for = 0;
  Bytes open_key = row_key('e', execution.id.value);
  if (!execution.ended_already()) {
    put(std::move(open_key), encode_execution(execution));
    execution.stored_open = true;
  } else {
    if (execution.stored_open) batch_.deletes.push_back(std::move(open_key));
    put(ended_key(execution.status, execution.id), encode_execution(execution));
    if (execution.request != Hash128{})
      put(request_key(execution.request), request_row(execution.id, execution.payload_hash));
    state_.storing.push_back(execution.id);
  }
  for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
    NodeWork* work = execution.nodes[node].work.get();
    if (work == nullptr || !work->mapped) continue;
    std::vector<uint32_t> changed = std::exchange(work->mapped->changed_pages, {});
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    for (uint32_t page : changed)
      pages_.push_back({execution.id, node, page, work->mapped->outputs->freeze_page(page)});
  }
}

void Checkpoint::put_page(const PageToWrite& page) {
  ByteWriter out;
  page.content.encode(out);
  put(page_key(page.execution, page.node, page.page), out.take());
}

ViewBatch Checkpoint::take() {
  PAWL_CHECK(whole(), "half a checkpoint is none");
  return std::move(batch_);
}

ViewBatch checkpoint_rows(State& state, uint64_t position) {
  Checkpoint checkpoint(state, position);
  checkpoint.slice(UINT64_MAX, UINT64_MAX);
  return checkpoint.take();
}

}  // namespace pawl
