#include "pawl/adapter/grpc/remote_payloads.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>

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

// So slow may the network be: whatever has more bytes gets more time.
constexpr uint64_t bytes_per_second_min = 16 << 10;
constexpr uint64_t bytes_max = uint64_t{1} << 32;  // of a call that somebody means

}  // namespace

struct RemotePayloads::Impl {
  explicit Impl(const RemotePayloadsOptions& given)
      : options(given), stub(v1::Workers::NewStub(channel(given))) {}

  static std::shared_ptr<grpc::Channel> channel(const RemotePayloadsOptions& given) {
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(retries);
    return grpc::CreateCustomChannel(
        given.target, channel_credentials(given.target, given.tls).value(), arguments);
  }

  // Makes a call that carries so much until it is answered or patience is over; it waits for a coordinator that is
  // just coming up.
  template <class Call>
  Status ask(uint64_t bytes, Call call) {
    auto end = steady_clock::now() + std::chrono::nanoseconds(options.patience.ns) +
               std::chrono::seconds(std::min(bytes, bytes_max) / bytes_per_second_min);
    for (int tries = 1;; ++tries) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(system_clock::now() + (end - steady_clock::now()));
      UnderWay registered(*this, context);
      grpc::Status status = call(context);
      if (!way_broke(status) || given_up || steady_clock::now() >= end || tries == tries_max)
        return result_of(status);
    }
  }

  // Registers a call, so that it can be given up.
  class UnderWay {
   public:
    UnderWay(Impl& owner, grpc::ClientContext& context) : owner_(owner), context_(context) {
      std::lock_guard lock(owner_.mutex);
      owner_.under_way.insert(&context_);
      if (owner_.given_up) context_.TryCancel();
    }
    ~UnderWay() {
      std::lock_guard lock(owner_.mutex);
      owner_.under_way.erase(&context_);
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

   private:
    Impl& owner_;
    grpc::ClientContext& context_;
  };

  grpc::Status write(grpc::ClientContext& context, const BlobRef& ref, ByteView bytes) const;
  grpc::Status read(grpc::ClientContext& context, const v1::ReadPayloadRequest& request,
                    Bytes& bytes) const;

  RemotePayloadsOptions options;
  std::unique_ptr<v1::Workers::Stub> stub;
  std::mutex mutex;
  std::set<grpc::ClientContext*> under_way;
  std::atomic<bool> given_up{false};
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
  return impl_->ask(bytes.size(), [&](grpc::ClientContext& context) {
    return impl_->write(context, ref, bytes);
  });
}

Result<Bytes> RemotePayloads::get(const BlobRef& ref) {
  PAWL_ASSIGN(Bytes bytes, part(ref, 0, ref.size));
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash)
    return Error{Code::data_loss, "payload: its bytes are not those that were kept"};
  return bytes;
}

Result<Bytes> RemotePayloads::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  v1::ReadPayloadRequest request;
  to_proto(ref, *request.mutable_ref());
  request.set_offset(offset);
  request.set_packed(impl_->options.packed);
  request.set_size(size);
  Bytes bytes;
  PAWL_TRY(impl_->ask(
      size, [&](grpc::ClientContext& context) { return impl_->read(context, request, bytes); }));
  return bytes;
}

void RemotePayloads::give_up() {
  std::lock_guard lock(impl_->mutex);
  impl_->given_up = true;
  for (grpc::ClientContext* context : impl_->under_way) context->TryCancel();
}

}  // namespace pawl
