// A workflow from a file with what must come of it in every deployment (tests/same/README.md). In the
// simulator nothing but processes and functions is made up: their attempts end as the file says, and all
// else must follow.
//
//   PAWL_ASSIGN(std::vector<Given> given, read_given("tests/same", jq));
//   give(plan, given, jq);
//   ... difference(given[0], model.execution, jq)   ->  "" or "... but it must be ..."
//
// Errors: INVALID_ARGUMENT with the file and what is wrong in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/sim/execution_model.h"

namespace pawl::sim {

enum class Deed : uint8_t { none, cancel, redrive, discard };

struct Given {
  std::string name;                    // of the workflow, and of its files
  std::vector<std::string> functions;  // that its nodes call
  Bytes definition;
  std::string input;       // JSON
  Deed deed = Deed::none;  // what somebody does: as soon as a node runs, or once tasks are parked
  std::string expected;    // JSON: status, output, nodes
};

// Every FILE.yaml of the folder, with FILE.json beside it.
Result<std::vector<Given>> read_given(const std::string& folder, jq::Interpreter& jq);
const Given* find_given(const std::vector<Given>& given, const std::string& name);

// How a task of it ends when it has failed `failed` times; `output`: JSON.
struct Part {
  bool hangs = false;  // until it is cancelled
  std::optional<FailureKind> failure;
  std::string output = "null";
};
Part part_of(const Given& given, const std::string& node, ItemIndex item, size_t failed);

// What is otherwise than expected; empty: nothing.
std::string difference(const Given& given, const ExecutionModel& execution, jq::Interpreter& jq);

}  // namespace pawl::sim
