#include "pawl/engine/peers.h"

#include <algorithm>
#include <iterator>

#include "pawl/base/check.h"

namespace pawl {
namespace {

// Grants and stops that may wait for one worker whose link takes none.
constexpr size_t gathered_max = 1 << 16;

// Workers repeat once a second what was said last, with what it uses by then: that is no new word.
bool is_new_word(const AttemptProgress& before, const AttemptProgress& now) {
  if (before.attempt != now.attempt) return now.permille > 0 || !now.message.empty();
  return now.permille != before.permille || now.message != before.message;
}

}  // namespace

Peers::Peer* Peers::peer(Address address) {
  auto known = peers_.find(address);
  if (known != peers_.end()) return known->second.get();
  if (!make_room()) return nullptr;
  LinkOptions options = link_;
  options.self = self_;
  options.peer = address;
  options.incarnation = ++last_incarnation_;
  return peers_.emplace(address, std::make_unique<Peer>(options)).first->second.get();
}

bool Peers::make_room() {
  if (peers_.size() < limits_.peers_max) return true;
  auto oldest = peers_.end();
  for (auto it = peers_.begin(); it != peers_.end(); ++it) {
    if (it->second->session || it->second->opening != 0) continue;
    if (oldest == peers_.end() || it->second->heard < oldest->second->heard) oldest = it;
  }
  if (oldest == peers_.end()) return false;
  peers_.erase(oldest);
  return true;
}

Peers::Peer* Peers::find(SessionId session) {
  auto it = sessions_.find(session);
  return it == sessions_.end() ? nullptr : peers_.at(it->second).get();
}

Address Peers::address_of(SessionId session) const {
  auto it = sessions_.find(session);
  return it == sessions_.end() ? 0 : it->second;
}

void Peers::forget_session(Peer& peer) {
  sessions_.erase(peer.session);
  peer.session = {};
  peer.wanted = false;
  peer.next.reset();
  peer.waiting.clear();
  peer.gathered = 0;
  peer.progress.clear();
  peer.running.clear();
}

void Peers::close(Peer& peer, std::string reason) {
  if (peer.session) wishes_.push_back({CloseSession{peer.session, std::move(reason)}, 0});
  forget_session(peer);
}

void Peers::deliver(Message message, Instant now) {
  const Address address = message.from;
  if (std::holds_alternative<Unreachable>(message.body)) {
    auto known = peers_.find(address);
    if (known != peers_.end()) known->second->unreachable_since = now;
    return;
  }
  Peer* sender = peer(address);
  if (sender == nullptr) return;  // the worker will try again
  sender->heard = now;
  sender->unreachable_since = Instant::never();
  Link::Delivery delivery = sender->link.deliver(std::move(message), now);
  if (!delivery.bodies.empty())
    heard_.push_back({address, sender->link.peer_incarnation(), sender->link.received()});
  if (delivery.peer_restarted) close(*sender, "the worker has started anew");
  for (MessageBody& body : delivery.bodies) take(*sender, std::move(body));
}

void Peers::keep(const Heard& heard, Instant now) {
  auto known = peers_.find(heard.address);
  if (known == peers_.end() || known->second->link.peer_incarnation() != heard.incarnation) return;
  known->second->link.keep(heard.received, now);
}

void Peers::give_up_unreachable(Instant now) {
  for (auto& [address, peer] : peers_) {
    if (!peer->session || peer->unreachable_since == Instant::never()) continue;
    if (now - peer->unreachable_since < reconnect_grace_) continue;
    close(*peer, "its worker's connection broke and did not come back");
    peer->waiting.push_back(Closed{"the connection was broken for too long"});
  }
}

void Peers::take(Peer& peer, MessageBody body) {
  if (auto* hello = std::get_if<Hello>(&body)) return take(peer, std::move(*hello));
  // Whoever leaves before its Hello was answered has gone when the answer comes.
  if (std::holds_alternative<Goodbye>(body)) {
    peer.wanted = false;
    peer.next.reset();
  }
  if (!peer.session) return;  // of a session that is over
  if (auto* reports = std::get_if<Reports>(&body)) {
    take(peer, std::move(*reports));
  } else if (std::holds_alternative<Heartbeat>(body)) {
    wishes_.push_back({RenewSession{peer.session, std::get<Heartbeat>(std::move(body)).usage}, 0});
  } else if (auto* progress = std::get_if<Progress>(&body)) {
    take(peer, std::move(*progress));
  } else if (auto* returned = std::get_if<Returned>(&body)) {
    wishes_.push_back({ReturnAttempts{peer.session, std::move(returned->attempts)}, 0});
  } else if (std::holds_alternative<Goodbye>(body)) {
    close(peer, "the worker said goodbye");
  }
}

bool Peers::is_taken(SessionId session) const {
  if (sessions_.contains(session)) return true;
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    return entry.second->opening != 0 && entry.second->resuming == session;
  });
}

void Peers::take(Peer& peer, Hello hello) {
  bool same = hello.session && hello.session == peer.session;
  if (!same) close(peer, "the worker has opened another session");
  if (peer.opening != 0) {
    peer.next = std::move(hello);
    return;
  }
  peer.credit = hello.worker.credit;
  if (hello.session && !same && is_taken(hello.session))
    return peer.waiting.push_back(Closed{"the session is another worker's"});
  peer.resuming = hello.session;
  peer.opening = ++last_ticket_;
  peer.wanted = true;
  if (hello.session)
    wishes_.push_back(
        {ResumeSession{hello.session, std::move(hello.held), std::move(hello.worker.certificate)},
         peer.opening});
  else
    wishes_.push_back({OpenSession{std::move(hello.worker)}, peer.opening});
}

void Peers::take(Peer& peer, Reports reports) {
  for (const AttemptReport& report : reports.reports) {
    if (report.range.begin >= report.range.end) continue;  // refused by the partition
    auto from = peer.progress.lower_bound(report.range.at(report.range.begin));
    auto to = peer.progress.lower_bound(report.range.at(report.range.end));
    peer.progress.erase(from, to);
  }
  wishes_.push_back({ReportAttempts{peer.session, std::move(reports.reports)}, 0});
}

// Not more tasks than it may hold, whatever it says.
void Peers::take(Peer& peer, Progress progress) {
  for (AttemptProgress& item : progress.items) {
    if (peer.progress.size() >= peer.credit && !peer.progress.contains(item.task)) continue;
    if (item.message.size() > limits_.error_bytes_max) item.message.resize(limits_.error_bytes_max);
    Peer::Said& said = peer.progress[item.task];
    if (item.attempt != said.progress.attempt) said.words = 0;
    if (is_new_word(said.progress, item)) words_.add(item, ++said.words);
    said.progress = std::move(item);
    said.at = peer.heard;
  }
  if (progress.running.size() > peer.credit) progress.running.resize(peer.credit);
  peer.running = std::move(progress.running);
}

std::map<NodeIndex, uint64_t> Peers::running(ExecutionId execution) const {
  std::map<NodeIndex, uint64_t> counts;
  for (const auto& [address, peer] : peers_) {
    for (const RunningAttempts& one : peer->running)
      if (one.execution == execution) counts[one.node] += one.count;
  }
  return counts;
}

uint64_t Peers::running() const {
  uint64_t sum = 0;
  for (const auto& [address, peer] : peers_) {
    for (const RunningAttempts& one : peer->running) sum += one.count;
  }
  return sum;
}

std::vector<Peers::Word> Peers::progress(ExecutionId execution, uint32_t limit, Instant now) const {
  std::vector<Word> found;
  for (const auto& [address, peer] : peers_) {
    auto it = peer->progress.lower_bound(TaskKey{execution, 0, 0});
    for (; it != peer->progress.end() && it->first.execution == execution; ++it) {
      Word& word = found.emplace_back(Word{it->second.progress, peer->session});
      AttemptUsage& usage = word.progress.usage;
      if (usage.running.ns > 0) usage.running = usage.running + (now - it->second.at);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Word& a, const Word& b) { return a.progress.task < b.progress.task; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

bool Peers::opened(Ticket ticket, const Reply& reply) {
  if (ticket <= first_ticket) return false;
  for (auto& [address, peer] : peers_) {
    if (peer->opening != ticket) continue;
    peer->opening = 0;
    welcome(address, *peer, reply);
    return true;
  }
  return true;
}

void Peers::welcome(Address address, Peer& peer, const Reply& reply) {
  const SessionId session{reply.number};
  std::optional<Hello> next = std::exchange(peer.next, std::nullopt);
  if (next || !peer.wanted) {
    // It has started anew, left or asked again meanwhile.
    if (reply.code == Code::ok && (!next || next->session != session))
      wishes_.push_back({CloseSession{session, "the worker has gone"}, 0});
    if (next) take(peer, std::move(*next));
    return;
  }
  if (reply.code != Code::ok) return peer.waiting.push_back(Closed{reply.message});
  peer.session = session;
  sessions_[session] = address;
  peer.waiting.push_back(Welcome{session, partitions_});
}

// The body at the end of what waits, so that many grants travel in one message and a stop stays
// behind the grant it ends. `full`: that one takes nothing more.
template <class Body>
Body& Peers::gather(Peer& peer, bool full) {
  ++peer.gathered;
  if (full || peer.waiting.empty() || !std::holds_alternative<Body>(peer.waiting.back()))
    peer.waiting.push_back(Body{});
  return std::get<Body>(peer.waiting.back());
}

void Peers::grant(Grant grant) {
  Peer* peer = find(grant.session);
  if (peer == nullptr) return;
  const bool full = peer->carried >= std::min(peer->link.window(), body_bytes_full);
  std::vector<Grant>& grants = gather<Grants>(*peer, full).grants;
  if (grants.empty()) peer->carried = 0;
  bool shared = !grants.empty() && grants.back().context == grant.context;
  if (!shared) peer->carried += carried_bytes(*grant.context);
  grants.push_back(std::move(grant));
  close_if_stuck(*peer);
}

void Peers::stop(const Stop& stop) {
  Peer* peer = find(stop.session);
  if (peer == nullptr) return;
  gather<Stops>(*peer).stops.push_back(stop.attempts);
  close_if_stuck(*peer);
}

void Peers::take_back(TakeBack recall) {
  Peer* peer = find(recall.session);
  if (peer == nullptr) return;
  std::vector<HeldAttempts>& attempts = gather<Recall>(*peer).attempts;
  std::move(recall.attempts.begin(), recall.attempts.end(), std::back_inserter(attempts));
  close_if_stuck(*peer);
}

void Peers::close_if_stuck(Peer& peer) {
  if (peer.link.room() > 0 || peer.gathered <= gathered_max) return;
  close(peer, "the worker takes nothing of what it is sent");
  peer.waiting.push_back(Closed{"the worker takes nothing of what it is sent"});
}

void Peers::hang_up(const Hangup& hangup) {
  Peer* peer = find(hangup.session);
  if (peer == nullptr) return;
  forget_session(*peer);
  peer->waiting.push_back(Closed{hangup.reason});
}

void Peers::flush(Instant now) {
  for (auto& [address, peer] : peers_) {
    while (!peer->waiting.empty() && peer->link.room() > 0) {
      PAWL_CHECK(peer->link.send(std::move(peer->waiting.front())).ok(), "the link has room");
      peer->waiting.pop_front();
      peer->gathered = 0;
    }
    for (Message& message : peer->link.poll(now)) transport_.send(std::move(message));
  }
}

Instant Peers::deadline() const {
  Instant next = Instant::never();
  for (const auto& [address, peer] : peers_) {
    next = std::min(next, peer->link.deadline());
    if (peer->session && peer->unreachable_since != Instant::never())
      next = std::min(next, peer->unreachable_since + reconnect_grace_);
  }
  return next;
}

}  // namespace pawl
