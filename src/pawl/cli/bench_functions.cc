#include "pawl/cli/bench_functions.h"

#include "pawl/isolate/function.h"

namespace pawl::cli {

BenchFunctions::BenchFunctions() : registry_(std::make_unique<FunctionRegistry>()) {
  Status added =
      registry_->add("nothing", [](Call&) -> Result<std::string> { return std::string(); });
  PAWL_CHECK(added.ok(), "the first function of its name");
}

BenchFunctions::~BenchFunctions() = default;

}  // namespace pawl::cli
