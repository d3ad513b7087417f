// Pawl as a library: durable workflows of C++ functions (and processes, and jq) in your program.
//
//   FunctionRegistry functions;
//   functions.add("square", [](FunctionCall& call) -> Result<std::string> {
//     int64_t n = std::stoll(std::string(call.input()));
//     return std::to_string(n * n);
//   });
//   PAWL_ASSIGN(auto runtime, Runtime::open({.directory = "state"}, functions));
//   PAWL_ASSIGN(ExecutionId id, runtime->submit(R"(
//     name: squares
//     nodes:
//       square: {function: square, for_each: "${ .input.numbers }"}
//   )", R"({"numbers": [1, 2, 3]})", "request-1"));
//   PAWL_ASSIGN(ExecutionResult result, runtime->wait(id));
//   // result.output: {"square":[1,4,9]}
//
// What submit() acknowledged survives a crash: open the same directory again and it goes on. The
// same request id never starts a second execution. A whole example: examples/embed/.
//
// Threading: every method from any thread; calls block until the answer is durable. Functions run
// on `jobs` threads of their own. Destruction stops running functions cooperatively and waits for
// them; what had not finished runs again at the next open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/isolate/function.h"
#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/event.h"
#include "pawl/model/workflow.h"
#include "pawl/partition/query.h"
#include "pawl/port/view_factory.h"

namespace pawl {

// Every member has an initialiser, so that {.directory = "state"} is all there is to say.
struct RuntimeOptions {
  std::string directory = {};           // made if it is missing
  uint32_t jobs = 0;                    // attempts at once; 0: one per core
  std::string programs_directory = {};  // of pawl-jq and pawl-guardian; empty: beside this program
  std::string listen = {};  // host:port for workers of other processes (shift.h); empty: none
  std::string keys = {};    // folder of keys for `listen`; empty: plain text, on this machine
  uint64_t memory = 0;    // bytes for executions that have not ended; 0: a quarter of all there is
  ViewFactory view = {};  // where checkpoints are kept; empty: RocksDB
};

struct ExecutionResult {
  ExecutionStatus status = ExecutionStatus::running;
  std::string output;  // JSON; "null" unless it succeeded
  std::string error;   // why it did not
};

class Runtime {
 public:
  // `functions` must outlive the runtime.
  static Result<std::unique_ptr<Runtime>> open(RuntimeOptions options,
                                               const FunctionRegistry& functions);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  uint16_t port() const;  // where workers are listened for; 0: nowhere

  // `definition`: YAML or JSON, docs/workflows.md. INVALID_ARGUMENT lists its problems by line.
  Result<ExecutionId> submit(std::string_view definition, std::string input_json,
                             std::string request_id = "");
  // For many executions of one workflow: register once after opening, then start by id. Inputs are JSON
  // objects, merged over those that the workflow declares.
  Result<WorkflowId> register_workflow(const Workflow& workflow);
  Result<ExecutionId> start(WorkflowId workflow, std::string input_json,
                            std::string request_id = "");

  // One execution per input, in one array: they share group commits. The ids are in input order;
  // the first refusal is the answer, and what was accepted before it stays.
  Result<std::vector<ExecutionId>> start_many(WorkflowId workflow,
                                              std::vector<std::string> inputs_json);
  // start() and wait() in one request: the least latency.
  Result<ExecutionResult> run(WorkflowId workflow, std::string input_json,
                              std::string request_id = "");

  // Until the execution has ended, or is parked: then its dead letters need somebody.
  Result<ExecutionResult> wait(ExecutionId execution);
  Result<QueryResult> query(Query query);
  Result<Reply> command(Command command);

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
