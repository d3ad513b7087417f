// What an open execution holds in memory: an estimate that takes no walk over its items. Payloads above
// payload_inline_max are files, and count nothing. `partition_bench` compares it with what is really used.
#pragma once

#include "pawl/partition/state.h"

namespace pawl {

uint64_t held_bytes(const NodeRun& node);
uint64_t held_bytes(const Execution& execution);  // with its nodes

}  // namespace pawl
