// The way between the thread of a door (its sockets) and the thread of the gateway, and back.
//
//   Crossing crossing(gateway, gateway_loop, http_loop);
//   crossing.order(Crossing::Ask{{7, GetServer{}}, caller});      // on the sockets' thread
//   for (CallAnswer& answer : crossing.take_answers()) ...        // there, in a later turn
//
// Both directions are mailboxes: what has come together crosses with one wake-up. Answers to what has
// been forgotten may still come. Threading: made and destroyed on the gateway's; order() and
// take_answers() on the sockets'.
#pragma once

#include <unordered_map>
#include <variant>
#include <vector>

#include "pawl/api/gateway.h"
#include "pawl/port/mailbox.h"

namespace pawl {

class Crossing final : public Actor, private Sink<CallAnswer> {
 public:
  struct Ask {
    NumberedCall call;
    Caller caller;
  };
  struct StopWaiting {
    Ticket ticket = 0;
  };
  struct Forget {
    Ticket ticket = 0;
  };
  using Order = std::variant<Ask, StopWaiting, Forget>;

  Crossing(Gateway& gateway, Loop& gateway_loop, Loop& socket_loop);
  ~Crossing() override;
  Crossing(const Crossing&) = delete;
  Crossing& operator=(const Crossing&) = delete;

  void order(Order order) { orders_.put(std::move(order)); }
  std::vector<CallAnswer>& take_answers();

  bool turn() override;
  Instant deadline() const override { return Instant::never(); }

 private:
  void put(CallAnswer answer) override;
  void ask(Ask ask);

  Gateway& gateway_;
  Loop& loop_;
  Mailbox<Order> orders_;
  Mailbox<CallAnswer> answers_;
  std::vector<Order> order_batch_;
  std::vector<CallAnswer> answer_batch_;
  std::unordered_map<Ticket, uint64_t> open_;  // the gateway's id of each
};

}  // namespace pawl
