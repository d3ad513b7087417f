// The coordinator's end of the workers' payloads: Workers.ReadPayload and Workers.WritePayload of
// proto/pawl/v1/workers.proto, over a payload store. The other end is remote_payloads.h.
//
// What a worker says of a payload is checked before the store sees it: it reads only what it can name with
// size and hash, and keeps only outputs of attempts.
// Threading: any thread; each call holds one of gRPC's.
#pragma once

#include "pawl/port/payload_store.h"

namespace grpc {
class Status;
template <class T>
class ServerReader;
template <class T>
class ServerWriter;
}  // namespace grpc

namespace pawl {

namespace v1 {
class PayloadPart;
class ReadPayloadRequest;
class WritePayloadRequest;
}  // namespace v1

grpc::Status read_payload(PayloadStore& payloads, const v1::ReadPayloadRequest& request,
                          grpc::ServerWriter<v1::PayloadPart>& parts);
grpc::Status write_payload(PayloadStore& payloads,
                           grpc::ServerReader<v1::WritePayloadRequest>& parts);

}  // namespace pawl
