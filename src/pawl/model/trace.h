// The place of an execution in a distributed trace, as W3C Trace Context has it.
//
//   Result<Trace> given = parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
//   trace_id_text(*given)            ->  "4bf92f3577b34da6a3ce929d0e0e4736"
//   traceparent(*given, span_of(cluster, task, attempt))   ->  what a program finds in TRACEPARENT
//
// An execution that nobody gave a trace has one that follows from its log and its id, so it costs no bytes:
// derived_trace(). Every attempt is a span of its own. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/hash.h"
#include "pawl/base/result.h"
#include "pawl/model/ids.h"

namespace pawl {

struct Trace {
  Hash128 id;         // never zero
  uint64_t span = 0;  // of whoever submitted; 0: nobody said
  uint8_t flags = 1;  // 1: sampled

  friend bool operator==(const Trace&, const Trace&) = default;
};

// INVALID_ARGUMENT: not "00-<32 hex digits>-<16>-<2>" in small letters, or an id of zeros only. Of a later
// version what version 00 has is read.
Result<Trace> parse_traceparent(std::string_view text);
std::string traceparent(const Trace& trace, uint64_t span);
std::string trace_id_text(const Hash128& id);  // 32 hex digits

Trace derived_trace(const Hash128& cluster, ExecutionId execution);
// Of one attempt of one task; never 0.
uint64_t span_of(const Hash128& cluster, const TaskKey& task, AttemptNumber attempt);

}  // namespace pawl
