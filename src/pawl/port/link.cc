#include "pawl/port/link.h"

#include <algorithm>
#include <string>
#include <utility>

namespace pawl {

namespace {

// However slow the network has been, a body is sent again after so long.
constexpr Duration patience_max = Duration::seconds(10);

}  // namespace

Link::Link(LinkOptions options)
    : options_(options),
      window_bytes_(options.window_bytes_min),
      patience_(options.retransmit_first),
      retransmit_after_(options.retransmit_first) {
  PAWL_CHECK(options.incarnation > 0, "a link needs an incarnation of at least 1");
}

Result<uint64_t> Link::send(MessageBody body) {
  if (full()) {
    return Error{Code::resource_exhausted,
                 "link: waiting_messages_max (" + std::to_string(options_.waiting_messages_max) +
                     ") bodies wait for the peer; send again when some have arrived"};
  }
  const uint64_t bytes = carried_bytes(body);
  outgoing_.push_back({std::move(body), bytes});
  outgoing_bytes_ += bytes;
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
    for (Outgoing& one : outgoing_) undelivered.push_back(std::move(one.body));
    outgoing_.clear();
    outgoing_bytes_ = 0;
  }
  peer_incarnation_ = peer_incarnation;
  first_unacknowledged_ = 1;
  sent_ = doubtful_ = 0;
  retransmit_after_ = patience_;
  received_ = kept_ = 0;
  early_.clear();
  early_bytes_ = received_bytes_ = 0;
  acknowledge_at_ = Instant::never();
}

void Link::take_acknowledgement(uint64_t acknowledged, Instant now) {
  if (acknowledged < first_unacknowledged_) return;
  size_t count = acknowledged - first_unacknowledged_ + 1;
  if (count > sent_) return;  // never sent: not from a peer of ours
  const Outgoing& oldest = outgoing_.front();
  learn_patience(now - oldest.sent_at, oldest.sent_at < oldest.last_sent_at);
  adapt_window(now - oldest.sent_at, oldest.sent_at, now);
  first_unacknowledged_ += count;
  sent_ -= count;
  doubtful_ -= std::min(doubtful_, count);
  for (; count > 0; --count) {
    outgoing_bytes_ -= outgoing_.front().bytes;
    outgoing_.pop_front();
  }
  burst_ = std::min<size_t>(2 * burst_ + 1, options_.window_messages_max);
  retransmit_after_ = patience_;
  retransmit_at_ = now + retransmit_after_;
}

// Of what was sent twice nobody knows which of them has arrived, and a loss is no slowness.
void Link::learn_patience(Duration took, bool repeated) {
  Duration longest = repeated ? std::max(options_.retransmit_max, patience_) : patience_max;
  Duration patience = std::max(took + took, Duration{patience_.ns / 2});
  patience_ = std::max(std::min(patience, longest), options_.retransmit_first);
}

void Link::adapt_window(Duration took, Instant sent_at, Instant now) {
  if (sent_at < adapted_at_) return;
  if (took <= options_.arrival_aim && 2 * outgoing_bytes_ >= window_bytes_) {
    window_bytes_ = std::min(2 * window_bytes_, options_.window_bytes_max);
    adapted_at_ = now;
  } else if (took > options_.arrival_aim + options_.arrival_aim) {
    window_bytes_ = std::max(window_bytes_ / 2, options_.window_bytes_min);
    adapted_at_ = now;
  }
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
  take_next(std::move(message.body), into);
  while (!early_.empty() && early_.begin()->first <= received_ + 1) {
    if (early_.begin()->first == received_ + 1) {
      take_next(std::move(early_.begin()->second.body), into);
    }
    early_bytes_ -= early_.begin()->second.bytes;
    early_.erase(early_.begin());
  }
  if (!options_.acknowledge_kept) keep(received_, now);
}

void Link::take_next(MessageBody body, std::vector<MessageBody>& into) {
  received_bytes_ += carried_bytes(body);
  into.push_back(std::move(body));
  ++received_;
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
  const bool much = received_bytes_ >= options_.acknowledge_bytes;
  acknowledge_at_ = std::min(acknowledge_at_, much ? now : now + options_.acknowledge_after);
}

bool Link::may_send() const {
  return sent_ < std::min<size_t>(outgoing_.size(), options_.window_messages_max);
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
  if (sent_ > 0 && now >= retransmit_at_) {
    doubtful_ = sent_;
    burst_ = 0;
    repeat(0, now, out);
    back_off(now);
  }
  for (size_t i = 0; i < std::min(doubtful_, burst_); ++i)
    if (now - outgoing_[i].last_sent_at >= patience_) repeat(i, now, out);
  if (sent_ == 0) retransmit_at_ = now + retransmit_after_;
  for (; may_send(); ++sent_) {
    outgoing_[sent_].sent_at = outgoing_[sent_].last_sent_at = now;
    out.push_back(numbered(sent_));
  }
  if (out.empty() && now >= acknowledge_at_) out.push_back(bare());
  if (!out.empty()) {
    acknowledge_at_ = Instant::never();
    if (kept_ == received_) received_bytes_ = 0;
  }
  return out;
}

Instant Link::deadline() const {
  if (peer_incarnation_ == 0) return outgoing_.empty() ? Instant::never() : retransmit_at_;
  if (may_send()) return Instant{};
  return sent_ > 0 ? std::min(retransmit_at_, acknowledge_at_) : acknowledge_at_;
}

void Link::repeat(size_t index, Instant now, std::vector<Message>& into) {
  outgoing_[index].last_sent_at = now;
  into.push_back(numbered(index));
}

void Link::back_off(Instant now) {
  retransmit_at_ = now + retransmit_after_;
  retransmit_after_ =
      std::min(retransmit_after_ + retransmit_after_, std::max(options_.retransmit_max, patience_));
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
  message.body = outgoing_[index].body;
  return message;
}

}  // namespace pawl
