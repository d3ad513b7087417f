// What was done, by whom, with what outcome: one record per call that changes something, and some of the
// calls that were refused. Payloads, definitions, reasons and tokens are never in one.
//
//   uint64_t number = trail.add({now, "ci-bot", "team-a", "cancel", "e17", Code::ok});
//   ... the loop is woken ...
//   PAWL_ASSIGN(uint64_t durable, trail.durable());     // every record up to this one is on disk
//
// A gateway holds the answer of a call that changes something until its record is durable.
// Errors of durable(): what stopped the trail, for good; nothing can be recorded any more.
// Threading: the gateway's loop.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl {

struct AuditRecord {
  WallTime at;
  std::string caller;
  std::string name_space;
  std::string call;     // "cancel"
  std::string subject;  // "e17/count[42]"; may be empty
  Code result = Code::ok;
  uint64_t unrecorded = 0;  // refused calls before it that have no record of their own
};

class AuditTrail {
 public:
  virtual ~AuditTrail() = default;
  virtual uint64_t add(AuditRecord record) = 0;  // its number, from 1
  virtual Result<uint64_t> durable() = 0;
};

}  // namespace pawl
