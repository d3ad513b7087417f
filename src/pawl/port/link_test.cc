#include "pawl/port/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "pawl/base/random.h"

namespace pawl {
namespace {

constexpr Address left = 7;
constexpr Address right = 1;

// A body says in which life it was sent and as which of that life's bodies: "2/5".
MessageBody body(uint64_t life, uint64_t number) {
  return Closed{std::to_string(life) + "/" + std::to_string(number)};
}

struct Tag {
  uint64_t life = 0;
  uint64_t number = 0;
};

Tag tag(const MessageBody& body) {
  const std::string& text = std::get<Closed>(body).reason;
  size_t slash = text.find('/');
  return {std::stoull(text), std::stoull(text.substr(slash + 1))};
}

// One end of the stream and what it must see: the other's bodies in order, each once, and after a
// restart of the other none of its old life.
struct End {
  Address self;
  Address peer;
  uint64_t life = 1;
  Link link;
  uint64_t sent = 0;       // in this life
  uint64_t peer_life = 0;  // of the last body that arrived
  uint64_t got = 0;        // bodies of that life
  bool restarted_told = false;

  End(Address s, Address p) : self(s), peer(p), link(make(s, p, 1)) {}

  static Link make(Address s, Address p, uint64_t life) {
    LinkOptions options;
    options.self = s;
    options.peer = p;
    options.incarnation = life;
    options.window_messages_max = 4;
    return Link(options);
  }
  void send() {
    if (link.send(body(life, sent + 1)).ok()) ++sent;
  }
  void restart() {
    ++life;
    link = make(self, peer, life);
    sent = 0;
    peer_life = 0;
    got = 0;
  }
  void receive(const Message& message, Instant now) {
    Link::Delivery delivery = link.deliver(message, now);
    if (delivery.peer_restarted) sent = 0;  // what had not arrived is void
    if (delivery.peer_restarted) restarted_told = true;
    for (const MessageBody& one : delivery.bodies) {
      Tag t = tag(one);
      ASSERT_GE(t.life, peer_life) << "a body of an old life";
      if (t.life > peer_life) {
        peer_life = t.life;
        got = t.number;
      } else {
        ++got;
      }
      ASSERT_EQ(t.number, got);
    }
  }
};

struct World {
  End a{left, right};
  End b{right, left};
  std::vector<Message> net;
  Instant now{1};

  void pump() {
    for (Message& m : a.link.poll(now)) net.push_back(std::move(m));
    for (Message& m : b.link.poll(now)) net.push_back(std::move(m));
  }
  void hand_over(const Message& message) { (message.to == left ? a : b).receive(message, now); }
  // Everything arrives, in order, until both ends are content.
  void calm() {
    for (int round = 0; round < 100; ++round) {
      pump();
      std::vector<Message> batch = std::exchange(net, {});
      for (const Message& m : batch) hand_over(m);
      if (batch.empty() && a.link.idle() && b.link.idle()) return;
      Instant next = std::min(a.link.deadline(), b.link.deadline());
      now = now + Duration::milliseconds(1);
      if (batch.empty()) now = std::max(now, next);
    }
    FAIL() << "no rest after 100 rounds";
  }
  void greet() {
    a.send();
    b.send();
    calm();
  }
};

void expect_complete(World& world) {
  world.calm();
  EXPECT_EQ(world.b.got, world.a.sent);
  EXPECT_EQ(world.a.got, world.b.sent);
}

// All ways in which the network can treat what is on it: any order, each message delivered, lost or
// delivered twice, within the budgets.
uint64_t explore(const World& world, int losses, int copies) {
  if (testing::Test::HasFatalFailure()) return 0;
  if (world.net.empty()) {
    World end = world;
    expect_complete(end);
    return 1;
  }
  uint64_t ways = 0;
  for (size_t i = 0; i < world.net.size(); ++i) {
    Message chosen = world.net[i];
    World next = world;
    next.net.erase(next.net.begin() + static_cast<std::ptrdiff_t>(i));
    if (losses > 0) ways += explore(next, losses - 1, copies);
    next.hand_over(chosen);
    ways += explore(next, losses, copies);
    if (copies > 0) {
      World again = world;
      again.hand_over(chosen);
      ways += explore(again, losses, copies - 1);
    }
  }
  return ways;
}

TEST(Link, CarriesBodiesInOrderOnce) {
  World world;
  for (int i = 0; i < 50; ++i) world.a.send();
  for (int i = 0; i < 3; ++i) world.b.send();
  expect_complete(world);
  EXPECT_EQ(world.b.got, 50u);
  EXPECT_EQ(world.a.got, 3u);
}

TEST(Link, NothingToSayMeansNoDeadline) {
  World world;
  EXPECT_EQ(world.a.link.deadline(), Instant::never());
  EXPECT_TRUE(world.a.link.poll(world.now).empty());
  world.greet();
  EXPECT_EQ(world.a.link.deadline(), Instant::never());
  EXPECT_EQ(world.b.link.deadline(), Instant::never());
}

TEST(Link, AcknowledgementRidesOnABodyOrGoesAloneAfterSilence) {
  World world;
  world.greet();
  world.a.send();
  world.pump();
  ASSERT_EQ(world.net.size(), 1u);
  Message first = std::exchange(world.net, {})[0];
  world.hand_over(first);
  world.pump();
  EXPECT_TRUE(world.net.empty()) << "too early for a bare acknowledgement";
  EXPECT_EQ(world.b.link.deadline(), world.now + LinkOptions{}.acknowledge_after);
  world.now = world.b.link.deadline();
  world.pump();
  ASSERT_EQ(world.net.size(), 1u);
  EXPECT_EQ(world.net[0].sequence, 0u);
  EXPECT_EQ(world.net[0].acknowledged, 2u);
  world.net.clear();

  world.hand_over(first);  // a copy: the acknowledgement must have been lost
  world.b.send();
  world.pump();
  ASSERT_EQ(world.net.size(), 1u);
  EXPECT_EQ(world.net[0].sequence, 2u);
  EXPECT_EQ(world.net[0].acknowledged, 2u);
}

TEST(Link, RetransmitsAtDoublingIntervalsUpToTheCap) {
  World world;
  world.greet();
  world.a.send();
  std::vector<int64_t> waits;
  Instant last = world.now;
  for (int i = 0; i < 9; ++i) {
    world.pump();
    ASSERT_EQ(world.net.size(), 1u);
    world.net.clear();
    if (i > 0) waits.push_back((world.now - last).whole_milliseconds());
    last = world.now;
    world.now = world.a.link.deadline();
  }
  EXPECT_EQ(waits, (std::vector<int64_t>{200, 200, 400, 800, 1600, 3200, 5000, 5000}));
}

TEST(Link, WindowBoundsWhatIsOnItsWayAndTheQueueWhatWaits) {
  LinkOptions options;
  options.self = left;
  options.peer = right;
  options.window_messages_max = 2;
  options.waiting_messages_max = 3;
  Link link(options);
  Message hello;
  hello.from = right;
  hello.to = left;
  hello.incarnation = 9;
  hello.peer_incarnation = 1;
  link.deliver(hello, Instant{1});
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(link.send(Heartbeat{}).value(), i);
  auto refused = link.send(Heartbeat{});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_NE(refused.error().message.find("waiting_messages_max"), std::string::npos);
  EXPECT_EQ(link.poll(Instant{1}).size(), 2u);
  hello.acknowledged = 1;
  link.deliver(hello, Instant{2});
  EXPECT_EQ(link.acknowledged(), 1u);
  EXPECT_TRUE(link.send(Heartbeat{}).ok());
  EXPECT_EQ(link.poll(Instant{2}).size(), 1u);
}

TEST(Link, WhatOvertakesWaitsInSoManyBytesAndIsTakenWhenItIsSentAgain) {
  LinkOptions options;
  options.self = left;
  options.peer = right;
  options.early_bytes_max = 100;
  Link link(options);
  auto got = [&](uint64_t sequence, uint64_t bytes) {
    Message message;
    message.from = right;
    message.to = left;
    message.incarnation = 9;
    message.peer_incarnation = 1;
    message.sequence = sequence;
    message.body = Heartbeat{};
    message.bytes = bytes;
    return link.deliver(message, Instant{1}).bodies.size();
  };
  for (uint64_t life = 1; life <= 3; ++life) EXPECT_EQ(got(2, 60), 0u) << "once, however often";
  EXPECT_EQ(got(4, 60), 0u) << "too much: dropped";
  EXPECT_EQ(got(3, 40), 0u);
  EXPECT_EQ(got(1, 1'000'000), 3u) << "what is next takes no room";
  EXPECT_EQ(got(5, 100), 0u) << "room again";
  EXPECT_EQ(got(4, 60), 2u);
}

// A way that carries so many bytes a second, in order; the way back only takes its time. Sends `total` bytes as
// room() allows, and a heartbeat every 3 s.
struct SlowWay {
  uint64_t bytes_per_second;
  Duration delay;
  uint64_t body_bytes_max = 8 << 20;
  uint64_t carried = 0;           // with all that was sent more than once
  Duration heartbeat_took_max{};  // until its acknowledgement was there
  Duration took{};

  void carry(uint64_t total) {
    World world;
    world.greet();
    const Instant begin = world.now;
    std::deque<std::pair<Instant, Message>> there, back;
    Instant free = begin, heartbeat_at = begin, heartbeat_sent = begin;
    uint64_t heartbeat = 0;
    for (uint64_t sent = 0; sent < total || !world.a.link.idle();
         world.now = world.now + Duration::milliseconds(1)) {
      ASSERT_LT(world.now, begin + Duration::seconds(600)) << "it does not come to an end";
      while (!there.empty() && there.front().first <= world.now) {
        world.b.link.deliver(there.front().second, world.now);
        there.pop_front();
      }
      while (!back.empty() && back.front().first <= world.now) {
        world.a.link.deliver(back.front().second, world.now);
        back.pop_front();
      }
      if (heartbeat != 0 && world.a.link.acknowledged() >= heartbeat) {
        heartbeat_took_max = std::max(heartbeat_took_max, world.now - heartbeat_sent);
        heartbeat = 0;
      }
      while (sent < total && world.a.link.room() > 0) {
        const uint64_t bytes = std::min(world.a.link.room(), body_bytes_max);
        ASSERT_TRUE(world.a.link.send(Closed{std::string(bytes, 'x')}).ok());
        sent += bytes;
      }
      if (heartbeat == 0 && world.now >= heartbeat_at) {
        heartbeat = world.a.link.send(Heartbeat{}).value();
        heartbeat_sent = world.now;
        heartbeat_at = world.now + Duration::seconds(3);
      }
      for (Message& message : world.a.link.poll(world.now)) {
        const uint64_t bytes = carried_bytes(message.body);
        carried += bytes;
        free = std::max(free, world.now) +
               Duration::microseconds(static_cast<int64_t>(bytes * 1'000'000 / bytes_per_second));
        there.emplace_back(free + delay, std::move(message));
      }
      for (Message& message : world.b.link.poll(world.now))
        back.emplace_back(world.now + delay, std::move(message));
    }
    took = world.now - begin;
  }
};

TEST(Link, WhatIsSlowIsNotSentTwiceAndAHeartbeatBehindItIsNotLate) {
  for (uint64_t kilobytes_per_second : {80, 150, 1000}) {
    for (uint64_t body_bytes_max : {2'000, 30'000, 8'000'000}) {
      SlowWay way{kilobytes_per_second * 1000, Duration::milliseconds(20), body_bytes_max};
      way.carry(6'000'000);
      EXPECT_LT(way.carried, 6'600'000u) << kilobytes_per_second << ", " << body_bytes_max;
      EXPECT_LT(way.heartbeat_took_max, Duration::seconds(3)) << kilobytes_per_second;
    }
  }
}

TEST(Link, WhatABrokenConnectionHasLostIsThereSoonAfterIt) {
  World world;
  world.greet();
  for (int i = 0; i < 200; ++i) world.a.send();
  const Instant broken = world.now;
  uint64_t lost = 0;
  while (world.now < broken + Duration::seconds(4)) {  // nothing passes
    world.pump();
    lost += std::exchange(world.net, {}).size();
    world.now = world.now + Duration::milliseconds(5);
  }
  EXPECT_LE(lost, 4 + 5u) << "the window, and the oldest after 0.2, 0.6, 1.4 and 3 s";
  const Instant mended = world.now;
  uint64_t messages = 0;
  while (!world.a.link.idle()) {
    ASSERT_LT(world.now, mended + Duration::seconds(10));
    world.pump();
    messages += world.net.size();
    for (const Message& message : std::exchange(world.net, {})) world.hand_over(message);
    world.now = world.now + Duration::milliseconds(5);
  }
  EXPECT_LT(world.now, mended + Duration::seconds(6)) << "retransmit_max is 5 s";
  EXPECT_LT(messages, 600u);
  EXPECT_EQ(world.b.got, world.a.sent);
}

TEST(Link, ALongAndFastWayIsFilled) {
  SlowWay way{100'000'000, Duration::milliseconds(50)};
  way.carry(500'000'000);
  EXPECT_LT(way.carried, 550'000'000u);
  EXPECT_LT(way.took, Duration::seconds(8)) << "5 s are what it takes";
  EXPECT_LT(way.heartbeat_took_max, Duration::seconds(2));
}

TEST(Link, EveryFateOfFiveMessages) {
  World world;
  world.greet();
  for (int i = 0; i < 3; ++i) world.a.send();
  for (int i = 0; i < 2; ++i) world.b.send();
  world.pump();
  ASSERT_EQ(world.net.size(), 5u);
  EXPECT_GT(explore(world, 1, 1), 1000u);
}

TEST(Link, EveryOrderOfSixMessages) {
  World world;
  world.greet();
  for (int i = 0; i < 4; ++i) world.a.send();
  for (int i = 0; i < 2; ++i) world.b.send();
  world.pump();
  ASSERT_EQ(world.net.size(), 6u);
  EXPECT_EQ(explore(world, 0, 0), 720u);
  EXPECT_GT(explore(world, 1, 0), 720u);
}

// The first contact, with probes, bodies and answers lost, copied and reordered, and the old life's
// messages still on the net when the sender starts its next life.
TEST(Link, EveryFateOfTheMessagesAroundARestart) {
  for (int which = 0; which < 2; ++which) {
    for (int before = 0; before < 4; ++before) {
      World world;
      world.a.send();
      world.a.send();
      for (int step = 0; step < before; ++step) {
        world.pump();
        for (const Message& m : std::vector<Message>(world.net)) world.hand_over(m);  // copies stay
      }
      if (world.net.size() > 3) world.net.erase(world.net.begin(), world.net.end() - 3);
      End& restarted = which == 0 ? world.a : world.b;
      restarted.restart();
      restarted.send();
      world.pump();
      EXPECT_GT(explore(world, 1, 1), 0u);
      ASSERT_FALSE(HasFatalFailure()) << "which " << which << " before " << before;
    }
  }
}

TEST(Link, OwnerLearnsThatThePeerRestartedAndOldBodiesAreVoid) {
  World world;
  world.greet();
  world.a.send();
  world.pump();
  world.net.clear();  // lost
  world.b.restart();
  world.b.send();
  world.calm();
  EXPECT_TRUE(world.a.restarted_told);
  EXPECT_TRUE(world.a.link.idle());
  EXPECT_EQ(world.a.got, 1u);
  EXPECT_EQ(world.b.got, 0u) << "a body meant for the old life reached the new one";
}

TEST(Link, RandomWorldsEndComplete) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Random dice(seed);
    World world;
    for (int step = 0; step < 200; ++step) {
      world.now = world.now + Duration::milliseconds(static_cast<int64_t>(dice.below(150)));
      if (dice.chance(300)) world.a.send();
      if (dice.chance(300)) world.b.send();
      if (dice.chance(10)) world.a.restart();
      if (dice.chance(10)) world.b.restart();
      world.pump();
      for (uint64_t n = dice.below(4); n > 0 && !world.net.empty(); --n) {
        size_t i = dice.below(world.net.size());
        Message message = world.net[i];
        if (!dice.chance(200)) world.net.erase(world.net.begin() + static_cast<std::ptrdiff_t>(i));
        if (!dice.chance(200)) world.hand_over(message);
      }
      if (world.net.size() > 40) world.net.erase(world.net.begin(), world.net.begin() + 20);
    }
    uint64_t before = world.a.sent + world.b.sent;
    world.a.send();
    world.b.send();
    world.calm();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    EXPECT_TRUE(world.a.link.idle() && world.b.link.idle());
    EXPECT_GE(before + 2, world.a.got + world.b.got);
  }
}

TEST(Link, AcknowledgesOnlyWhatIsKeptIfAskedTo) {
  Instant now{1};
  LinkOptions options;
  options.self = right;
  options.peer = left;
  options.acknowledge_kept = true;
  Link keeper(options);
  options.self = left;
  options.peer = right;
  options.acknowledge_kept = false;
  Link sender(options);
  auto pass = [&] {
    now = now + Duration::seconds(1);
    std::vector<std::string> got;
    for (int round = 0; round < 3; ++round) {
      for (Message& m : sender.poll(now))
        for (MessageBody& b : keeper.deliver(std::move(m), now).bodies)
          got.push_back(std::get<Closed>(b).reason);
      for (Message& m : keeper.poll(now)) (void)sender.deliver(std::move(m), now);
      now = now + Duration::milliseconds(30);
    }
    return got;
  };
  ASSERT_TRUE(sender.send(body(1, 1)).ok());
  ASSERT_TRUE(sender.send(body(1, 2)).ok());
  EXPECT_EQ(pass(), (std::vector<std::string>{"1/1", "1/2"}));
  EXPECT_EQ(sender.acknowledged(), 0u);
  keeper.keep(1, now);
  EXPECT_TRUE(pass().empty());
  EXPECT_EQ(sender.acknowledged(), 1u);
  keeper.keep(9, now);
  (void)pass();
  EXPECT_EQ(sender.acknowledged(), 1u) << "nobody has received 9";

  options.self = right;
  options.peer = left;
  options.incarnation = 2;
  keeper = Link(options);
  Message first;
  first.from = right;
  first.to = left;
  first.incarnation = 2;
  Link::Delivery delivery = sender.deliver(first, now);
  EXPECT_TRUE(delivery.peer_restarted);
  ASSERT_EQ(delivery.undelivered.size(), 1u) << "the old life had it, and did not keep it";
  EXPECT_EQ(std::get<Closed>(delivery.undelivered[0]).reason, "1/2");
}

}  // namespace
}  // namespace pawl
