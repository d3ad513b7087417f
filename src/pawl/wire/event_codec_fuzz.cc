// Any bytes: decode_group refuses them, or what it gives encodes to bytes that decode to the same.
#include "pawl/wire/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pawl::ByteView bytes(reinterpret_cast<const char*>(data), size);
  pawl::Result<pawl::Group> group = pawl::decode_group(1, 1, bytes);
  if (!group.ok()) return 0;
  pawl::Bytes once = pawl::encode(*group);
  pawl::Result<pawl::Group> again = pawl::decode_group(1, 1, once);
  PAWL_CHECK(again.ok(), "what was encoded does not decode");
  PAWL_CHECK(again->events.size() == group->events.size(), "events came or went");
  PAWL_CHECK(pawl::encode(*again) == once, "the encoding is not stable");
  return 0;
}
