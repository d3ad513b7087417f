// The coordinator's end of the workers' streams: a Transport whose far addresses are reached through the
// connections that workers open to it (proto/pawl/v1/workers.proto).
//
//   PAWL_ASSIGN(auto server, StreamServer::start({.listen = "127.0.0.1:0"}, {blob, outputs}, telemetry));
//   server->port();                                  // where it listens
//   Engine engine({..., .transport = *server, ...});  // binds address 1
//
// A message for an address of this process goes to whoever bound it, unencoded. One for another
// goes out on the newest connection from which that address was heard; without one it is lost, as the
// contract of port/transport.h allows. While a connection speaks for an address, one with another certificate
// cannot, and none speaks for an address that is bound here. A Hello says what certificate its connection shows.
//
// Limits: streams_max connections, half of them with one certificate or without any, addresses_max workers over each;
// outgoing_bytes_max waiting per connection, beyond which messages are lost (Link sends them again); incoming_bytes_max
// that one has said and nobody has taken, beyond which no more of it is read. Errors of start(): UNAVAILABLE when the
// address cannot be listened on; FAILED_PRECONDITION for plain text at an address that other machines reach;
// INVALID_ARGUMENT for a file of tls. Threading: send, bind and unbind from any thread; sinks are filled on gRPC's
// threads, what comes over one connection in its order.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pawl/adapter/grpc/port_guest.h"
#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/port/grant_gate.h"
#include "pawl/port/output_store.h"
#include "pawl/port/payload_store.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/tls.h"
#include "pawl/port/transport.h"

namespace pawl {

struct StreamServerOptions {
  std::string listen = "127.0.0.1:0";  // host:port; port 0: a free one
  uint32_t streams_max = 10'000;
  uint32_t addresses_max = 64;  // that one connection speaks for; beyond it, it is closed
  uint64_t outgoing_bytes_max = 64 << 20;
  uint64_t incoming_bytes_max = 64 << 20;  // read, and waiting for its receiver
  uint32_t payload_calls_max = 64;         // for payloads and outputs at once; each holds a thread
  uint32_t connection_calls_max = 1'000;   // open over one; further ones wait at their client
  // Of all connections, on the way to whoever reads it, the guest too; beyond it, gRPC ends calls.
  uint64_t arriving_bytes_max = 512 << 20;
  // Whoever is silent is asked whether it is there, and hung up on without an answer.
  Duration keep_alive_every = Duration::seconds(30);
  Duration keep_alive_patience = Duration::seconds(10);
  Duration client_pings_min = Duration::seconds(10);  // between those of a silent client
  // Workers show certificates, too; without tls only addresses of this machine are listened on.
  std::optional<TlsFiles> tls{};
  PeerGate* gate = nullptr;  // with tls: which certificates may work; null: all that are signed
  Duration admit_again_every = Duration::seconds(1);  // whoever may no more is hung up on
  PortGuest* guest = nullptr;  // served on the same port; it outlives the server
};

// Where workers read inputs and keep outputs that are too large for a frame, and what programs wrote.
struct WorkerStores {
  PayloadStore& payloads;
  OutputStore& outputs;
  GrantGate* grants = nullptr;  // which of it they may touch; null: everything
};

// How many messages went through, for tests and figures.
struct StreamCounts {
  uint64_t sent = 0;      // given to a connection or a sink of this process
  uint64_t received = 0;  // taken off connections, and for somebody here
  uint64_t lost = 0;      // nobody was there
};

class StreamServer final : public Transport {
 public:
  static Result<std::unique_ptr<StreamServer>> start(const StreamServerOptions& options,
                                                     WorkerStores stores, Telemetry& telemetry);
  ~StreamServer() override;

  void bind(Address address, Sink<Message>& receiver) override;
  void unbind(Address address) override;
  void send(Message message) override;

  uint16_t port() const;
  bool reaches(Address address) const;  // it was heard on a connection that is still there
  StreamCounts counts() const;

 private:
  struct Impl;
  explicit StreamServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
