// The door for clients that speak gRPC: the services of proto/pawl/v1 but that of workers, before a gateway, on
// the port of the workers' streams. docs/grpc.md is the guide.
//
//   PAWL_ASSIGN(auto door, GrpcDoor::create({}));           // before the server that it is a guest of
//   StreamServer::start({.listen = "127.0.0.1:7070", .guest = door.get()}, stores, telemetry);
//   door->open(gateway, loop, authenticator);               // until then everybody is told UNAVAILABLE
//   ... the loop runs ...
//   door->retire();                                         // health says NOT_SERVING; all are still served
//   door->close();                                          // before the gateway goes
//
// Calls live on a thread of its own and cross to the gateway's loop, many per wake-up; who reads slowly holds
// nothing but one page of events. Every call is authenticated, and its caller handed to the gateway, which
// decides. grpc.health.v1 answers for the server ("") and each service by what GetServer says.
// Limits: GrpcDoorOptions, and those here; each is named by the error that says so.
// Threading: the gateway's loop thread. It outlives the server that it is a guest of.
#pragma once

#include <memory>

#include "pawl/adapter/grpc/port_guest.h"
#include "pawl/api/access.h"
#include "pawl/api/gateway.h"

namespace pawl {

// Of history in one update of a watch; an event that is larger comes alone.
constexpr size_t watch_update_bytes_max = 1 << 20;

struct GrpcDoorOptions {
  uint32_t calls_open_max = 10'000;                          // of all clients, watches among them
  Duration progress_every = Duration::seconds(1);            // in watches, while something runs
  Duration readiness_every = Duration::milliseconds(500);    // that health is asked for
  Duration authenticate_again_every = Duration::seconds(1);  // watches and logs, as they go on
  uint64_t packed_bytes_min = 1 << 10;  // messages below are never compressed, as bodies of HTTP
  bool pack_for_near = false;           // compress for clients of this machine, too
};

class GrpcDoor final : public PortGuest {
 public:
  static Result<std::unique_ptr<GrpcDoor>> create(GrpcDoorOptions options);
  ~GrpcDoor() override;
  GrpcDoor(const GrpcDoor&) = delete;
  GrpcDoor& operator=(const GrpcDoor&) = delete;

  // Gateway, loop and authenticator are used until close().
  void open(Gateway& gateway, Loop& gateway_loop, const Authenticator& authenticator);
  void retire();
  const MetricSource& metrics() const;
  void close();  // whoever is still here is told UNAVAILABLE

  void join(grpc::ServerBuilder& builder) override;
  void serving(grpc::Server& server) override;
  void leaving() override;

 private:
  class Impl;
  explicit GrpcDoor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
