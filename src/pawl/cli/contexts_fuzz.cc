// Any text: contexts, or what is wrong; what has been understood is understood again.
#include "pawl/cli/contexts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawl::cli;
  auto contexts = contexts_from_json({reinterpret_cast<const char*>(data), size});
  if (!contexts.ok()) return 0;
  std::string text = to_json(*contexts);
  auto again = contexts_from_json(text);
  PAWL_CHECK(again.ok() && to_json(*again) == text, "what is written can be read");
  PAWL_CHECK(contexts->all.size() <= contexts_max, "the limit holds");
  return 0;
}
