// The figures of an engine under their names at Prometheus; docs/operations.md says what each means.
//
//   Exposition page;
//   write_metrics(figures, page);   // the answer to GetFigures{}
//
// Pure; any thread.
#pragma once

#include "pawl/api/exposition.h"
#include "pawl/partition/figures.h"

namespace pawl {

void write_metrics(const Figures& figures, Exposition& page);

}  // namespace pawl
