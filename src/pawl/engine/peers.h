// The engine's side of the workers' streams: one Link per worker address, and which session it has.
//
// Turns what workers say into commands, and what the partition wants from a session into messages.
// Knows nothing of groups and durability: the engine calls it after the commit gate.
//
// A worker that takes nothing costs bounded memory: once its link has no room, grants and stops gather
// here; beyond `gathered_max` of them since it last had some its session is closed. Nothing is ever dropped while the
// session lives, for a grant that is lost on the way would stay granted for as long as the worker
// renews its lease. At most limits.peers_max addresses are remembered: a newcomer takes the place of
// the one without a session that was heard of longest ago, or is not heard.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pawl/engine/words.h"
#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/limits.h"
#include "pawl/port/link.h"
#include "pawl/port/transport.h"

namespace pawl {

class Peers {
 public:
  // `link`: of every peer's; its ends and incarnation are set here. `partitions`: what a Welcome says.
  Peers(Transport& transport, Address self, const Limits& limits, LinkOptions link = {},
        Duration reconnect_grace = Duration::forever(), uint32_t partitions = 1)
      : transport_(transport),
        self_(self),
        limits_(limits),
        link_(link),
        reconnect_grace_(reconnect_grace),
        partitions_(partitions) {
    link_.acknowledge_kept = true;
  }
  // `epoch`: the log's, which ascends over the lives of this address.
  void start(uint64_t epoch) {
    last_incarnation_ = epoch << 32;
    words_.start(epoch);
  }

  // Commands that follow from the message. An OpenSession carries a ticket for opened().
  struct Wish {
    Command command;
    Ticket ticket = 0;
  };
  void deliver(Message message, Instant now);
  std::vector<Wish> take_wishes() { return std::exchange(wishes_, {}); }
  bool has_wishes() const { return !wishes_.empty(); }
  // How far the workers' streams have come since the last call; keep() acknowledges it, once what
  // followed from it is durable.
  struct Heard {
    Address address = 0;
    uint64_t incarnation = 0;  // of the peer
    uint64_t received = 0;
  };
  std::vector<Heard> take_heard() { return std::exchange(heard_, {}); }
  void keep(const Heard& heard, Instant now);
  // Gives up sessions whose worker has been unreachable for `reconnect_grace`.
  void give_up_unreachable(Instant now);
  // The answer to an OpenSession made by deliver().
  bool opened(Ticket ticket, const Reply& reply);

  void grant(Grant grant);
  void stop(const Stop& stop);
  void take_back(TakeBack recall);
  void hang_up(const Hangup& hangup);
  // Sends what has gathered; call it at the end of a turn.
  void flush(Instant now);
  Instant deadline() const;
  // The newest progress of the execution's tasks, by node and item, and of whose worker.
  struct Word {
    AttemptProgress progress;  // as it would be said now
    SessionId session;
  };
  std::vector<Word> progress(ExecutionId execution, uint32_t limit, Instant now) const;
  // All that was said, as long as it is kept.
  const Words& words() const { return words_; }
  // What runs by the newest word of the workers: of an execution, per node; of all. Behind by the time that
  // a message takes, and never to be decided on.
  std::map<NodeIndex, uint64_t> running(ExecutionId execution) const;
  uint64_t running() const;
  size_t size() const { return peers_.size(); }
  // Of the session's worker; 0: it has not been heard of in this life.
  Address address_of(SessionId session) const;

 private:
  struct Peer {
    explicit Peer(LinkOptions options) : link(options) {}
    Link link;
    Instant heard;
    SessionId session;
    Ticket opening = 0;         // asked for and not answered: one at a time
    SessionId resuming;         // by it; 0: a new one
    bool wanted = false;        // what it opens
    std::optional<Hello> next;  // came meanwhile; the newest
    uint32_t credit = 0;        // of the session
    Instant unreachable_since = Instant::never();
    std::deque<MessageBody> waiting;  // for room in the link; all about the newest session
    size_t gathered = 0;              // grants and stops put there since the link last took some
    uint64_t carried = 0;             // by the grants put there last
    struct Said {
      AttemptProgress progress;
      Instant at;
      uint64_t words = 0;  // of this attempt
    };
    std::map<TaskKey, Said> progress;
    std::vector<RunningAttempts> running;
  };
  Peer* peer(Address address);
  bool make_room();
  void take(Peer& peer, MessageBody body);
  void take(Peer& peer, Hello hello);
  void welcome(Address address, Peer& peer, const Reply& reply);
  void take(Peer& peer, Reports reports);
  void take(Peer& peer, Progress progress);
  void close(Peer& peer, std::string reason);
  void forget_session(Peer& peer);
  Peer* find(SessionId session);
  bool is_taken(SessionId session) const;
  template <class Body>
  Body& gather(Peer& peer, bool full = false);
  void close_if_stuck(Peer& peer);

  static constexpr Ticket first_ticket = uint64_t{1} << 62;  // apart from clients' tickets
  Transport& transport_;
  const Address self_;
  const Limits limits_;
  Words words_;
  LinkOptions link_;
  const Duration reconnect_grace_;
  const uint32_t partitions_;
  // Every link has its own: a forgotten peer that speaks again finds a younger link, not one that
  // counts from 1 in the middle of its stream.
  uint64_t last_incarnation_ = 0;
  Ticket last_ticket_ = first_ticket;
  std::vector<Wish> wishes_;
  std::vector<Heard> heard_;
  std::map<Address, std::unique_ptr<Peer>> peers_;
  std::map<SessionId, Address> sessions_;
};

}  // namespace pawl
