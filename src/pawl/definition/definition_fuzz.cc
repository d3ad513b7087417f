// Any bytes are a definition or a list of problems; a definition that loads is whole.
#include <cstdint>

#include "pawl/base/check.h"
#include "pawl/definition/definition.h"
#include "pawl/definition/graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  pawl::Loaded loaded = pawl::load_definition(text, "fuzz.yaml");
  PAWL_CHECK(loaded.problems.size() <= pawl::definition_problems_max, "too many problems");
  for (const pawl::Problem& problem : loaded.problems)
    PAWL_CHECK(problem.line >= 1 && problem.column >= 1 && !problem.message.empty(),
               "a problem without a place or a message");
  if (!loaded.ok()) return 0;
  PAWL_CHECK(!loaded.workflow.nodes.empty(), "a workflow without nodes");
  PAWL_CHECK(pawl::finish(loaded.workflow).ok(), "a workflow that the model refuses");
  PAWL_CHECK(!pawl::to_mermaid(loaded.workflow).empty(), "a workflow without a picture");
  return 0;
}
