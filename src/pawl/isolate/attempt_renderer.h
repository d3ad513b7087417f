// isolate/renderer.h by the worker's Expressions: templates of a node to what its executor starts.
//
//   AttemptRenderer renderer(expressions);
//   ProcessExecutor::create(loop, clock, options, renderer, blob, news);
//
// How values are written into a shell line, an argument, a text, JSON: worker/render.h.
// Threading: the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "pawl/isolate/renderer.h"
#include "pawl/worker/expressions.h"

namespace pawl {

class AttemptRenderer final : public Renderer, public Sink<ExpressionValues> {
 public:
  explicit AttemptRenderer(Expressions& expressions) : expressions_(expressions) {}

  std::optional<Result<ProcessCommand>> command(uint64_t launch, const Grant& grant,
                                                Sink<RenderedCommand>& later) override;
  std::optional<Result<FunctionInputs>> inputs(uint64_t launch, const Grant& grant,
                                               Sink<RenderedInputs>& later) override;

  void put(ExpressionValues values) override;

 private:
  // Launch numbers of two executors may meet here: every request has its own.
  struct Waiting {
    uint64_t launch = 0;
    RunContextRef context;
    Sink<RenderedCommand>* command = nullptr;  // one of these two
    Sink<RenderedInputs>* inputs = nullptr;
  };

  Expressions& expressions_;
  uint64_t next_ = 1;
  std::map<uint64_t, Waiting> waiting_;
};

}  // namespace pawl
