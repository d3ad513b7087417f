// A checkpoint in the making: the rows of everything that has changed since the last one, at one
// position. It comes together in slices while the state goes on changing.
//
//   Checkpoint checkpoint(partition.restoring(), position);   // between groups
//   while (!checkpoint.slice(rows_max, bytes_max)) ...        // a turn of other work, any number of steps
//   view.submit(checkpoint.take());                           // once `position` is durable
//   ... applied ...
//   partition.checkpoint_applied();
//
// Why every row is of `position`, whatever happens between two slices: the small things (clocks,
// counters, sessions) are encoded when it begins. The executions that have changed are frozen then;
// whoever changes one of them, which goes through find_execution() (edit.h) alone, lets this encode it
// first. Pages of outputs are copied by their writer (ItemOutputs::freeze_page). Definitions never
// change. So each frozen thing is encoded once, as it was when it was frozen, and the cost is what
// has changed.
//
// Limits: a slice ends with the row that reaches a bound; an execution's own row (without its outputs)
// is never split. One at a time per partition; one that is given up leaves a partition that cannot
// go on. Threading: the partition's.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "pawl/partition/state.h"
#include "pawl/port/view.h"

namespace pawl {

class Checkpoint {
 public:
  // At a cost that does not depend on how much has changed.
  Checkpoint(State& state, uint64_t position);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  // True: it is whole.
  bool slice(uint64_t rows_max, uint64_t bytes_max);
  // Encodes a frozen execution that is about to change.
  void before_change(Execution& execution) { put(execution); }
  void before_erase(Execution& execution) {
    if (is_frozen(execution)) put(execution);
  }
  // Those whose rows it removes; all of them once slice() has said true.
  const std::set<ExecutionId>& forgotten() const { return forgotten_; }

  // For rows that are not the partition's own.
  ViewBatch& batch() { return batch_; }
  ViewBatch take();

 private:
  struct PageToWrite {
    ExecutionId execution;
    NodeIndex node;
    uint32_t page;
    ItemOutputs::FrozenPage content;
  };

  bool whole() const;
  void take_next();
  void put(Bytes key, Bytes value);
  void put(Execution& execution);
  void forget(ExecutionId id, const Forgotten& forgotten);
  void put_page(const PageToWrite& page);
  bool is_frozen(const Execution& execution) const { return execution.changed_for == number_; }

  State& state_;
  const uint32_t number_;
  ViewBatch batch_;
  uint64_t bytes_ = 0;
  std::vector<WorkflowId> workflows_;
  std::vector<ExecutionId> executions_;  // frozen, some of them encoded already
  std::set<ExecutionId> forgotten_;
  size_t next_forgotten_ = 0;
  size_t next_workflow_ = 0;
  size_t next_execution_ = 0;
  std::deque<PageToWrite> pages_;
};

// All in one go.
ViewBatch checkpoint_rows(State& state, uint64_t position);

}  // namespace pawl
