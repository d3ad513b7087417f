// Frames on a stream: u32 length (little-endian), then that many bytes of JSON. The first frame of
// each side is its greeting, {"pawl":1}.
//
//   FrameReader in(frame_bytes_max);
//   in.add(bytes_from_the_socket);
//   while (std::optional<std::string> frame = in.next()) use(*frame);
//   if (in.failure()) hang up;
//
// A reader holds what has come of one frame and what came with it, never more than a length that it
// has accepted. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

constexpr uint64_t frame_bytes_max = 64 << 20;
constexpr uint64_t protocol_version = 1;

// RESOURCE_EXHAUSTED above frame_bytes_max.
Result<Bytes> to_frame(std::string_view json);

class FrameReader {
 public:
  explicit FrameReader(uint64_t bytes_max = frame_bytes_max) : bytes_max_(bytes_max) {}

  void add(ByteView bytes);
  std::optional<std::string> next();
  // Set once the stream makes no sense any more; next() then gives nothing.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  uint64_t bytes_max_;
  Bytes buffer_;
  size_t begin_ = 0;  // of the first frame not given out
  std::optional<Error> failure_;
};

std::string greeting_json();
// FAILED_PRECONDITION if the other side speaks another version, INVALID_ARGUMENT if it greets
// otherwise, or the error that it greets with.
Status check_greeting(std::string_view json);

}  // namespace pawl
