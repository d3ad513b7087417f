// The transport inside one process: a message is moved into the receiver's sink.
//
//   InprocTransport transport;
//   transport.bind(1, engine_mailbox);
//   transport.send(message_to_1);      // lies in engine_mailbox, whose loop is awake
//
// Nothing is copied or encoded: contexts stay shared. A message for an address that is not bound is
// lost, as on any network. Any thread.
#pragma once

#include <map>
#include <mutex>

#include "pawl/port/transport.h"

namespace pawl {

class InprocTransport final : public Transport {
 public:
  void bind(Address address, Sink<Message>& receiver) override;
  void unbind(Address address) override;
  void send(Message message) override;

 private:
  std::mutex mutex_;
  std::map<Address, Sink<Message>*> receivers_;
};

}  // namespace pawl
