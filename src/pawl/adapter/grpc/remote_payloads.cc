#include "pawl/adapter/grpc/remote_payloads.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {
namespace {

Error error_of(const grpc::Status& status) {
  return {static_cast<Code>(status.error_code()), "payload: " + status.error_message()};
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
      : options(given),
        stub(v1::Workers::NewStub(
            grpc::CreateChannel(given.target, grpc::InsecureChannelCredentials()))),
        recent(given.cache_bytes_max) {}

  // For the length of one call; it waits for a coordinator that is just coming up.
  void prepare(grpc::ClientContext& context) const {
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::nanoseconds(options.patience.ns));
  }

  RemotePayloadsOptions options;
  std::unique_ptr<v1::Workers::Stub> stub;
  Recent recent;
};

RemotePayloads::RemotePayloads(const RemotePayloadsOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
RemotePayloads::~RemotePayloads() = default;

Status RemotePayloads::put(const BlobRef& ref, ByteView bytes) {
  grpc::ClientContext context;
  impl_->prepare(context);
  v1::WritePayloadResponse response;
  auto writer = impl_->stub->WritePayload(&context, &response);
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
  grpc::Status status = writer->Finish();
  if (!status.ok()) return error_of(status);
  return {};
}

Result<Bytes> RemotePayloads::get(const BlobRef& ref) {
  PAWL_ASSIGN(Bytes bytes, part(ref, 0, ref.size));
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash)
    return Error{Code::data_loss, "payload: its bytes are not those that were kept"};
  impl_->recent.keep(ref, bytes);
  return bytes;
}

Result<Bytes> RemotePayloads::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  if (auto known = impl_->recent.find(ref, offset, size)) return std::move(*known);
  grpc::ClientContext context;
  impl_->prepare(context);
  v1::ReadPayloadRequest request;
  to_proto(ref, *request.mutable_ref());
  request.set_offset(offset);
  request.set_size(size);
  auto reader = impl_->stub->ReadPayload(&context, request);
  Bytes bytes;
  v1::PayloadPart one;
  while (bytes.size() <= size && reader->Read(&one)) bytes += one.bytes();
  if (bytes.size() > size) context.TryCancel();
  grpc::Status status = reader->Finish();
  if (!status.ok()) return error_of(status);
  return bytes;
}

}  // namespace pawl
