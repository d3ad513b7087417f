#include "pawl/port/link.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace pawl {

Link::Link(LinkOptions options) : options_(options), retransmit_after_(options.retransmit_first) {
  PAWL_CHECK(options.incarnation > 0, "a link needs an incarnation of at least 1");
}

Result<uint64_t> Link::send(MessageBody body) {
  if (full()) {
    return Error{Code::resource_exhausted,
                 "link: waiting_messages_max (" + std::to_string(options_.waiting_messages_max) +
                     ") bodies wait for the peer; send again when some have arrived"};
  }
  outgoing_.push_back(std::move(body));
  return first_unacknowledged_ + outgoing_.size() - 1;
}

Link::Delivery Link::deliver(Message message, Instant now) {
  Delivery delivery;
  if (message.from != options_.peer || message.to != options_.self) return delivery;
  if (message.incarnation == 0 || message.incarnation < peer_incarnation_) return delivery;
  if (message.incarnation > peer_incarnation_) {
    delivery.peer_restarted = peer_incarnation_ != 0;
    start_over(message.incarnation, delivery.undelivered);
  }
  if (message.peer_incarnation != options_.incarnation) {
    // The peer does not know us yet, or knows an earlier life: tell it. If it knows a later one, we
    // are the earlier one and have nothing to say.
    if (message.peer_incarnation < options_.incarnation) acknowledge_at_ = now;
    return delivery;
  }
  take_acknowledgement(message.acknowledged, now);
  if (message.sequence > 0) take_body(std::move(message), now, delivery.bodies);
  return delivery;
}

// What waits is kept when the peer becomes known for the first time: it was meant
// for whoever answers.
void Link::start_over(uint64_t peer_incarnation, std::vector<MessageBody>& undelivered) {
  if (peer_incarnation_ != 0) {
    undelivered.assign(std::make_move_iterator(outgoing_.begin()),
                       std::make_move_iterator(outgoing_.end()));
    outgoing_.clear();
  }
  peer_incarnation_ = peer_incarnation;
  first_unacknowledged_ = 1;
  in_flight_ = 0;
  retransmit_after_ = options_.retransmit_first;
  received_ = kept_ = 0;
  early_.clear();
  early_bytes_ = 0;
  acknowledge_at_ = Instant::never();
}

void Link::take_acknowledgement(uint64_t acknowledged, Instant now) {
  if (acknowledged < first_unacknowledged_) return;
  uint64_t count = acknowledged - first_unacknowledged_ + 1;
  if (count > in_flight_) return;  // never sent: not from a peer of ours
  outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<std::ptrdiff_t>(count));
  first_unacknowledged_ += count;
  in_flight_ -= count;
  retransmit_after_ = options_.retransmit_first;
  retransmit_at_ = now + retransmit_after_;
}

void Link::take_body(Message message, Instant now, std::vector<MessageBody>& into) {
  if (message.sequence <= received_) {
    acknowledge_at_ = now;  // our acknowledgement was lost or late
    return;
  }
  if (message.sequence - received_ > options_.window_messages_max) return;
  if (message.sequence != received_ + 1) {
    return take_early(std::move(message));
  }
  into.push_back(std::move(message.body));
  ++received_;
  while (!early_.empty() && early_.begin()->first <= received_ + 1) {
    if (early_.begin()->first == received_ + 1) {
      into.push_back(std::move(early_.begin()->second.body));
      ++received_;
    }
    early_bytes_ -= early_.begin()->second.bytes;
    early_.erase(early_.begin());
  }
  if (!options_.acknowledge_kept) keep(received_, now);
}

void Link::take_early(Message message) {
  if (early_bytes_ + message.bytes > options_.early_bytes_max) return;
  auto [place, fresh] = early_.try_emplace(message.sequence);
  if (!fresh) return;
  place->second = {std::move(message.body), message.bytes};
  early_bytes_ += message.bytes;
}

void Link::keep(uint64_t received, Instant now) {
  if (received <= kept_ || received > received_) return;
  kept_ = received;
  acknowledge_at_ = std::min(acknowledge_at_, now + options_.acknowledge_after);
}

bool Link::may_send_fresh() const {
  return in_flight_ < std::min<size_t>(outgoing_.size(), options_.window_messages_max);
}

std::vector<Message> Link::poll(Instant now) {
  std::vector<Message> out;
  if (peer_incarnation_ == 0) {
    if (!outgoing_.empty() && now >= retransmit_at_) {
      out.push_back(bare());
      back_off(now);
    }
    return out;
  }
  if (in_flight_ > 0 && now >= retransmit_at_) {
    for (size_t i = 0; i < in_flight_; ++i) out.push_back(numbered(i));
    back_off(now);
  }
  while (may_send_fresh()) {
    if (in_flight_ == 0) retransmit_at_ = now + retransmit_after_;
    out.push_back(numbered(in_flight_++));
  }
  if (out.empty() && now >= acknowledge_at_) out.push_back(bare());
  if (!out.empty()) acknowledge_at_ = Instant::never();
  return out;
}

Instant Link::deadline() const {
  if (peer_incarnation_ == 0) return outgoing_.empty() ? Instant::never() : retransmit_at_;
  if (may_send_fresh()) return Instant{};
  return in_flight_ > 0 ? std::min(retransmit_at_, acknowledge_at_) : acknowledge_at_;
}

void Link::back_off(Instant now) {
  retransmit_at_ = now + retransmit_after_;
  retransmit_after_ = std::min(retransmit_after_ + retransmit_after_, options_.retransmit_max);
}

Message Link::bare() const {
  Message message;
  message.from = options_.self;
  message.to = options_.peer;
  message.incarnation = options_.incarnation;
  message.peer_incarnation = peer_incarnation_;
  message.acknowledged = kept_;
  return message;
}

Message Link::numbered(size_t index) const {
  Message message = bare();
  message.sequence = first_unacknowledged_ + index;
  message.body = outgoing_[index];
  return message;
}

}  // namespace pawl
