#include "pawl/engine/peers.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

class Sent final : public Transport {
 public:
  void bind(Address, Sink<Message>&) override {}
  void unbind(Address) override {}
  void send(Message message) override { messages.push_back(std::move(message)); }
  std::vector<Message> messages;
};

Grant grant_of(SessionId session, ItemIndex item) {
  Grant grant;
  grant.session = session;
  grant.range = {ExecutionId{1}, 0, item, item + 1};
  static const auto context = std::make_shared<const RunContext>();
  grant.context = context;
  return grant;
}

// The engine's side, and workers that are no more than their end of a link.
struct PeersTest : testing::Test {
  explicit PeersTest(Limits limits = {}) : peers(sent, 1, limits, {}, Duration::seconds(100)) {
    peers.start(3);
  }

  Link& worker(Address address) {
    auto known = workers.find(address);
    if (known != workers.end()) return known->second;
    LinkOptions options;
    options.self = address;
    options.peer = 1;
    return workers.emplace(address, Link(options)).first->second;
  }
  void listen(Address deaf = 0) {
    for (int round = 0; round < 6; ++round) {
      now = now + step;
      for (auto& [address, link] : workers) {
        for (Message& message : link.poll(now)) peers.deliver(std::move(message), now);
      }
      if (durable) {
        for (const Peers::Heard& one : peers.take_heard()) peers.keep(one, now);
      }
      peers.flush(now);
      for (Message& message : std::exchange(sent.messages, {})) {
        Address to = message.to;
        auto link = workers.find(to);
        if (to == deaf || link == workers.end()) continue;
        Link::Delivery got = link->second.deliver(std::move(message), now);
        if (got.peer_restarted) ++restarts;
        for (MessageBody& body : got.bodies) heard[to].push_back(std::move(body));
      }
    }
  }
  Ticket ticket_of_open() {
    Ticket ticket = 0;
    for (Peers::Wish& wish : peers.take_wishes()) {
      if (std::holds_alternative<OpenSession>(wish.command)) ticket = wish.ticket;
    }
    return ticket;
  }
  SessionId join(Address address, uint64_t number) {
    EXPECT_TRUE(worker(address).send(Hello{}).ok());
    listen();
    peers.opened(ticket_of_open(), {Code::ok, "", number});
    listen();
    return SessionId{number};
  }

  Sent sent;
  Peers peers;
  Instant now{1};
  Duration step = Duration::seconds(6);
  std::map<Address, Link> workers;
  std::map<Address, std::vector<MessageBody>> heard;
  int restarts = 0;
  bool durable = true;  // what is heard becomes durable at once
};

TEST_F(PeersTest, AFullLinkDropsNoGrantAndKeepsTheOrder) {
  SessionId session = join(7, 1);
  uint32_t bodies = 2 * LinkOptions{}.waiting_messages_max;
  for (uint32_t i = 0; i < bodies; ++i) {
    peers.grant(grant_of(session, i));
    peers.flush(now);
  }
  peers.stop({session, {grant_of(session, bodies - 1).range, 1, 0}});
  sent.messages.clear();
  heard.clear();
  for (int i = 0; i < 40; ++i) listen();
  ItemIndex next = 0;
  for (const MessageBody& body : heard[7]) {
    if (const auto* grants = std::get_if<Grants>(&body)) {
      for (const Grant& grant : grants->grants) EXPECT_EQ(grant.range.begin, next++);
    }
  }
  EXPECT_EQ(next, bodies);
  EXPECT_TRUE(std::holds_alternative<Stops>(heard[7].back()));
}

// Workers that are granted all that waited before they came: each with a context of its own.
TEST_F(PeersTest, GrantsTravelInBodiesThatCarryOnlySoMuch) {
  SessionId session = join(7, 1);
  constexpr ItemIndex executions = 1000;
  heard.clear();
  for (ItemIndex i = 0; i < executions; ++i) {
    auto context = std::make_shared<RunContext>();
    context->input = Payload::inline_json('"' + std::string(60'000, 'x') + '"');
    for (ItemIndex part = 0; part < 2; ++part) {
      Grant grant = grant_of(session, 2 * i + part);
      grant.context = context;
      peers.grant(std::move(grant));
    }
  }
  step = Duration::milliseconds(1);  // it is fast, which nobody knows at first
  for (int i = 0; i < 40; ++i) listen();
  ItemIndex next = 0;
  uint64_t largest = 0;
  for (const MessageBody& body : heard[7]) {
    uint64_t bytes = 0;
    for (const Grant& grant : std::get<Grants>(body).grants) {
      EXPECT_EQ(grant.range.begin, next);
      if (next++ % 2 == 0 || bytes == 0) bytes += grant.context->input.size();
    }
    EXPECT_LT(bytes, body_bytes_full + payload_inline_max);
    EXPECT_GT(bytes, 0u);
    largest = std::max(largest, bytes);
  }
  EXPECT_EQ(next, 2 * executions);
}

TEST_F(PeersTest, ARecallFollowsItsGrantsAndItsAnswerBecomesACommand) {
  SessionId session = join(7, 1);
  heard.clear();
  peers.grant(grant_of(session, 4));
  peers.take_back({session, {{grant_of(session, 4).range, 1, 9}}});
  peers.take_back({SessionId{44}, {{grant_of(session, 4).range, 1, 9}}});  // nobody has it
  listen();
  ASSERT_EQ(heard[7].size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Grants>(heard[7][0]));
  EXPECT_EQ(std::get<Recall>(heard[7][1]).attempts.at(0).nonce, 9u);
  peers.take_wishes();
  EXPECT_TRUE(worker(7).send(Returned{std::get<Recall>(heard[7][1]).attempts}).ok());
  listen();
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u);
  const auto& command = std::get<ReturnAttempts>(wishes[0].command);
  EXPECT_EQ(command.session, session);
  EXPECT_EQ(command.attempts.at(0).nonce, 9u);
}

TEST_F(PeersTest, AWorkerThatTakesNothingLosesItsSession) {
  SessionId session = join(7, 1);
  for (uint32_t i = 0; i < 80'000 && !peers.has_wishes(); ++i) {
    peers.grant(grant_of(session, i));
    if (i < 5000) peers.flush(now);
  }
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_EQ(std::get<CloseSession>(wishes[0].command).session, session);
  for (int i = 0; i < 40; ++i) listen();
  EXPECT_TRUE(std::holds_alternative<Closed>(heard[7].back()));
}

TEST_F(PeersTest, ASessionOpenedForAWorkerThatHasGoneIsClosedAgain) {
  ASSERT_TRUE(worker(7).send(Hello{}).ok());
  listen();
  Ticket first = ticket_of_open();
  ASSERT_TRUE(worker(7).send(Goodbye{}).ok());
  listen();
  EXPECT_TRUE(peers.opened(first, {Code::ok, "", 1}));
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_EQ(std::get<CloseSession>(wishes[0].command).session, SessionId{1});
}

// Each would be a session until it is durable that it is over.
TEST_F(PeersTest, WhoeverSaysHelloAgainAndAgainHasOneSessionAtATime) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(worker(7).send(Hello{}).ok());
  for (uint64_t life = 2; life < 100; ++life) {
    Message newborn;
    newborn.from = 8;
    newborn.to = 1;
    newborn.incarnation = life;
    newborn.peer_incarnation = (uint64_t{3} << 32) + 1;
    newborn.sequence = 1;
    newborn.body = Hello{};
    peers.deliver(newborn, now);
  }
  listen();
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 2u);
  uint64_t session = 0;
  for (const Peers::Wish& wish : wishes)
    EXPECT_TRUE(peers.opened(wish.ticket, {Code::ok, "", ++session}));
  wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 4u);
  for (size_t i : {0, 2}) EXPECT_TRUE(std::holds_alternative<CloseSession>(wishes[i].command));
  for (size_t i : {1, 3}) {
    EXPECT_TRUE(std::holds_alternative<OpenSession>(wishes[i].command));
    EXPECT_TRUE(peers.opened(wishes[i].ticket, {Code::ok, "", ++session}));
  }
  EXPECT_FALSE(peers.has_wishes());
  listen();
  EXPECT_EQ(std::get<Welcome>(heard[7].back()).session, SessionId{4});
}

TEST_F(PeersTest, OfTwoThatWantToGoOnWithASessionTheFirstDoes) {
  ASSERT_TRUE(worker(7).send(Hello{{}, SessionId{9}, {}}).ok());
  listen();
  ASSERT_TRUE(worker(8).send(Hello{{}, SessionId{9}, {}}).ok());
  listen();
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u) << "the second would have lost what the first holds";
  EXPECT_TRUE(std::holds_alternative<Closed>(heard[8].back()));
  peers.opened(wishes[0].ticket, {Code::ok, "", 9});
  listen();
  EXPECT_EQ(std::get<Welcome>(heard[7].back()).session, SessionId{9});
}

TEST_F(PeersTest, AReportOfAReversedRangeIsPassedOnForThePartitionToRefuse) {
  join(7, 1);
  AttemptReport report;
  report.range = {ExecutionId{1}, 0, 9, 2};
  Progress progress;
  for (ItemIndex item = 0; item < 12; ++item)
    progress.items.push_back({{ExecutionId{1}, 0, item}, 1, 500, ""});
  ASSERT_TRUE(worker(7).send(progress).ok());
  ASSERT_TRUE(worker(7).send(Reports{{report}}).ok());
  listen();
  EXPECT_EQ(peers.take_wishes().size(), 1u);
  EXPECT_EQ(peers.progress(ExecutionId{1}, 100, {}).size(), WorkerSpec{}.credit);
}

// A worker repeats the newest word of what runs.
TEST_F(PeersTest, KeepsEachWordOnce) {
  join(7, 1);
  auto says = [&](AttemptNumber attempt, uint32_t permille) {
    AttemptProgress said{{ExecutionId{1}, 0, 3}, attempt, permille, ""};
    ASSERT_TRUE(worker(7).send(Progress{{said}, {}}).ok());
    listen();
  };
  says(1, 0);  // it runs, and has said nothing
  for (uint32_t permille : {100u, 200u, 200u, 300u, 300u, 200u}) says(1, permille);
  says(2, 0);
  for (uint32_t permille : {200u, 200u, 900u}) says(2, permille);
  std::string kept;
  for (const auto& [word, number] : peers.words().read(ExecutionId{1}, 0, 100).words)
    kept += std::to_string(word.attempt) + "/" + std::to_string(number) + ":" +
            std::to_string(word.permille) + " ";
  EXPECT_EQ(kept, "1/1:100 1/2:200 1/3:300 1/4:200 2/1:200 2/2:900 ");
}

TEST_F(PeersTest, AcknowledgesWhatIsKeptAndNothingElse) {
  join(7, 1);
  EXPECT_TRUE(worker(7).idle());
  durable = false;
  ASSERT_TRUE(worker(7).send(Heartbeat{}).ok());
  listen();
  EXPECT_EQ(peers.take_wishes().size(), 1u);
  EXPECT_FALSE(worker(7).idle());
  durable = true;
  listen();
  EXPECT_TRUE(worker(7).idle());
  EXPECT_FALSE(peers.has_wishes()) << "sent again, but taken once";
}

TEST_F(PeersTest, AWorkerGoesOnWithItsSessionAtAnEngineThatHasComeBack) {
  HeldAttempts held{{ExecutionId{1}, 0, 3, 5}, 2, 77};
  ASSERT_TRUE(worker(7).send(Hello{{}, SessionId{9}, {held}}).ok());
  listen();
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u);
  const auto& resume = std::get<ResumeSession>(wishes[0].command);
  EXPECT_EQ(resume.session, SessionId{9});
  ASSERT_EQ(resume.held.size(), 1u);
  EXPECT_EQ(resume.held[0].nonce, 77u);
  EXPECT_TRUE(peers.opened(wishes[0].ticket, {Code::ok, "", 9}));
  listen();
  EXPECT_EQ(std::get<Welcome>(heard[7].back()).session, SessionId{9});
  peers.grant(grant_of(SessionId{9}, 0));
  listen();
  EXPECT_TRUE(std::holds_alternative<Grants>(heard[7].back()));

  ASSERT_TRUE(worker(8).send(Hello{{}, SessionId{9}, {}}).ok());
  listen();
  EXPECT_FALSE(peers.has_wishes()) << "the session is not worker 8's";
  EXPECT_TRUE(std::holds_alternative<Closed>(heard[8].back()));
}

TEST_F(PeersTest, AWorkerThatStaysUnreachableLosesItsSession) {
  SessionId session = join(7, 1);
  Message broken;
  broken.from = 7;
  broken.to = 1;
  broken.body = Unreachable{};
  peers.deliver(broken, now);
  peers.give_up_unreachable(now + Duration::seconds(99));
  EXPECT_FALSE(peers.has_wishes());
  EXPECT_LE(peers.deadline(), now + Duration::seconds(100));
  ASSERT_TRUE(worker(7).send(Heartbeat{}).ok());
  listen();
  (void)peers.take_wishes();
  peers.give_up_unreachable(now + Duration::seconds(1000));
  EXPECT_FALSE(peers.has_wishes()) << "it has come back";

  peers.deliver(broken, now);
  peers.give_up_unreachable(now + Duration::seconds(100));
  std::vector<Peers::Wish> wishes = peers.take_wishes();
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_EQ(std::get<CloseSession>(wishes[0].command).session, session);
  listen();
  EXPECT_TRUE(std::holds_alternative<Closed>(heard[7].back()));
}

TEST_F(PeersTest, WhatRunsIsTheNewestWordOfEachWorkerAndGoesWithItsSession) {
  join(7, 1);
  join(8, 2);
  auto running = [&] { return peers.running(ExecutionId{1}); };
  ASSERT_TRUE(worker(7).send(Progress{{}, {{ExecutionId{1}, 0, 2}, {ExecutionId{2}, 0, 1}}}).ok());
  ASSERT_TRUE(worker(8).send(Progress{{}, {{ExecutionId{1}, 0, 3}, {ExecutionId{1}, 4, 1}}}).ok());
  listen();
  EXPECT_EQ(running(), (std::map<NodeIndex, uint64_t>{{0, 5}, {4, 1}}));
  EXPECT_EQ(peers.running(), 7u);
  ASSERT_TRUE(worker(7).send(Progress{{}, {{ExecutionId{1}, 0, 1}}}).ok());
  ASSERT_TRUE(worker(8).send(Goodbye{}).ok());
  listen();
  EXPECT_EQ(running(), (std::map<NodeIndex, uint64_t>{{0, 1}}));
  EXPECT_EQ(peers.running(), 1u);
}

struct FewPeers : PeersTest {
  static Limits few() {
    Limits limits;
    limits.peers_max = 2;
    return limits;
  }
  FewPeers() : PeersTest(few()) {}
};

TEST_F(FewPeers, ANewcomerTakesThePlaceOfOneWithoutASession) {
  SessionId session = join(7, 1);
  SessionId over = join(8, 2);
  peers.hang_up({over, "over"});
  listen();
  join(9, 3);
  EXPECT_EQ(peers.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Welcome>(heard[9].back()));
  peers.grant(grant_of(session, 0));
  listen();
  EXPECT_TRUE(std::holds_alternative<Grants>(heard[7].back()));

  // With sessions everywhere a newcomer is not heard; the forgotten one, once there is room, finds
  // a younger life of the engine, not the middle of an old stream.
  ASSERT_TRUE(worker(8).send(Hello{}).ok());
  listen();
  EXPECT_EQ(ticket_of_open(), 0u);
  peers.hang_up({session, "over"});
  listen();
  EXPECT_EQ(peers.size(), 2u);
  EXPECT_EQ(restarts, 1);
  EXPECT_EQ(ticket_of_open(), 0u) << "the Hello was meant for the forgotten link";
  join(8, 4);
  EXPECT_TRUE(std::holds_alternative<Welcome>(heard[8].back()));
}

}  // namespace
}  // namespace pawl
