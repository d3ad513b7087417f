// Who else is served on the port of the workers' streams.
//
//   class Door final : public PortGuest { ... };
//   StreamServer::start({.listen = "127.0.0.1:0", .guest = &door}, stores, telemetry);
//
// join() comes before the server begins, serving() once it listens, leaving() before it shuts down: then the
// server must not be touched any more, but calls that are open still end, until the server is gone.
// Threading: the thread that starts and destroys the server.
#pragma once

namespace grpc {
class Server;
class ServerBuilder;
}  // namespace grpc

namespace pawl {

class PortGuest {
 public:
  virtual ~PortGuest() = default;
  virtual void join(grpc::ServerBuilder& builder) = 0;
  virtual void serving(grpc::Server& server) = 0;
  virtual void leaving() = 0;
};

}  // namespace pawl
