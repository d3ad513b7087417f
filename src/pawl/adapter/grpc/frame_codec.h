// Messages between engine and worker as bytes: proto/pawl/v1/workers.proto.
//
//   FrameEncoder encoder;                       // one per connection and direction
//   std::string bytes = encoder.encode(message);
//   FrameDecoder decoder;                       // at the other end of the same connection
//   PAWL_ASSIGN(Message same, decoder.decode(bytes));
//
// What many grants share (the workflow, the run's context) is sent once per connection: the encoder
// keeps what it has sent in numbered slots, the decoder the same slots. So every frame that was
// encoded must arrive, in order, or the connection must end; a new connection begins with new ones.
//
// Limits: 256 workflow and 1,024 context slots; the oldest is filled anew. A worker sends frames of
// worker_frame_bytes_max, which is all that a server's port takes; the coordinator's are as large as what
// one node reads, at most what protobuf can hold (coordinator_frame_bytes_max, 2 GiB). Errors of decode():
// INVALID_ARGUMENT for bytes that are no frame or name what is not there. Safe on any bytes.
// Threading: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/port/transport.h"

namespace pawl {

namespace v1 {
class ContextSlot;
class Frame;
class Grant;
class Grants;
}  // namespace v1

constexpr uint64_t worker_frame_bytes_max = 64 << 20;
constexpr uint64_t coordinator_frame_bytes_max = (uint64_t{2} << 30) - 1;
constexpr uint32_t frame_workflow_slots = 256;
constexpr uint32_t frame_context_slots = 1024;

// Values by identity, in a ring of numbered slots. Holding them keeps their addresses from being used
// again.
template <class T>
class SentSlots {
 public:
  explicit SentSlots(uint32_t size) : ring_(size) {}

  struct Place {
    uint32_t slot = 0;
    bool fresh = false;  // to be sent
  };
  Place place(const std::shared_ptr<const T>& value) {
    auto known = slots_.find(value.get());
    if (known != slots_.end()) return {known->second, false};
    uint32_t slot = next_;
    next_ = (next_ + 1) % static_cast<uint32_t>(ring_.size());
    if (ring_[slot]) slots_.erase(ring_[slot].get());
    ring_[slot] = value;
    slots_.emplace(value.get(), slot);
    return {slot, true};
  }

 private:
  std::vector<std::shared_ptr<const T>> ring_;
  std::unordered_map<const T*, uint32_t> slots_;
  uint32_t next_ = 0;
};

class FrameEncoder {
 public:
  std::string encode(const Message& message);

 private:
  void share(const RunContextRef& context, v1::Grant& out);

  SentSlots<Workflow> workflows_{frame_workflow_slots};
  SentSlots<RunContext> contexts_{frame_context_slots};
};

class FrameDecoder {
 public:
  Result<Message> decode(std::string_view bytes);

 private:
  Result<MessageBody> decode_body(const v1::Frame& frame);
  Result<MessageBody> decode_grants(const v1::Grants& in);
  Result<RunContextRef> context_of(const v1::Grant& in);
  Result<WorkflowRef> workflow_of(const v1::ContextSlot& in);

  std::vector<WorkflowRef> workflows_ = std::vector<WorkflowRef>(frame_workflow_slots);
  std::vector<RunContextRef> contexts_ = std::vector<RunContextRef>(frame_context_slots);
};

}  // namespace pawl
