// The C++ functions that `pawl bench` calls: `nothing`, which does what it says. Apart from the verb,
// because a function's `Call` is not the one of api/call.h.
//
//   BenchFunctions functions;
//   request.functions = &functions.registry();
#pragma once

#include <memory>

namespace pawl {
class FunctionRegistry;
}

namespace pawl::cli {

class BenchFunctions final {
 public:
  BenchFunctions();
  ~BenchFunctions();
  BenchFunctions(const BenchFunctions&) = delete;
  BenchFunctions& operator=(const BenchFunctions&) = delete;
  const FunctionRegistry& registry() const { return *registry_; }

 private:
  std::unique_ptr<FunctionRegistry> registry_;
};

}  // namespace pawl::cli
