// The input of an execution: what its client gave over what its workflow declares, inline or, when it is
// large, staged (staged_input.h).
//
//   PAWL_ASSIGN(Input input, make_input(workflow, R"({"top": 3})", {blob, limits, ++last_staged}));
//   submit.input = input.payload;                           // {"top":3,"words":[]}
//   ... keep input.staged until the engine has answered ...
//
// Errors: INVALID_ARGUMENT for what is not a JSON object or not what the workflow declares;
// RESOURCE_EXHAUSTED beyond input_bytes_max; those of the blob store. Threading: any thread.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/api/staged_input.h"
#include "pawl/base/result.h"
#include "pawl/model/limits.h"
#include "pawl/model/payload.h"
#include "pawl/model/workflow.h"

namespace pawl {

struct Input {
  Payload payload;
  StagedInputRef staged;  // null: the payload is inline
};

struct InputStaging {
  Blob& blob;
  const Limits& limits;
  uint64_t sequence;  // of no other input staged since the engine recovered
};

Result<Input> make_input(const Workflow& workflow, const std::string& given,
                         const InputStaging& staging);

// "the input must be a JSON object"; an absent one is none.
Status check_object(const char* what, const std::string& json);

}  // namespace pawl
