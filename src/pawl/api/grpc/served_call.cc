#include "pawl/api/grpc/served_call.h"

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/service_type.h>

#include <map>

#include "pawl/adapter/grpc/frame_stream.h"
#include "pawl/adapter/grpc/tls_credentials.h"

namespace pawl {
namespace {

using Proto = google::protobuf::Message;
using grpc::ByteBuffer;

// Where whoever is refused may come again, as with HTTP's Retry-After.
bool may_retry(Code code) {
  return code == Code::resource_exhausted || code == Code::unavailable || code == Code::unknown;
}

std::string shortened(const std::string& message) {
  if (message.size() <= error_message_bytes_max) return message;
  size_t end = error_message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0u) == 0x80u) --end;
  return message.substr(0, end) + " ...";
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Every method is served as a stream of bytes in both directions: on the wire there is no other kind.
class Reactor final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>, public ServedCall {
 public:
  Reactor(const Method& method, grpc::CallbackServerContext& context, Sink<CallNews>& news,
          Packing packing)
      : method_(method),
        context_(context),
        news_(news),
        packing_(packing),
        packs_(packing.near_too || !is_near(context.peer())) {
    news_.put({this, CallMoment::opened});
  }

  const Method& method() const override { return method_; }
  Credentials shown() const override {
    Credentials shown;
    shown.certificate = certificate_uri(*context_.auth_context());
    const auto& fields = context_.client_metadata();
    auto found = fields.find("authorization");
    if (found == fields.end()) return shown;
    std::string value(found->second.data(), found->second.size());
    constexpr std::string_view scheme = "bearer ";
    if (lower(value.substr(0, scheme.size())) == scheme) shown.bearer = value.substr(scheme.size());
    return shown;
  }
  void read() override { StartRead(&incoming_); }
  std::unique_ptr<Proto> request() const override {
    std::unique_ptr<Proto> message(method_.request->New());
    if (!message->ParseFromString(bytes_of(incoming_))) return nullptr;
    return message;
  }
  void write(const Proto& message) override {
    outgoing_ = buffer_of(message.SerializeAsString());
    if (packs_) context_.set_compression_level(packed);  // of the stream; small ones say otherwise
    StartWrite(&outgoing_, options());
  }
  void answer(const Proto& message) override {
    outgoing_ = buffer_of(message.SerializeAsString());
    if (is_packed()) context_.set_compression_level(packed);
    StartWriteAndFinish(&outgoing_, options(), grpc::Status::OK);
  }
  void finish(const Status& status) override {
    if (status.ok()) return Finish(grpc::Status::OK);
    const Error& error = status.error();
    if (may_retry(error.code)) {
      Duration after = error.retry_after == Duration{} ? retry_after_else : error.retry_after;
      context_.AddTrailingMetadata("retry-after-ms",
                                   std::to_string(rounded_up(after, Duration::milliseconds(1))));
    }
    Finish({static_cast<grpc::StatusCode>(error.code), shortened(error.message)});
  }

 private:
  // By level and not by algorithm: gRPC takes one that the client has announced, or none.
  static constexpr grpc_compression_level packed = GRPC_COMPRESS_LEVEL_LOW;  // gzip

  bool is_packed() const { return packs_ && outgoing_.Length() >= packing_.bytes_min; }
  grpc::WriteOptions options() const {
    grpc::WriteOptions options;
    if (!is_packed()) options.set_no_compression();
    return options;
  }
  void OnReadDone(bool ok) override { news_.put({this, CallMoment::read, ok}); }
  void OnWriteDone(bool ok) override { news_.put({this, CallMoment::written, ok}); }
  void OnCancel() override { news_.put({this, CallMoment::cancelled}); }
  void OnDone() override { news_.put({this, CallMoment::done}); }

  const Method& method_;
  grpc::CallbackServerContext& context_;
  Sink<CallNews>& news_;
  const Packing packing_;
  const bool packs_;
  ByteBuffer incoming_;
  ByteBuffer outgoing_;
};

// What the generated services are made of, from the table instead.
class TableService final : public grpc::Service {
 public:
  TableService(Sink<CallNews>& news, Packing packing) : news_(news), packing_(packing) {}

  void add(const Method& method) {
    paths_.push_back(std::make_unique<std::string>(method.path()));
    auto make = [&method, this](grpc::CallbackServerContext* context) {
      return new Reactor(method, *context, news_, packing_);
    };
    AddMethod(new grpc::internal::RpcServiceMethod(
        paths_.back()->c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRawCallback(static_cast<int>(paths_.size() - 1),
                          new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(make));
  }

 private:
  Sink<CallNews>& news_;
  const Packing packing_;
  std::vector<std::unique_ptr<std::string>> paths_;  // gRPC keeps pointers to them
};

}  // namespace

bool is_near(std::string_view peer) {
  for (std::string_view near : {"unix:", "unix-abstract:", "ipv4:127.", "ipv6:[::1]:",
                                "ipv6:%5B::1%5D:", "ipv6:[::ffff:127.", "ipv6:%5B::ffff:127."})
    if (peer.starts_with(near)) return true;
  return false;
}

std::vector<std::shared_ptr<grpc::Service>> make_services(Sink<CallNews>& news, Packing packing) {
  std::map<std::string, std::shared_ptr<TableService>> by_name;
  for (const Method& method : methods()) {
    auto& service = by_name[method.service];
    if (!service) service = std::make_shared<TableService>(news, packing);
    service->add(method);
  }
  std::vector<std::shared_ptr<grpc::Service>> services;
  for (auto& [name, service] : by_name) services.push_back(std::move(service));
  return services;
}

}  // namespace pawl
