// An authenticator between the doors and the one that knows: whoever is refused leaves a line in the audit, up
// to the rate of all refusals.
//
//   DoorWatch watch(*host.authenticator(), gateway, loop);
//   HttpServer::start(options, gateway, loop, watch);
//
// Threading: made and destroyed on the gateway's; authenticate() from any thread.
#pragma once

#include <atomic>

#include "pawl/api/gateway.h"

namespace pawl {

class DoorWatch final : public Authenticator, public Actor {
 public:
  DoorWatch(const Authenticator& knows, Gateway& gateway, Loop& loop);
  ~DoorWatch() override;
  DoorWatch(const DoorWatch&) = delete;
  DoorWatch& operator=(const DoorWatch&) = delete;

  Result<Caller> authenticate(const Credentials& credentials) const override;

  bool turn() override;
  Instant deadline() const override { return Instant::never(); }

 private:
  const Authenticator& knows_;
  Gateway& gateway_;
  Loop& loop_;
  mutable std::atomic<uint64_t> refused_{0};  // that the gateway has not heard of
};

}  // namespace pawl
