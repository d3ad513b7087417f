// C++ functions as nodes: what the embedding program writes.
//
//   FunctionRegistry functions;
//   functions.add("square", [](FunctionCall& call) -> Result<std::string> {
//     int64_t n = std::stoll(std::string(call.input()));
//     return std::to_string(n * n);
//   });
//
// A function gets its input as JSON and returns JSON ("" means null). It may be called from
// several threads at once. Returning an Error, or throwing, fails the attempt as `function`. It
// cannot be killed: a long one looks at cancelled() now and then, which also says when the
// node's timeouts are over.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/ids.h"

namespace pawl {

class FunctionCall {
 public:
  virtual std::string_view input() const = 0;  // JSON text; valid during the call
  virtual TaskKey task() const = 0;
  virtual AttemptNumber attempt() const = 0;
  virtual std::string idempotency_key() const = 0;  // the same for every attempt of the task
  // `permille` 0..1000. Each call counts as a heartbeat. Whoever watches gets each word in turn; of more than
  // progress_words_max in 100 ms the first so many, and the newest.
  virtual void progress(uint32_t permille, std::string_view message) = 0;
  virtual bool cancelled() = 0;  // the result no longer counts: return soon

 protected:
  ~FunctionCall() = default;
};

class Function {
 public:
  virtual ~Function() = default;
  virtual Result<std::string> call(FunctionCall& call) = 0;
};

template <class F>
class CallableFunction final : public Function {
 public:
  explicit CallableFunction(F f) : f_(std::move(f)) {}
  Result<std::string> call(FunctionCall& call) override { return f_(call); }

 private:
  F f_;
};

// Filled before the executor starts; read-only from then on.
class FunctionRegistry {
 public:
  template <std::invocable<FunctionCall&> F>
  Status add(const std::string& name, F f) {
    return add(name, std::unique_ptr<Function>(new CallableFunction<F>(std::move(f))));
  }
  Status add(const std::string& name, std::unique_ptr<Function> function);  // ALREADY_EXISTS

  Function* find(const std::string& name) const;  // null if there is none
  std::vector<std::string> names() const;         // ascending, for WorkerSpec::functions

 private:
  std::map<std::string, std::unique_ptr<Function>> functions_;
};

}  // namespace pawl
