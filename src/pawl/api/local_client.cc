#include "pawl/api/local_client.h"

namespace pawl {

LocalClient::~LocalClient() {
  gateway_.forget(*this);
}

Ticket LocalClient::start(Call call) {
  Ticket ticket = ++last_ticket_;
  gateway_.call({ticket, std::move(call)}, *this, caller_);
  return ticket;
}

bool LocalClient::done(Ticket ticket) const {
  return answers_.contains(ticket);
}

std::optional<CallResult> LocalClient::take(Ticket ticket) {
  auto it = answers_.find(ticket);
  if (it == answers_.end()) return std::nullopt;
  CallResult result = std::move(it->second);
  answers_.erase(it);
  return result;
}

void LocalClient::forget(Ticket ticket) {
  if (answers_.erase(ticket) == 0) gateway_.forget(*this, ticket);
}

void LocalClient::pump(Duration wait_max) {
  loop_.run_once(wait_max);
}

void LocalClient::put(CallAnswer answer) {
  answers_.insert_or_assign(answer.ticket, std::move(answer.result));
}

}  // namespace pawl
