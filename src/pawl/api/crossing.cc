#include "pawl/api/crossing.h"

namespace pawl {

Crossing::Crossing(Gateway& gateway, Loop& gateway_loop, Loop& socket_loop)
    : gateway_(gateway), loop_(gateway_loop), orders_(gateway_loop), answers_(socket_loop) {
  loop_.add(*this);
}

Crossing::~Crossing() {
  loop_.remove(*this);
  gateway_.forget(*this);
}

std::vector<CallAnswer>& Crossing::take_answers() {
  answers_.take_all(answer_batch_);
  return answer_batch_;
}

bool Crossing::turn() {
  orders_.take_all(order_batch_);
  for (Order& order : order_batch_) {
    if (auto* one = std::get_if<Ask>(&order)) {
      ask(std::move(*one));
    } else if (const auto* stop = std::get_if<StopWaiting>(&order)) {
      if (auto found = open_.find(stop->ticket); found != open_.end())
        gateway_.stop_waiting(found->second);
    } else {
      auto found = open_.extract(std::get<Forget>(order).ticket);
      if (!found.empty()) gateway_.forget(found.mapped());
    }
  }
  return false;
}

void Crossing::ask(Ask ask) {
  Ticket ticket = ask.call.ticket;
  auto [place, added] = open_.try_emplace(ticket);
  PAWL_CHECK(added, "tickets are never used twice");
  uint64_t id = gateway_.call(std::move(ask.call), *this, ask.caller);
  if (auto still = open_.find(ticket); still != open_.end()) still->second = id;
}

void Crossing::put(CallAnswer answer) {
  open_.erase(answer.ticket);
  answers_.put(std::move(answer));
}

}  // namespace pawl
