// Any bytes from a connection: refused, or a message that can be written and read again.
#include <cstddef>
#include <cstdint>

#include "pawl/adapter/grpc/frame_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pawl::FrameDecoder decoder;
  pawl::Result<pawl::Message> message = decoder.decode({reinterpret_cast<const char*>(data), size});
  if (!message.ok()) return 0;
  std::string again = pawl::FrameEncoder().encode(message.value());
  pawl::Result<pawl::Message> same = pawl::FrameDecoder().decode(again);
  PAWL_CHECK(same.ok(), "what was decoded cannot be encoded");
  PAWL_CHECK(same.value().body.index() == message.value().body.index(), "another body came back");
  return 0;
}
