// What other pawl processes leave to the one that holds the state directory. A verb that worked
// there ends when they need it no more.
//
//   Guests guests(session);     // after session.open()
//   ...                         // the verb's own work
//   guests.serve();             // until theirs has settled, or an interrupt
//
// Theirs is what a process here still waits for, and what was submitted here in the meantime. What
// was unfinished before is nobody's: `pawl resume` goes on with it. Threading: the session's.
#pragma once

#include <string>
#include <vector>

#include "pawl/cli/session.h"

namespace pawl::cli {

// The executions that run or could, oldest first.
Result<std::vector<ExecutionId>> unfinished(Client& client);

// "e1, e2 and 3 more"
std::string names_of(const std::vector<ExecutionId>& executions);

class Guests {
 public:
  explicit Guests(Session& session);

  // What was unfinished at the beginning.
  const std::vector<ExecutionId>& before() const { return before_; }

  // Does nothing where somebody else holds the directory, or after an interrupt.
  void serve();

 private:
  bool over();
  std::vector<ExecutionId> left();
  void await(ExecutionId execution);

  Session& session_;
  std::vector<ExecutionId> before_;
};

}  // namespace pawl::cli
