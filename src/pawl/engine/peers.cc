#include "pawl/engine/peers.h"

#include <algorithm>

namespace pawl {

Peers::Peer& Peers::peer(Address address) {
  std::unique_ptr<Peer>& peer = peers_[address];
  if (!peer) {
    LinkOptions options;
    options.self = self_;
    options.peer = address;
    options.incarnation = incarnation_;
    peer = std::make_unique<Peer>(options);
  }
  return *peer;
}

Peers::Peer* Peers::find(SessionId session) {
  auto it = sessions_.find(session);
  return it == sessions_.end() ? nullptr : peers_.at(it->second).get();
}

void Peers::forget_session(Peer& peer) {
  sessions_.erase(peer.session);
  peer.session = {};
  peer.opening = 0;
  peer.grants = {};
  peer.stops = {};
}

void Peers::deliver(Message message, Instant now, std::vector<Wish>& wishes) {
  Address from = message.from;
  Peer& sender = peer(from);
  Link::Delivery delivery = sender.link.deliver(std::move(message), now);
  if (delivery.peer_restarted && sender.session) {
    wishes.push_back({CloseSession{sender.session, "the worker has started anew"}, 0});
    forget_session(sender);
  }
  for (MessageBody& body : delivery.bodies) take(from, sender, std::move(body), wishes);
}

void Peers::take(Address address, Peer& peer, MessageBody body, std::vector<Wish>& wishes) {
  if (auto* hello = std::get_if<Hello>(&body)) {
    if (peer.session) {
      wishes.push_back({CloseSession{peer.session, "the worker has opened another session"}, 0});
      forget_session(peer);
    }
    peer.opening = ++last_ticket_;
    wishes.push_back({OpenSession{std::move(hello->worker)}, peer.opening});
    return;
  }
  if (!peer.session) return;  // of a session that is over
  if (auto* reports = std::get_if<Reports>(&body)) {
    for (const AttemptReport& report : reports->reports) {
      auto from = progress_.lower_bound(report.range.at(report.range.begin));
      auto to = progress_.lower_bound(report.range.at(report.range.end));
      progress_.erase(from, to);
    }
    wishes.push_back({ReportAttempts{peer.session, std::move(reports->reports)}, 0});
  } else if (std::holds_alternative<Heartbeat>(body)) {
    wishes.push_back({RenewSession{peer.session}, 0});
  } else if (auto* progress = std::get_if<Progress>(&body)) {
    for (AttemptProgress& item : progress->items) progress_[item.task] = std::move(item);
  } else if (std::holds_alternative<Goodbye>(body)) {
    wishes.push_back({CloseSession{peer.session, "the worker said goodbye"}, 0});
    sessions_.erase(peer.session);
    peer.session = {};
  }
  (void)address;
}

bool Peers::opened(Ticket ticket, const Reply& reply) {
  if (ticket <= first_ticket) return false;
  for (auto& [address, peer] : peers_) {
    if (peer->opening != ticket) continue;
    peer->opening = 0;
    if (reply.code != Code::ok) {
      send(*peer, Closed{reply.message});
      return true;
    }
    peer->session = SessionId{reply.number};
    sessions_[peer->session] = address;
    send(*peer, Welcome{peer->session});
  }
  return true;
}

void Peers::grant(Grant grant) {
  if (Peer* peer = find(grant.session)) peer->grants.grants.push_back(std::move(grant));
}

void Peers::stop(const Stop& stop) {
  if (Peer* peer = find(stop.session)) peer->stops.stops.push_back(stop.attempts);
}

void Peers::hang_up(const Hangup& hangup) {
  Peer* peer = find(hangup.session);
  if (peer == nullptr) return;
  forget_session(*peer);
  send(*peer, Closed{hangup.reason});
}

void Peers::send(Peer& peer, MessageBody body) {
  // A full link means a worker that has not answered for long: its lease will run out.
  (void)peer.link.send(std::move(body));
}

void Peers::flush(Instant now) {
  for (auto& [address, peer] : peers_) {
    if (!peer->stops.stops.empty()) send(*peer, std::exchange(peer->stops, {}));
    if (!peer->grants.grants.empty()) send(*peer, std::exchange(peer->grants, {}));
    for (Message& message : peer->link.poll(now)) transport_.send(std::move(message));
  }
}

Instant Peers::deadline() const {
  Instant next = Instant::never();
  for (const auto& [address, peer] : peers_) next = std::min(next, peer->link.deadline());
  return next;
}

}  // namespace pawl
