// The coordinator's end of what workers keep beside their stream: ReadPayload, WritePayload and
// WriteOutputs of proto/pawl/v1/workers.proto. The other ends are remote_payloads.h and remote_outputs.h.
//
// What a worker says of a payload is checked before the store sees it: it reads only what it can name with
// size and hash, keeps only outputs of attempts, and touches only what belongs to executions of which it holds
// a grant (port/grant_gate.h).
// Threading: any thread; each call holds one of gRPC's.
#pragma once

#include "pawl/port/grant_gate.h"
#include "pawl/port/output_store.h"
#include "pawl/port/payload_store.h"

namespace grpc {
class Status;
template <class T>
class ServerReader;
template <class Request, class Response>
class ServerSplitStreamer;
}  // namespace grpc

namespace pawl {

namespace v1 {
class PayloadPart;
class ReadPayloadRequest;
class WriteOutputsRequest;
class WritePayloadRequest;
}  // namespace v1

struct PayloadCaller {
  GrantGate* gate = nullptr;  // null: everybody may touch everything
  GrantParty party;

  Status may_touch(ExecutionId execution) const {
    return gate != nullptr ? gate->may_touch(party, execution) : Status();
  }
};

// The stream ended early: the connection broke, or either side was stopped. Nobody's bytes are wrong,
// and the same call may be made again.
grpc::Status broke_off();

grpc::Status read_payload(
    PayloadStore& payloads, const PayloadCaller& caller, const v1::ReadPayloadRequest& request,
    grpc::ServerSplitStreamer<v1::ReadPayloadRequest, v1::PayloadPart>& parts);
grpc::Status write_payload(PayloadStore& payloads, const PayloadCaller& caller,
                           grpc::ServerReader<v1::WritePayloadRequest>& parts);

// What may not be written is left out, and said at the end.
grpc::Status write_outputs(OutputStore& outputs, const PayloadCaller& caller,
                           const v1::WriteOutputsRequest& request);

}  // namespace pawl
