// Client of a gateway in the same process, on the loop that runs the engine too.
//
//   LocalClient client(gateway, loop);
//   auto detail = client.execution(ExecutionId{17});
//
// Destruction forgets what is open; gateway and loop must outlive it.
#pragma once

#include <map>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/client.h"
#include "pawl/api/gateway.h"

namespace pawl {

class LocalClient final : public Client, private Sink<CallAnswer> {
 public:
  LocalClient(Gateway& gateway, LinuxLoop& loop, Caller caller = {})
      : gateway_(gateway), loop_(loop), caller_(std::move(caller)) {}
  ~LocalClient() override;

  Ticket start(Call call) override;
  bool done(Ticket ticket) const override;
  std::optional<CallResult> take(Ticket ticket) override;
  void forget(Ticket ticket) override;
  void pump(Duration wait_max) override;
  Duration patience() const override { return patience_; }
  void set_patience(Duration patience) override { patience_ = patience; }

 private:
  void put(CallAnswer answer) override;

  Gateway& gateway_;
  LinuxLoop& loop_;
  const Caller caller_;
  Duration patience_ = Duration::forever();
  Ticket last_ticket_ = 0;
  std::map<Ticket, CallResult> answers_;
};

}  // namespace pawl
