// jq expressions by libjq 1.6, in this process and without any limit: `adapter/jq` is for whoever has
// something to lose.
//
//   Interpreter jq(64, out_of_memory);
//   jq.read(R"({"input":{"n":41}})");       // the context of what follows
//   jq.evaluate(".input.n + 1")             ->  "42"
//   jq.check(".input.[")                    ->  INVALID_ARGUMENT "syntax error, unexpected '[' ..."
//
// Errors: INVALID_ARGUMENT what jq says, in one line; also when there are several results, or none.
// Limits: `programs_max` compiled expressions are kept, about a megabyte each (a compile costs 30 ms, a
// run microseconds); when there is no memory, `out_of_memory` is called, with null, and must not return.
// Expressions read neither input nor modules; `env` is the environment of the process. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "pawl/base/result.h"

namespace pawl::jq {

class Interpreter {
 public:
  Interpreter(size_t programs_max, void (*out_of_memory)(void*));
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  void read(std::string_view context);
  Result<std::string> evaluate(const std::string& expression);  // over what was read last
  Status check(const std::string& expression);

 private:
  class Programs;
  struct Context;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Context> context_;
};

}  // namespace pawl::jq
