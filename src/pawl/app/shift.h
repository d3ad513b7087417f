// A worker process: workers in this process, for an engine in another.
//
//   PAWL_ASSIGN(auto shift, start_shift({.server = "10.0.0.1:7070", .name = "w1"}, functions));
//   while (!shift->stopped()) shift->loop().run_once(...);
//
// It keeps nothing: what programs write lies in a directory of its own below $TMPDIR that goes with it.
// `functions`: null: none; must outlive the shift.
// Threading: the thread that started it.
#pragma once

#include <memory>

#include "pawl/cli/station.h"

namespace pawl {

Result<std::unique_ptr<cli::Shift>> start_shift(const cli::ShiftRequest& request,
                                                const FunctionRegistry* functions);

}  // namespace pawl
