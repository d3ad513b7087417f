#include "pawl/api/door_watch.h"

namespace pawl {

DoorWatch::DoorWatch(const Authenticator& knows, Gateway& gateway, Loop& loop)
    : knows_(knows), gateway_(gateway), loop_(loop) {
  loop_.add(*this);
}

DoorWatch::~DoorWatch() {
  loop_.remove(*this);
}

Result<Caller> DoorWatch::authenticate(const Credentials& credentials) const {
  Result<Caller> known = knows_.authenticate(credentials);
  if (!known.ok() && refused_.fetch_add(1) == 0) loop_.wake();
  return known;
}

bool DoorWatch::turn() {
  if (refused_.load(std::memory_order_relaxed) > 0) gateway_.record_strangers(refused_.exchange(0));
  return false;
}

}  // namespace pawl
