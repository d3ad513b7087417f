// The state as rows: what a checkpoint stores in the view, and what a state hash is made of.
//
//   key                                  value
//   m                                    epoch, clocks, counters, connected workers
//   w <workflow>                         definition
//   e <execution>                        open execution with all its nodes, without outputs of items
//   z <status> <~execution>              the same of one that has ended: newest first per status
//   r <hash of request id>               its execution and payload hash, once that has ended
//   o <execution> <node> <page>          outputs of 1,024 items of a mapped node
//   f <week> <hash of request id>        the same of one that was forgotten in that week
//   h <execution> <position> <index>     events of its history, the last at that place (engine/history_rows.h)
//
// Ids in keys are big-endian, so that rows stand in id order. checkpoint.h brings together what has
// changed and the one position that all rows reflect.
#pragma once

#include <memory>

#include "pawl/base/result.h"
#include "pawl/partition/partition.h"
#include "pawl/port/view.h"

namespace pawl {

constexpr uint8_t snapshot_format = 1;
// Those that end an execution.
constexpr ExecutionStatus ended_statuses[] = {ExecutionStatus::succeeded, ExecutionStatus::failed,
                                              ExecutionStatus::cancelled,
                                              ExecutionStatus::quarantined};

// Fills an empty partition from the view's rows: all open executions and the newest ended ones, so
// that a restart takes time by what is open. DATA_LOSS names the row that cannot be read,
// FAILED_PRECONDITION a newer format.
Status restore(State& state, View& view);

// Equal states have equal hashes, on every machine; derived and soft parts do not count.
Hash128 state_hash(const State& state);

// Rows of kind m, e or z, and r. Outputs of items are left out.
Bytes encode_meta(const State& state);
Bytes encode_execution(const Execution& execution);
Bytes request_row(ExecutionId id, const Hash128& payload_hash);
// One row of kind e or z; `state` has its workflow.
Result<std::unique_ptr<Execution>> decode_execution(const State& state, ExecutionId id,
                                                    ByteView bytes);
// Puts an execution of a z row into memory, with its outputs.
Status load_ended(State& state, View& view, ExecutionId id, ByteView row);

Bytes ended_key(ExecutionStatus status, ExecutionId id);
ExecutionId id_of_ended_key(ByteView key);
Bytes request_key(const Hash128& request);
// A week is request_kept_for of the duration clock. What was forgotten in one is known in that and in
// the next; then its rows go, all at once.
uint64_t week_of(Instant now);
Bytes forgotten_key(uint64_t week, const Hash128& request);
Bytes row_key(char kind);
Bytes row_key(char kind, uint64_t id);
Bytes page_key(ExecutionId execution, NodeIndex node, uint32_t page);
Bytes history_key(ExecutionId execution, uint64_t position, uint32_t index);

}  // namespace pawl
