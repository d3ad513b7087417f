// Every bound of a partition, with its default. A limit that is hit answers RESOURCE_EXHAUSTED and
// names itself. The simulator randomises them.
#pragma once

#include <cstdint>

#include "pawl/base/time.h"

namespace pawl {

struct Limits {
  uint64_t open_executions_max = 4'000'000;  // not yet ended
  // Not yet ended, of one namespace; the default one has open_executions_max alone.
  uint64_t name_space_open_executions_max = 1'000'000;
  uint64_t open_bytes_max = 4ull << 30;       // held by those not yet ended, estimated
  uint64_t name_spaces_max = 10'000;          // that anything was ever submitted to
  uint64_t ended_executions_kept_max = 1000;  // in memory; the rest is read from the view
  uint64_t workflows_max = 100'000;           // versions registered
  uint64_t definition_bytes_max = 1 << 20;    // one definition, as a file and encoded
  uint64_t request_id_bytes_max = 128;
  uint64_t labels_bytes_max = 4096;               // metadata of one execution
  uint64_t mapped_items_max = 16'000'000;         // items of one mapped node
  uint64_t mapped_output_bytes_max = 1 << 30;     // outputs of one mapped node, together
  uint64_t node_reads_bytes_max = 2000ull << 20;  // that travels with a grant: a frame holds 2 GiB
  uint64_t input_bytes_max = 256 << 20;           // one submitted input
  uint64_t output_bytes_max = 64 << 20;           // one task's output
  uint64_t error_bytes_max = 4096;                // one failure's text; longer ones are cut
  uint64_t sessions_max = 4096;                   // workers connected
  uint64_t peers_max = 8192;              // worker addresses remembered, with or without session
  uint64_t session_functions_max = 4096;  // functions one worker offers
  uint64_t session_name_bytes_max = 256;  // a worker's name, and each of its functions'
  uint64_t session_credit_max = 1 << 20;  // grants outstanding at one session
  uint64_t queues_max = 10'000;           // queues there are, and those one worker names
  uint64_t grant_items_max = 16'384;      // items in one grant
  uint64_t inbox_depth_max = 1 << 20;     // commands waiting in memory
  uint64_t group_commands_max = 8192;     // commands in one group commit
  uint64_t group_bytes_max = 8 << 20;     // bytes in one group commit
  // What one turn adds to a checkpoint: executions, pages of outputs and groups of history looked
  // at, and bytes written; it stops after whatever exceeds them.
  uint64_t checkpoint_slice_rows_max = 1000;
  uint64_t checkpoint_slice_bytes_max = 256 << 10;
};

}  // namespace pawl
