#include "pawl/adapter/grpc/frame_codec.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/v1/workers.pb.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {

namespace {

// A frame whose parts lie side by side: each would be an allocation of its own.
class FrameInBlocks {
 public:
  v1::Frame& operator*() { return *frame_; }

 private:
  google::protobuf::ArenaOptions options() {
    google::protobuf::ArenaOptions options;
    options.initial_block = first_;
    options.initial_block_size = sizeof first_;
    options.max_block_size = 64 << 10;
    return options;
  }

  alignas(std::max_align_t) char first_[4096];
  google::protobuf::Arena arena_{options()};
  v1::Frame* frame_ = google::protobuf::Arena::CreateMessage<v1::Frame>(&arena_);
};

void encode_context(const RunContext& context, v1::ContextSlot& out) {
  out.set_execution(context.execution.value);
  out.set_node(context.node);
  to_proto(context.input, *out.mutable_input());
  out.set_labels(context.labels);
  for (const NodeOutput& output : context.outputs) to_proto(output, *out.add_outputs());
  if (context.items.is_blob())
    to_proto(context.items.ref(), *out.mutable_items_blob());
  else if (!context.items.is_absent())
    out.set_items(context.items.text());
  out.set_items_count(context.items_count);
  to_proto(context.cluster, *out.mutable_cluster());
  to_proto(context.trace.id, *out.mutable_trace_id());
  out.set_trace_flags(context.trace.flags);
}

Result<RunContext> decode_context(const v1::ContextSlot& in, WorkflowRef workflow) {
  RunContext context;
  if (!workflow || in.node() >= workflow->nodes.size())
    return Error{Code::invalid_argument, "frame: a context of a node that is not there"};
  context.execution = ExecutionId{in.execution()};
  context.workflow = std::move(workflow);
  context.node = in.node();
  context.input = from_proto(in.input());
  context.labels = in.labels();
  for (const v1::NodeOutput& output : in.outputs()) {
    PAWL_ASSIGN(NodeOutput one, from_proto(output));
    context.outputs.push_back(std::move(one));
  }
  context.items_count = in.items_count();
  if (in.has_items_blob()) {
    context.items = Payload::blob(from_proto(in.items_blob()));
  } else if (!in.items().empty()) {
    PAWL_TRY(items_check(in.items()));
    if (items_count(in.items()) != context.items_count)
      return Error{Code::invalid_argument, "frame: an item list of another length than it says"};
    context.items = Payload::inline_json(in.items());
  }
  context.cluster = from_proto(in.cluster());
  context.trace.id = from_proto(in.trace_id());
  context.trace.flags = static_cast<uint8_t>(in.trace_flags());
  return context;
}

Error no_slot(const char* what, uint32_t slot) {
  return {Code::invalid_argument,
          std::string("frame: ") + what + " slot " + std::to_string(slot) + " is not there"};
}

void encode_body(const Hello& hello, v1::Frame& frame) {
  v1::Hello& out = *frame.mutable_hello();
  to_proto(hello.worker, out);
  out.set_session(hello.session.value);
  for (const HeldAttempts& held : hello.held) to_proto(held, *out.add_held());
}
Hello hello_of(const v1::Hello& in) {
  Hello hello{from_proto(in), SessionId{in.session()}, {}};
  for (const v1::HeldAttempts& held : in.held()) hello.held.push_back(from_proto(held));
  return hello;
}
void encode_body(const Unreachable&, v1::Frame&) {}  // never leaves the process
void encode_body(const Unknown&, v1::Frame&) {}      // nor does this: nobody sends it
void encode_body(const Heartbeat& body, v1::Frame& frame) {
  to_proto(body.usage, *frame.mutable_heartbeat());
}
void encode_body(const Reports& reports, v1::Frame& frame) {
  v1::Reports& out = *frame.mutable_reports();
  for (const AttemptReport& report : reports.reports) to_proto(report, *out.add_reports());
}
void encode_body(const Progress& progress, v1::Frame& frame) {
  v1::Progress& out = *frame.mutable_progress();
  for (const AttemptProgress& item : progress.items) to_proto(item, *out.add_items());
  for (const RunningAttempts& one : progress.running) to_proto(one, *out.add_running());
}
void encode_body(const Goodbye&, v1::Frame& frame) {
  frame.mutable_goodbye();
}
void encode_body(const Returned& returned, v1::Frame& frame) {
  v1::Returned& out = *frame.mutable_returned();
  for (const HeldAttempts& one : returned.attempts) to_proto(one, *out.add_attempts());
}
void encode_body(const Welcome& welcome, v1::Frame& frame) {
  frame.mutable_welcome()->set_session(welcome.session.value);
  if (welcome.partitions > 1) frame.mutable_welcome()->set_partitions(welcome.partitions);
}
void encode_body(const Stops& stops, v1::Frame& frame) {
  v1::Stops& out = *frame.mutable_stops();
  for (const StopAttempts& stop : stops.stops) to_proto(stop, *out.add_stops());
}
void encode_body(const Recall& recall, v1::Frame& frame) {
  v1::Recall& out = *frame.mutable_recall();
  for (const HeldAttempts& one : recall.attempts) to_proto(one, *out.add_attempts());
}
void encode_body(const Closed& closed, v1::Frame& frame) {
  frame.mutable_closed()->set_reason(closed.reason);
}

template <class Message>
std::vector<HeldAttempts> attempts_of(const Message& in) {
  std::vector<HeldAttempts> attempts;
  for (const v1::HeldAttempts& one : in.attempts()) attempts.push_back(from_proto(one));
  return attempts;
}

}  // namespace

void FrameEncoder::share(const RunContextRef& context, v1::Grant& out) {
  auto place = contexts_.place(context);
  if (!place.fresh) return out.set_context_slot(place.slot);
  v1::ContextSlot& slot = *out.mutable_context();
  slot.set_slot(place.slot);
  encode_context(*context, slot);
  auto workflow = workflows_.place(context->workflow);
  if (!workflow.fresh) return slot.set_workflow_slot(workflow.slot);
  slot.mutable_workflow()->set_slot(workflow.slot);
  slot.mutable_workflow()->set_definition(pawl::encode(*context->workflow));
}

std::string FrameEncoder::encode(const Message& message) {
  FrameInBlocks blocks;
  v1::Frame& frame = *blocks;
  frame.set_from(message.from);
  frame.set_to(message.to);
  frame.set_incarnation(message.incarnation);
  frame.set_peer_incarnation(message.peer_incarnation);
  frame.set_sequence(message.sequence);
  frame.set_acknowledged(message.acknowledged);
  if (message.sequence == 0) return frame.SerializeAsString();
  if (const auto* grants = std::get_if<Grants>(&message.body)) {
    v1::Grants& out = *frame.mutable_grants();
    for (const Grant& grant : grants->grants) {
      v1::Grant& one = *out.add_grants();
      to_proto(grant, one);
      share(grant.context, one);
    }
  } else {
    std::visit(
        [&](const auto& body) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, Grants>)
            encode_body(body, frame);
        },
        message.body);
  }
  return frame.SerializeAsString();
}

Result<WorkflowRef> FrameDecoder::workflow_of(const v1::ContextSlot& in) {
  uint32_t slot = in.has_workflow() ? in.workflow().slot() : in.workflow_slot();
  if (slot >= frame_workflow_slots) return no_slot("workflow", slot);
  if (in.has_workflow()) {
    PAWL_ASSIGN(Workflow workflow, decode_workflow(in.workflow().definition()));
    workflows_[slot] = std::make_shared<const Workflow>(std::move(workflow));
  }
  if (!workflows_[slot]) return no_slot("workflow", slot);
  return workflows_[slot];
}

Result<RunContextRef> FrameDecoder::context_of(const v1::Grant& in) {
  uint32_t slot = in.has_context() ? in.context().slot() : in.context_slot();
  if (slot >= frame_context_slots) return no_slot("context", slot);
  if (in.has_context()) {
    PAWL_ASSIGN(WorkflowRef workflow, workflow_of(in.context()));
    PAWL_ASSIGN(RunContext context, decode_context(in.context(), std::move(workflow)));
    contexts_[slot] = std::make_shared<const RunContext>(std::move(context));
  }
  if (!contexts_[slot]) return no_slot("context", slot);
  return contexts_[slot];
}

Result<MessageBody> FrameDecoder::decode_grants(const v1::Grants& in) {
  Grants grants;
  for (const v1::Grant& one : in.grants()) {
    Grant& grant = grants.grants.emplace_back(from_proto(one));
    PAWL_ASSIGN(grant.context, context_of(one));
    if (grant.range.execution != grant.context->execution ||
        grant.range.node != grant.context->node || grant.range.begin > grant.range.end ||
        grant.range.end > grant.context->items_count)
      return Error{Code::invalid_argument, "frame: a grant beyond its context"};
  }
  return MessageBody{std::move(grants)};
}

Result<MessageBody> FrameDecoder::decode_body(const v1::Frame& frame) {
  switch (frame.body_case()) {
    case v1::Frame::kHello:
      return MessageBody{hello_of(frame.hello())};
    case v1::Frame::kHeartbeat:
      return MessageBody{Heartbeat{from_proto(frame.heartbeat())}};
    case v1::Frame::kReports: {
      Reports reports;
      for (const v1::AttemptReport& one : frame.reports().reports())
        reports.reports.push_back(from_proto(one));
      return MessageBody{std::move(reports)};
    }
    case v1::Frame::kProgress: {
      Progress progress;
      for (const v1::AttemptProgress& one : frame.progress().items())
        progress.items.push_back(from_proto(one));
      for (const v1::RunningAttempts& one : frame.progress().running())
        progress.running.push_back(from_proto(one));
      return MessageBody{std::move(progress)};
    }
    case v1::Frame::kGoodbye:
      return MessageBody{Goodbye{}};
    case v1::Frame::kWelcome:
      return MessageBody{Welcome{SessionId{frame.welcome().session()},
                                 std::clamp(frame.welcome().partitions(), 1u, partitions_max)}};
    case v1::Frame::kGrants:
      return decode_grants(frame.grants());
    case v1::Frame::kStops: {
      Stops stops;
      for (const v1::StopAttempts& one : frame.stops().stops())
        stops.stops.push_back(from_proto(one));
      return MessageBody{std::move(stops)};
    }
    case v1::Frame::kClosed:
      return MessageBody{Closed{frame.closed().reason()}};
    case v1::Frame::kReturned:
      return MessageBody{Returned{attempts_of(frame.returned())}};
    case v1::Frame::kRecall:
      return MessageBody{Recall{attempts_of(frame.recall())}};
    case v1::Frame::BODY_NOT_SET:
      break;
  }
  return MessageBody{Unknown{}};
}

Result<Message> FrameDecoder::decode(std::string_view bytes) {
  FrameInBlocks blocks;
  v1::Frame& frame = *blocks;
  if (bytes.size() > coordinator_frame_bytes_max ||
      !frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Error{Code::invalid_argument, "frame: not the bytes of a frame"};
  Message message;
  message.from = frame.from();
  message.to = frame.to();
  message.incarnation = frame.incarnation();
  message.peer_incarnation = frame.peer_incarnation();
  message.sequence = frame.sequence();
  message.acknowledged = frame.acknowledged();
  message.bytes = bytes.size();
  if (message.sequence > 0) {
    PAWL_ASSIGN(message.body, decode_body(frame));
  }
  return message;
}

}  // namespace pawl
