// The engine's side of the workers' streams: one Link per worker address, and which session it has.
//
// Turns what workers say into commands, and what the partition wants from a session into messages.
// Knows nothing of groups and durability: the engine calls it after the commit gate.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/port/link.h"
#include "pawl/port/transport.h"

namespace pawl {

class Peers {
 public:
  // `incarnation`: the log's epoch, which ascends over the lives of this address.
  Peers(Transport& transport, Address self) : transport_(transport), self_(self) {}
  void start(uint64_t incarnation) { incarnation_ = incarnation; }

  // Commands that follow from the message. An OpenSession carries a ticket for opened().
  struct Wish {
    Command command;
    Ticket ticket = 0;
  };
  void deliver(Message message, Instant now, std::vector<Wish>& wishes);
  // The answer to an OpenSession made by deliver().
  bool opened(Ticket ticket, const Reply& reply);

  void grant(Grant grant);
  void stop(const Stop& stop);
  void hang_up(const Hangup& hangup);
  // Sends what has gathered; call it at the end of a turn.
  void flush(Instant now);
  Instant deadline() const;
  const std::map<TaskKey, AttemptProgress>& progress() const { return progress_; }

 private:
  struct Peer {
    explicit Peer(LinkOptions options) : link(options) {}
    Link link;
    SessionId session;
    Ticket opening = 0;
    Grants grants;
    Stops stops;
  };
  Peer& peer(Address address);
  void take(Address address, Peer& peer, MessageBody body, std::vector<Wish>& wishes);
  void forget_session(Peer& peer);
  Peer* find(SessionId session);
  void send(Peer& peer, MessageBody body);

  static constexpr Ticket first_ticket = uint64_t{1} << 62;  // apart from clients' tickets
  Transport& transport_;
  Address self_;
  uint64_t incarnation_ = 1;
  Ticket last_ticket_ = first_ticket;
  std::map<Address, std::unique_ptr<Peer>> peers_;
  std::map<SessionId, Address> sessions_;
  std::map<TaskKey, AttemptProgress> progress_;
};

}  // namespace pawl
