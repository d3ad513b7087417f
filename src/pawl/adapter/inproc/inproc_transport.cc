#include "pawl/adapter/inproc/inproc_transport.h"

#include <utility>

namespace pawl {

void InprocTransport::bind(Address address, Sink<Message>& receiver) {
  std::lock_guard lock(mutex_);
  bool fresh = receivers_.emplace(address, &receiver).second;
  PAWL_CHECK(fresh, "two receivers for one address");
}

void InprocTransport::unbind(Address address) {
  std::lock_guard lock(mutex_);
  receivers_.erase(address);
}

void InprocTransport::send(Message message) {
  std::lock_guard lock(mutex_);
  auto receiver = receivers_.find(message.to);
  if (receiver != receivers_.end()) receiver->second->put(std::move(message));
}

}  // namespace pawl
