// Any bytes: decode_group refuses them, or what it gives encodes to bytes that decode to the same;
// a scan of them ends, and sees every event that decodes.
#include "pawl/wire/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pawl::ByteView bytes(reinterpret_cast<const char*>(data), size);
  pawl::Result<pawl::Group> group = pawl::decode_group(1, 1, bytes);
  pawl::GroupScan scan(bytes);
  size_t scanned = 0;
  for (; scan.next(); ++scanned) (void)scan.execution();
  if (!group.ok()) return 0;
  PAWL_CHECK(scan.ok() && scanned == group->events.size(), "a scan sees other events");
  pawl::Bytes once = pawl::encode(*group);
  pawl::Result<pawl::Group> again = pawl::decode_group(1, 1, once);
  PAWL_CHECK(again.ok(), "what was encoded does not decode");
  PAWL_CHECK(again->events.size() == group->events.size(), "events came or went");
  PAWL_CHECK(pawl::encode(*again) == once, "the encoding is not stable");
  return 0;
}
