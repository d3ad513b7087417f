// Carries messages between a partition's engine and its workers.
//
// Contract (testing/contract/transport_contract.h): a message may be lost, delayed, duplicated or
// overtaken, but never altered; Link (link.h) makes one reliable ordered stream of it. send() returns
// at once. A transport that notices that its way to an address has broken may put an Unreachable from it,
// with all numbers 0. What arrives is put into the sink that the receiver registered for its address, on the
// receiver's thread or any other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/port/sink.h"

namespace pawl {

using Address = uint64_t;
// Of the engine of a coordinator's partition `slot`: 1, or beyond what workers of the same process choose.
// Those of other processes choose at random.
constexpr Address engine_address(uint32_t slot) {
  return slot == 0 ? 1 : (Address{1} << 40) + slot;
}

// Grants and reports that carry so much fill a body; what comes next travels in another. Alone, what a node reads
// and what a launch reports may be larger.
constexpr uint64_t body_bytes_full = 8 << 20;

// worker -> engine
struct Hello {
  WorkerSpec worker;
  SessionId session;               // to go on with, of an engine that has come back; 0: a new one
  std::vector<HeldAttempts> held;  // then: what it holds of it, running, waiting or to be reported
};
struct Heartbeat {
  WorkerUsage usage{};
};
struct Reports {
  std::vector<AttemptReport> reports;
};
struct Progress {
  std::vector<AttemptProgress> items;    // what is new
  std::vector<RunningAttempts> running;  // all that run, by execution and node
};
struct Goodbye {};
struct Returned {
  std::vector<HeldAttempts> attempts;
};  // the answer to a Recall: what of it had not begun, and never will here; may be nothing
// engine -> worker
struct Welcome {
  SessionId session;
  uint32_t partitions = 1;  // of the coordinator; each wants a Hello of its own
};
struct Grants {
  std::vector<Grant> grants;
};
struct Stops {
  std::vector<StopAttempts> stops;
};
struct Recall {
  std::vector<HeldAttempts> attempts;
};  // another worker has a free slot: what of these has not begun is to come back
struct Closed {
  std::string reason;
};  // the session is over: stop all its attempts, say Hello again
// transport -> engine: its way to `from` has broken. It may come back, and it may be wrong.
struct Unreachable {};
// Of a later version: it counts as any other, and is passed over.
struct Unknown {};

using MessageBody = std::variant<Hello, Heartbeat, Reports, Progress, Goodbye, Welcome, Grants,
                                 Stops, Closed, Unreachable, Returned, Recall, Unknown>;
// On its way, about.
uint64_t carried_bytes(const MessageBody& body);

// `incarnation` tells two lives of the same address apart; `sequence` 0 is a bare acknowledgement.
struct Message {
  Address from = 0;
  Address to = 0;
  uint64_t incarnation = 0;       // of the sender
  uint64_t peer_incarnation = 0;  // of the receiver, as the sender knows it; 0: not yet
  uint64_t sequence = 0;          // 1, 2, 3 ... per direction and pair of incarnations
  uint64_t acknowledged = 0;      // highest sequence received in order, and kept
  MessageBody body;
  uint64_t bytes = 0;                 // that it had when it arrived; 0: it never was bytes
  std::shared_ptr<const void> place;  // that it takes up where it waits, until it is dropped
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void bind(Address address, Sink<Message>& receiver) = 0;
  virtual void unbind(Address address) = 0;
  virtual void send(Message message) = 0;
};

}  // namespace pawl
