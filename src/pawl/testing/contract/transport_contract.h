// The contract suite of port/transport.h.
//
//   struct InprocFixture {                    // one new transport per test
//     Transport& transport();
//     void settle();                          // what has been sent arrives, or is lost
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Inproc, TransportContract, InprocFixture);
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pawl/port/link.h"
#include "pawl/port/transport.h"

namespace pawl {

class ReceivedMessages final : public Sink<Message> {
 public:
  void put(Message value) override {
    std::lock_guard<std::mutex> lock(mutex_);
    messages_.push_back(std::move(value));
  }
  // What was sent: a transport may put an Unreachable of its own between.
  std::vector<Message> take() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(messages_,
                  [](const Message& one) { return std::holds_alternative<Unreachable>(one.body); });
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Message> messages_;
};

template <class Fixture>
class TransportContract : public ::testing::Test {
 protected:
  Transport& transport() { return fixture_.transport(); }
  void settle() { fixture_.settle(); }

  static Message message(Address to, uint64_t sequence) {
    Message made;
    made.from = 1;
    made.to = to;
    made.incarnation = 5;
    made.peer_incarnation = 6;
    made.sequence = sequence;
    made.acknowledged = 3;
    made.body = Closed{"number " + std::to_string(sequence)};
    return made;
  }
  static LinkOptions link_options(Address self, Address peer) {
    LinkOptions options;
    options.self = self;
    options.peer = peer;
    return options;
  }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(TransportContract);

TYPED_TEST_P(TransportContract, WhatArrivesIsWhatWasSent) {
  ReceivedMessages second, third;
  this->transport().bind(2, second);
  this->transport().bind(3, third);
  for (uint64_t i = 1; i <= 20; ++i) this->transport().send(this->message(2 + i % 2, i));
  this->settle();
  for (auto& [address, received] : {std::pair{Address{2}, &second}, {Address{3}, &third}}) {
    for (const Message& got : received->take()) {
      EXPECT_EQ(got.to, address);
      EXPECT_EQ(got.to, 2 + got.sequence % 2);
      EXPECT_EQ(got.from, 1u);
      EXPECT_EQ(got.incarnation, 5u);
      EXPECT_EQ(got.peer_incarnation, 6u);
      EXPECT_EQ(got.acknowledged, 3u);
      EXPECT_EQ(std::get<Closed>(got.body).reason, "number " + std::to_string(got.sequence));
    }
  }
}

TYPED_TEST_P(TransportContract, AnUnboundAddressLosesItsMessagesAndMayBeBoundAgain) {
  ReceivedMessages first, next;
  this->transport().send(this->message(2, 1));
  this->transport().bind(2, first);
  this->settle();
  this->transport().unbind(2);
  first.take();
  this->transport().send(this->message(2, 2));
  this->settle();
  EXPECT_TRUE(first.take().empty());
  this->transport().bind(2, next);
  this->transport().send(this->message(2, 3));
  this->settle();
  EXPECT_TRUE(first.take().empty());
}

TYPED_TEST_P(TransportContract, ALinkOverItIsExactlyOnceAndInOrder) {
  ReceivedMessages at_one, at_two;
  this->transport().bind(1, at_one);
  this->transport().bind(2, at_two);
  Link one(this->link_options(1, 2));
  Link two(this->link_options(2, 1));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(one.send(Closed{std::to_string(i)}).ok());
  Instant now;
  int next = 0;
  for (int round = 0; round < 20'000 && !one.idle(); ++round) {
    for (Message& m : one.poll(now)) this->transport().send(std::move(m));
    for (Message& m : two.poll(now)) this->transport().send(std::move(m));
    this->settle();
    for (Message& m : at_one.take()) (void)one.deliver(std::move(m), now);
    for (Message& m : at_two.take())
      for (const MessageBody& body : two.deliver(std::move(m), now).bodies)
        EXPECT_EQ(std::get<Closed>(body).reason, std::to_string(next++));
    now = now + Duration::milliseconds(50);
  }
  EXPECT_EQ(next, 100);
}

REGISTER_TYPED_TEST_SUITE_P(TransportContract, WhatArrivesIsWhatWasSent,
                            AnUnboundAddressLosesItsMessagesAndMayBeBoundAgain,
                            ALinkOverItIsExactlyOnceAndInOrder);

}  // namespace pawl
