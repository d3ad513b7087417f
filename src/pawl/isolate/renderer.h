// How an executor asks for the values of a node's expressions.
//
// Contract: an answer comes once: at once (the usual case, when every expression is a plain path),
// or later through `later`, from any thread. A command has `shell`, `argv`, `environment` (the
// node's own), `directory`, `output_files` and `limits` filled in; the executor adds the rest.
// Inputs are JSON texts, one per item of grant.range. An error is the author's or the data's: the
// attempt (of that one item) fails as `expression`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/isolate/process.h"
#include "pawl/model/message.h"
#include "pawl/port/sink.h"

namespace pawl {

struct RenderedCommand {
  uint64_t launch = 0;
  Result<ProcessCommand> command = ProcessCommand();
};

using FunctionInputs = std::vector<Result<std::string>>;

struct RenderedInputs {
  uint64_t launch = 0;
  Result<FunctionInputs> inputs = FunctionInputs();
};

class Renderer {
 public:
  virtual ~Renderer() = default;
  // For the one item of grant.range.
  virtual std::optional<Result<ProcessCommand>> command(uint64_t launch, const Grant& grant,
                                                        Sink<RenderedCommand>& later) = 0;
  virtual std::optional<Result<FunctionInputs>> inputs(uint64_t launch, const Grant& grant,
                                                       Sink<RenderedInputs>& later) = 0;
};

}  // namespace pawl
