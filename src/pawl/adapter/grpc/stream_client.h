// A worker's end of its stream: a Transport for the addresses of this process, over one connection to
// the coordinator.
//
//   StreamClient transport({.target = "127.0.0.1:7070"}, telemetry);
//   Worker worker({.spec = spec, .address = random, ...}, ..., transport, ...);
//
// The connection is opened at once and, when it breaks, again and again, after a pause that doubles from
// reconnect_first to reconnect_max. Meanwhile what is sent is lost (Link sends it again).
//
// Threading: send, bind and unbind from any thread; sinks are filled on a thread of its own.
#pragma once

#include <memory>
#include <string>

#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/base/time.h"

namespace pawl {

struct StreamClientOptions {
  std::string target;             // host:port
  std::optional<TlsFiles> tls{};  // without: only targets on this machine
  Duration reconnect_first = Duration::milliseconds(50);
  Duration reconnect_max = Duration::seconds(2);
  uint64_t outgoing_bytes_max = 64 << 20;
};

// Whether such options can be used: FAILED_PRECONDITION for plain text to another machine,
// INVALID_ARGUMENT for a file of tls that cannot be read. StreamClient and RemotePayloads demand it.
Status check_target(const std::string& target, const std::optional<TlsFiles>& tls);

class StreamClient final : public Transport {
 public:
  StreamClient(const StreamClientOptions& options, Telemetry& telemetry);
  ~StreamClient() override;

  void bind(Address address, Sink<Message>& receiver) override;
  void unbind(Address address) override;
  void send(Message message) override;

  bool connected() const;
  StreamCounts counts() const;
  bool answered() const;         // the other side has spoken over the connection that is there
  uint64_t connections() const;  // over which it has, so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
