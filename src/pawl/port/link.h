// One reliable, ordered, exactly-once stream in each direction, over a Transport that loses,
// delays, duplicates and reorders.
//
//   Link link({.self = 7, .peer = 1, .incarnation = 3});
//   link.send(Hello{spec});
//   for (Message& m : link.poll(now)) transport.send(std::move(m));   // at the end of every turn
//   ...
//   Link::Delivery got = link.deliver(std::move(message), now);       // for each that arrived
//   if (got.peer_restarted) ...                                // what we had sent it is void
//   for (MessageBody& body : got.bodies) ...
//
// Rules:
//  * An incarnation is one life of one address. Those of one address ascend (the engine uses the
//    log's epoch; a worker that cannot count its lives takes a new address for each).
//  * A stream belongs to a pair of incarnations, and a body travels only under a pair that its
//    sender knows; a link that does not know its peer yet probes with a bare message, and the peer
//    answers. So no body of an old life is ever delivered, and no sequence number means two things.
//  * A higher incarnation of the peer starts both streams anew: the owner is told, and given back what
//    was unsent or unacknowledged. A lower one is ignored.
//  * When the oldest body is not acknowledged for a time, it is sent again; when that is acknowledged, those behind it
//    that are as old: one, two, four ... The time doubles up to a cap, and begins at twice what acknowledgements have
//    taken of late: what is only slow is not lost. Acknowledgements ride on bodies, or go alone
//    after `acknowledge_after` of silence; at once for `acknowledge_bytes`, for their sender may be waiting for room.
//  * Whoever has much to send asks room() first. It is kept so small that what is on its way arrives
//    within `arrival_aim`: a heartbeat behind it is not late, however slow the network is. The window doubles
//    while it is used and acknowledged in time, and is halved, once in a round trip, when it takes twice as long
//    (a delay-based congestion window, as in TCP Vegas, Brakmo and Peterson 1995).
//  * With `acknowledge_kept` a body is acknowledged only once its owner has said that it is kept: so the
//    peer still has, after a crash of this end, whatever was not durable here.
//  * Bodies that overtook their predecessors wait for them, `early_bytes_max` of them; what comes beyond is dropped,
//    and is sent again.
//  * At most `window_messages_max` bodies are on their way; more wait. send() refuses with
//    RESOURCE_EXHAUSTED when `waiting_messages_max` are queued in all: gather into fewer, larger
//    bodies.
// Pure: no clock, no transport. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/port/transport.h"

namespace pawl {

struct LinkOptions {
  Address self = 0;
  Address peer = 0;
  uint64_t incarnation = 1;  // of this end; at least 1
  Duration retransmit_first = Duration::milliseconds(200);
  Duration retransmit_max = Duration::seconds(5);
  Duration acknowledge_after = Duration::milliseconds(20);
  Duration arrival_aim = Duration::milliseconds(500);
  uint64_t window_bytes_min = 64 << 10;
  uint64_t window_bytes_max = 64 << 20;
  uint64_t acknowledge_bytes = 32 << 10;
  uint32_t window_messages_max = 256;
  uint32_t waiting_messages_max = 4096;
  uint64_t early_bytes_max = body_bytes_full;
  bool acknowledge_kept = false;
};

class Link {
 public:
  struct Delivery {
    bool peer_restarted = false;           // before `bodies`, which are of the new life
    std::vector<MessageBody> undelivered;  // then: what the old life may not have taken, in order
    std::vector<MessageBody> bodies;       // in the order sent, each once
  };

  explicit Link(LinkOptions options);

  // The body's sequence number, to be compared with acknowledged() until the peer restarts.
  Result<uint64_t> send(MessageBody body);
  bool full() const { return outgoing_.size() >= options_.waiting_messages_max; }
  uint64_t window() const { return window_bytes_; }
  // Bytes that may be added now; 0: what is large waits. No refusal: what is small and urgent is sent all the same.
  uint64_t room() const {
    const bool crowded = full() || outgoing_.size() >= options_.window_messages_max;
    return crowded || outgoing_bytes_ >= window_bytes_ ? 0 : window_bytes_ - outgoing_bytes_;
  }

  Delivery deliver(Message message, Instant now);

  // What is to be handed to the transport now.
  std::vector<Message> poll(Instant now);
  // When poll() has something to do next; never() if nothing waits.
  Instant deadline() const;

  // How far the peer's stream has come; everything up to it may be kept now.
  uint64_t received() const { return received_; }
  void keep(uint64_t received, Instant now);

  uint64_t acknowledged() const { return first_unacknowledged_ - 1; }
  bool idle() const { return outgoing_.empty(); }  // everything sent has arrived
  uint64_t peer_incarnation() const { return peer_incarnation_; }

 private:
  void start_over(uint64_t peer_incarnation, std::vector<MessageBody>& undelivered);
  void take_acknowledgement(uint64_t acknowledged, Instant now);
  void learn_patience(Duration took, bool repeated);
  void adapt_window(Duration took, Instant sent_at, Instant now);
  void take_body(Message message, Instant now, std::vector<MessageBody>& into);
  void take_next(MessageBody body, std::vector<MessageBody>& into);
  void take_early(Message message);
  Message bare() const;
  Message numbered(size_t index) const;
  void back_off(Instant now);
  bool may_send() const;
  void repeat(size_t index, Instant now, std::vector<Message>& into);

  LinkOptions options_;
  uint64_t peer_incarnation_ = 0;  // 0: not known yet
  struct Outgoing {
    MessageBody body;
    uint64_t bytes = 0;
    Instant sent_at{};       // for the first time
    Instant last_sent_at{};  // later: it was sent again
  };
  std::deque<Outgoing> outgoing_;  // the first `sent_` have been sent
  uint64_t outgoing_bytes_ = 0;
  uint64_t window_bytes_;
  Instant adapted_at_;                 // the window; what was sent before says nothing about it
  uint64_t first_unacknowledged_ = 1;  // sequence of outgoing_.front()
  size_t sent_ = 0;
  size_t doubtful_ = 0;  // of these: sent before one of them took too long
  size_t burst_ = 1;     // so many of them are sent again at once, if their time has come
  Duration patience_;    // retransmit_after_ begins with it
  Duration retransmit_after_;
  Instant retransmit_at_;        // of the oldest in flight, or of the next probe
  uint64_t received_ = 0;        // highest sequence delivered
  uint64_t kept_ = 0;            // and that may be acknowledged
  uint64_t received_bytes_ = 0;  // and have not been
  struct Early {
    MessageBody body;
    uint64_t bytes = 0;
  };
  std::map<uint64_t, Early> early_;  // overtook their predecessors
  uint64_t early_bytes_ = 0;
  Instant acknowledge_at_ = Instant::never();
};

}  // namespace pawl
