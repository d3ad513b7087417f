#include "pawl/adapter/grpc/payload_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/adapter/grpc/remote_payloads.h"
#include "pawl/model/limits.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {
namespace {

grpc::Status status_of(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

}  // namespace

grpc::Status broke_off() {
  return {grpc::StatusCode::UNAVAILABLE, "the payload did not arrive whole"};
}

grpc::Status read_payload(
    PayloadStore& payloads, const PayloadCaller& caller, const v1::ReadPayloadRequest& request,
    grpc::ServerSplitStreamer<v1::ReadPayloadRequest, v1::PayloadPart>& parts) {
  BlobRef ref = from_proto(request.ref());
  if (Status touched = caller.may_touch(ref.owner); !touched.ok())
    return status_of(touched.error());
  if (request.offset() > ref.size || request.size() > ref.size - request.offset())
    return {grpc::StatusCode::OUT_OF_RANGE, "the payload ends before that"};
  uint64_t end = request.offset() + request.size();
  for (uint64_t at = request.offset(); at < end; at += remote_payload_part_bytes) {
    auto bytes = payloads.part(ref, at, std::min(remote_payload_part_bytes, end - at));
    if (!bytes.ok()) return status_of(bytes.error());
    v1::PayloadPart part;
    part.set_bytes(std::move(*bytes));
    if (!parts.Write(part)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

grpc::Status write_payload(PayloadStore& payloads, const PayloadCaller& caller,
                           grpc::ServerReader<v1::WritePayloadRequest>& parts) {
  const uint64_t most = Limits{}.output_bytes_max;
  v1::WritePayloadRequest part;
  if (!parts.Read(&part)) return broke_off();
  BlobRef ref = from_proto(part.ref());
  if (!ref.owner || !is_output_blob_sequence(ref.sequence))
    return {grpc::StatusCode::PERMISSION_DENIED, "a worker keeps outputs of attempts only"};
  if (Status touched = caller.may_touch(ref.owner); !touched.ok())
    return status_of(touched.error());
  if (ref.size > most)
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            "the payload is larger than output_bytes_max (" + std::to_string(most) + ")"};
  Bytes bytes;
  do {
    bytes += part.bytes();
  } while (bytes.size() <= ref.size && parts.Read(&part));
  if (bytes.size() < ref.size) return broke_off();
  if (bytes.size() > ref.size || hash128(bytes) != ref.hash)
    return {grpc::StatusCode::INVALID_ARGUMENT, "the bytes are not those of the reference"};
  Status kept = payloads.put(ref, bytes);
  return kept.ok() ? grpc::Status::OK : status_of(kept.error());
}

grpc::Status write_outputs(OutputStore& outputs, const PayloadCaller& caller,
                           const v1::WriteOutputsRequest& request) {
  std::map<ExecutionId, Status> known;
  Status all;
  for (const v1::OutputPart& part : request.parts()) {
    LogKey key;
    if (!key_from_path(part.path(), key))
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "no output of an attempt is called \"" + part.path() + "\""};
    auto [place, first] = known.try_emplace(key.execution);
    if (first) place->second = caller.may_touch(key.execution);
    Status written = place->second;
    if (written.ok()) written = outputs.write({part.path(), part.offset(), part.bytes()});
    bool denied = !written.ok() && written.error().code == Code::permission_denied;
    if (!written.ok() && !denied) return status_of(written.error());
    if (denied) all = written;
  }
  return all.ok() ? grpc::Status::OK : status_of(all.error());
}

}  // namespace pawl
