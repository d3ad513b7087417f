// Any bytes, cut anywhere: the same frames come out, and the same failure. The first byte says
// where it is cut.
#include <vector>

#include "pawl/api/frame.h"

namespace {

constexpr uint64_t small_frame_bytes_max = 1000;

struct Read {
  std::vector<std::string> frames;
  bool failed = false;
};

Read read_in_pieces(pawl::ByteView bytes, size_t piece) {
  pawl::FrameReader reader(small_frame_bytes_max);
  Read read;
  while (!bytes.empty()) {
    reader.add(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (auto frame = reader.next()) {
      PAWL_CHECK(frame->size() <= small_frame_bytes_max, "a frame above the limit");
      (void)pawl::check_greeting(*frame);
      read.frames.push_back(std::move(*frame));
    }
  }
  read.failed = reader.failure().has_value();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  pawl::ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Read whole = read_in_pieces(bytes, bytes.size() + 1);
  Read pieces = read_in_pieces(bytes, data[0] % 16 + 1);
  PAWL_CHECK(whole.frames == pieces.frames, "frames depend on how they are cut");
  PAWL_CHECK(whole.failed == pieces.failed, "a failure depends on how frames are cut");
  return 0;
}
