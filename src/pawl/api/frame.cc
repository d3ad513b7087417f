#include "pawl/api/frame.h"

#include "pawl/api/call_fields.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr size_t header_bytes = sizeof(uint32_t);

Error too_large(uint64_t size, uint64_t limit) {
  return {Code::resource_exhausted, "a frame of " + std::to_string(size) +
                                        " bytes is above frame_bytes_max (" +
                                        std::to_string(limit) + ")"};
}

}  // namespace

Result<Bytes> to_frame(std::string_view json) {
  if (json.size() > frame_bytes_max) return too_large(json.size(), frame_bytes_max);
  ByteWriter out;
  out.u32(static_cast<uint32_t>(json.size()));
  out.raw(json.data(), json.size());
  return out.take();
}

void FrameReader::add(ByteView bytes) {
  if (failure_) return;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> FrameReader::next() {
  if (failure_ || buffer_.size() - begin_ < header_bytes) return std::nullopt;
  ByteView rest = ByteView(buffer_).substr(begin_);
  uint64_t size = ByteReader(rest).u32();
  if (size > bytes_max_) {
    failure_ = too_large(size, bytes_max_);
    buffer_ = {};
    begin_ = 0;
    return std::nullopt;
  }
  if (rest.size() < header_bytes + size) return std::nullopt;
  std::string frame(rest.substr(header_bytes, size));
  begin_ += header_bytes + size;
  return frame;
}

std::string greeting_json() {
  JsonWriter out;
  out.begin_object().key("pawl").number(protocol_version).end_object();
  return out.take();
}

Status check_greeting(std::string_view json) {
  Error no_greeting{
      Code::invalid_argument,
      "the other side does not speak Pawl's protocol: its first frame must be " + greeting_json()};
  if (!json_validate(json).ok()) return no_greeting;
  std::string problem;
  JsonFieldReader io(json, "a greeting", UnknownMembers::ignore, problem);
  uint64_t version = 0;
  std::optional<Error> refusal;
  io("error", refusal);
  io.required("pawl", version);
  if (!io.finish()) return no_greeting;
  if (version != protocol_version)
    return Error{Code::failed_precondition,
                 "the other side speaks version " + std::to_string(version) +
                     " of the protocol, this program version " + std::to_string(protocol_version) +
                     "; use the same release of Pawl on both sides"};
  if (refusal) return *refusal;
  return {};
}

}  // namespace pawl
