// What is kept outside the log on behalf of executions, and goes with them: payloads, files that
// programs wrote.
//
// Contract: owners() names every execution that something is kept for, ascending. drop_owner()
// removes all of it; there may be nothing. What it leaves behind after an error is named by owners()
// again.
// Threading: that of the implementation.
#pragma once

#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/ids.h"

namespace pawl {

class Belongings {
 public:
  virtual ~Belongings() = default;
  virtual Result<std::vector<ExecutionId>> owners() = 0;
  virtual Status drop_owner(ExecutionId owner) = 0;
};

}  // namespace pawl
