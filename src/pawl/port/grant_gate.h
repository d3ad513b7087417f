// Whether a worker may touch what is kept for an execution: it may while it holds a grant of it.
//
//   Status may = gate.may_touch({"pawl:worker/default/w1", {address}}, ExecutionId{17});
//
// Errors of may_touch(): PERMISSION_DENIED; UNAVAILABLE while the engine is not there: to be asked again.
// Threading: a gate is asked from any thread, and may wait for an engine.
#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/ids.h"
#include "pawl/port/transport.h"

namespace pawl {

// The workers that show one certificate.
struct GrantParty {
  std::string certificate;         // empty: none is asked for
  std::vector<Address> addresses;  // from which they have been heard
};

class GrantGate {
 public:
  virtual ~GrantGate() = default;
  virtual Status may_touch(const GrantParty& party, ExecutionId execution) = 0;
};

// perhaps: by a session of which no certificate is known, whose worker has not been heard of since the engine came
// back.
enum class GrantHeld : uint8_t { no, yes, perhaps };

// What a gate asks the execution's engine; a promise that is dropped is an engine that has gone.
struct GrantQuestion {
  GrantParty party;
  ExecutionId execution;
  std::promise<GrantHeld> answer;
};

}  // namespace pawl
