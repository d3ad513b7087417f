// Any bytes: decode_workflow refuses them, or what it gives encodes to bytes that
// decode to the same.
#include "pawl/wire/workflow_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pawl::ByteView bytes(reinterpret_cast<const char*>(data), size);
  pawl::Result<pawl::Workflow> workflow = pawl::decode_workflow(bytes);
  if (!workflow.ok()) return 0;
  pawl::Bytes once = pawl::encode(*workflow);
  pawl::Result<pawl::Workflow> again = pawl::decode_workflow(once);
  PAWL_CHECK(again.ok(), "what was encoded does not decode");
  PAWL_CHECK(again->nodes == workflow->nodes, "a node changed on its way");
  PAWL_CHECK(pawl::encode(*again) == once, "the encoding is not stable");
  return 0;
}
