#include "pawl/adapter/inproc/inproc_transport.h"

#include <utility>

namespace pawl {

void InprocTransport::bind(Address address, Sink<Message>& receiver) {
  bool fresh = receivers_.emplace(address, &receiver).second;
  PAWL_CHECK(fresh, "two receivers for one address");
}

void InprocTransport::unbind(Address address) {
  receivers_.erase(address);
}

void InprocTransport::send(Message message) {
  auto receiver = receivers_.find(message.to);
  if (receiver != receivers_.end()) receiver->second->put(std::move(message));
}

}  // namespace pawl
