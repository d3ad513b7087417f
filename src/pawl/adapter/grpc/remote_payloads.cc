#include "pawl/adapter/grpc/remote_payloads.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/adapter/grpc/tls_credentials.h"
#include "pawl/adapter/grpc/way_broke.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// A coordinator that cannot tell yet what this worker holds is asked again after a moment.
constexpr const char* retries =
    R"({"methodConfig":[{"name":[{"service":"pawl.v1.Workers"}],"retryPolicy":{"maxAttempts":5,)"
    R"("initialBackoff":"0.05s","maxBackoff":"1s","backoffMultiplier":2,)"
    R"("retryableStatusCodes":["UNAVAILABLE"]}}]})";
constexpr int tries_max = 10;  // of one call; in between, the channel waits for a connection

Status result_of(const grpc::Status& status) {
  if (status.ok()) return {};
  Code code = way_broke(status) ? Code::unavailable : static_cast<Code>(status.error_code());
  return Error{code, "payload: " + status.error_message()};
}

// The payloads used last, whole.
class Recent {
 public:
  explicit Recent(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  std::optional<Bytes> find(const BlobRef& ref, uint64_t offset, uint64_t size) {
    std::lock_guard lock(mutex_);
    auto known = known_.find(ref);
    if (known == known_.end()) return std::nullopt;
    order_.splice(order_.begin(), order_, known->second);
    if (offset > known->second->bytes.size()) return std::nullopt;
    return known->second->bytes.substr(offset, size);
  }

  void keep(const BlobRef& ref, const Bytes& bytes) {
    std::lock_guard lock(mutex_);
    if (bytes.size() > bytes_max_ / 2 || known_.contains(ref)) return;
    order_.push_front({ref, bytes});
    known_[ref] = order_.begin();
    bytes_ += bytes.size();
    while (bytes_ > bytes_max_) {
      bytes_ -= order_.back().bytes.size();
      known_.erase(order_.back().ref);
      order_.pop_back();
    }
  }

 private:
  struct One {
    BlobRef ref;
    Bytes bytes;
  };
  std::mutex mutex_;
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<One> order_;
  std::map<BlobRef, std::list<One>::iterator> known_;
};

}  // namespace

struct RemotePayloads::Impl {
  explicit Impl(const RemotePayloadsOptions& given)
      : options(given), stub(v1::Workers::NewStub(channel(given))), recent(given.cache_bytes_max) {}

  static std::shared_ptr<grpc::Channel> channel(const RemotePayloadsOptions& given) {
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(retries);
    return grpc::CreateCustomChannel(
        given.target, channel_credentials(given.target, given.tls).value(), arguments);
  }

  // Makes a call until it is answered or patience is over; it waits for a coordinator that is just
  // coming up.
  template <class Call>
  Status ask(Call call) const {
    auto end = steady_clock::now() + std::chrono::nanoseconds(options.patience.ns);
    for (int tries = 1;; ++tries) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(system_clock::now() + (end - steady_clock::now()));
      grpc::Status status = call(context);
      if (!way_broke(status) || steady_clock::now() >= end || tries == tries_max)
        return result_of(status);
    }
  }

  grpc::Status write(grpc::ClientContext& context, const BlobRef& ref, ByteView bytes) const;
  grpc::Status read(grpc::ClientContext& context, const v1::ReadPayloadRequest& request,
                    Bytes& bytes) const;

  RemotePayloadsOptions options;
  std::unique_ptr<v1::Workers::Stub> stub;
  Recent recent;
  std::atomic<uint64_t> from_memory{0}, from_server{0};
};

RemotePayloads::RemotePayloads(const RemotePayloadsOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
RemotePayloads::~RemotePayloads() = default;

grpc::Status RemotePayloads::Impl::write(grpc::ClientContext& context, const BlobRef& ref,
                                         ByteView bytes) const {
  v1::WritePayloadResponse response;
  if (options.packed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  auto writer = stub->WritePayload(&context, &response);
  uint64_t at = 0;
  do {
    v1::WritePayloadRequest request;
    if (at == 0) to_proto(ref, *request.mutable_ref());
    std::string_view part = std::string_view(bytes).substr(at, remote_payload_part_bytes);
    request.set_bytes(part.data(), part.size());
    at += part.size();
    if (!writer->Write(request)) break;
  } while (at < bytes.size());
  writer->WritesDone();
  return writer->Finish();
}

grpc::Status RemotePayloads::Impl::read(grpc::ClientContext& context,
                                        const v1::ReadPayloadRequest& request, Bytes& bytes) const {
  bytes.clear();
  auto reader = stub->ReadPayload(&context, request);
  v1::PayloadPart one;
  while (bytes.size() <= request.size() && reader->Read(&one)) bytes += one.bytes();
  if (bytes.size() > request.size()) context.TryCancel();
  return reader->Finish();
}

Status RemotePayloads::put(const BlobRef& ref, ByteView bytes) {
  return impl_->ask(
      [&](grpc::ClientContext& context) { return impl_->write(context, ref, bytes); });
}

Result<Bytes> RemotePayloads::get(const BlobRef& ref) {
  PAWL_ASSIGN(Bytes bytes, part(ref, 0, ref.size));
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash)
    return Error{Code::data_loss, "payload: its bytes are not those that were kept"};
  impl_->recent.keep(ref, bytes);
  return bytes;
}

Result<Bytes> RemotePayloads::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  if (auto known = impl_->recent.find(ref, offset, size)) {
    ++impl_->from_memory;
    return std::move(*known);
  }
  v1::ReadPayloadRequest request;
  to_proto(ref, *request.mutable_ref());
  request.set_offset(offset);
  request.set_packed(impl_->options.packed);
  request.set_size(size);
  Bytes bytes;
  PAWL_TRY(impl_->ask(
      [&](grpc::ClientContext& context) { return impl_->read(context, request, bytes); }));
  ++impl_->from_server;
  return bytes;
}

PayloadReads RemotePayloads::reads() const {
  return {impl_->from_memory.load(), impl_->from_server.load()};
}

}  // namespace pawl
