#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "pawl/adapter/grpc/frame_codec.h"
#include "pawl/adapter/grpc/stream_client.h"
#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/testing/contract/transport_contract.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_outputs.h"

namespace pawl {
namespace {

class Quiet final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override {
    std::lock_guard lock(mutex_);
    said_ += line.message + "\n";
    ++lines;
  }
  std::string said() {
    std::lock_guard lock(mutex_);
    return said_;
  }
  std::atomic<int> lines = 0;

 private:
  std::mutex mutex_;
  std::string said_;
};

Quiet quiet;
MemoryBlob no_payloads;

MemoryOutputs no_outputs;

std::unique_ptr<StreamServer> server_on(uint16_t port) {
  StreamServerOptions options;
  options.listen = "127.0.0.1:" + std::to_string(port);
  auto server = StreamServer::start(options, {no_payloads, no_outputs}, quiet);
  if (!server.ok()) ADD_FAILURE() << server.error().message;
  return std::move(server.value());
}

std::unique_ptr<StreamClient> client_of(uint16_t port, Telemetry& telemetry = quiet) {
  StreamClientOptions options;
  options.target = "127.0.0.1:" + std::to_string(port);
  return std::make_unique<StreamClient>(options, telemetry);
}

// Address 1 lives at the server, all others at one client each.
class ThreeProcesses final : public Transport {
 public:
  // The receivers have gone before us, and connections that end are told to whoever is bound.
  ~ThreeProcesses() override {
    for (Address address : bound_) end(address).unbind(address);
  }
  void bind(Address address, Sink<Message>& receiver) override {
    bound_.insert(address);
    end(address).bind(address, receiver);
    while (address != 1 && !server_->reaches(address)) std::this_thread::yield();
  }
  void unbind(Address address) override { end(address).unbind(address); }
  void send(Message message) override {
    ++sent_;
    end(message.from).send(std::move(message));
  }

  // What was sent has been received or lost by somebody.
  void settle() {
    auto over = [this] {
      uint64_t sum = 0;
      for (StreamCounts one : {server_->counts(), two_->counts(), three_->counts()})
        sum += one.received + one.lost;
      return sum;
    };
    while (over() < sent_) std::this_thread::yield();
  }

 private:
  Transport& end(Address address) {
    if (address == 1) return *server_;
    return address == 2 ? static_cast<Transport&>(*two_) : *three_;
  }

  std::unique_ptr<StreamServer> server_ = server_on(0);
  std::unique_ptr<StreamClient> two_ = client_of(server_->port());
  std::unique_ptr<StreamClient> three_ = client_of(server_->port());
  uint64_t sent_ = 0;
  std::set<Address> bound_;
};

class StreamFixture {
 public:
  Transport& transport() { return transport_; }
  void settle() { transport_.settle(); }

 private:
  ThreeProcesses transport_;
};

Message hello(Address from, uint64_t sequence) {
  Message message;
  message.from = from;
  message.to = 1;
  message.incarnation = 1;
  message.sequence = sequence;
  message.body = Hello{};
  return message;
}

TEST(Stream, AClientFindsAServerThatComesLaterAndOneThatComesBack) {
  uint16_t port = 0;
  ReceivedMessages at_engine;
  {
    auto first = server_on(0);
    port = first->port();
  }
  auto client = client_of(port);
  for (int life = 0; life < 2; ++life) {
    auto server = server_on(port);
    server->bind(1, at_engine);
    std::vector<Message> got;
    for (uint64_t sequence = 1; got.empty(); ++sequence) {
      client->send(hello(7, sequence));
      std::this_thread::yield();
      got = at_engine.take();
    }
    EXPECT_EQ(got.front().from, 7u);
    server->unbind(1);
  }
}

// It speaks HTTP/2 and then nothing more, like a machine that has lost its power.
class SilentPeer {
 public:
  explicit SilentPeer(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string greeting = std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") +
                                 std::string("\0\0\0\4\0\0\0\0\0", 9);  // empty settings
    EXPECT_EQ(::send(socket_, greeting.data(), greeting.size(), 0),
              static_cast<ssize_t>(greeting.size()));
  }
  ~SilentPeer() { close(socket_); }

  // Exactly so many bytes, or what came before the end.
  std::string heard(size_t bytes) {
    std::string told(bytes, '\0');
    size_t at = 0;
    for (ssize_t n = 1; at < bytes && n > 0; at += n > 0 ? static_cast<size_t>(n) : 0)
      n = recv(socket_, told.data() + at, bytes - at, 0);
    told.resize(at);
    return told;
  }
  bool hung_up_on() {
    char told[4096];
    ssize_t size = 0;
    while ((size = recv(socket_, told, sizeof told, 0)) > 0) continue;
    return size == 0 || errno == ECONNRESET;
  }

 private:
  int socket_;
};

TEST(Stream, ASilentPeerIsHungUpOn) {
  StreamServerOptions options;
  options.keep_alive_every = Duration::milliseconds(50);
  options.keep_alive_patience = Duration::milliseconds(50);
  auto server = StreamServer::start(options, {no_payloads, no_outputs}, quiet);
  ASSERT_TRUE(server.ok());
  EXPECT_TRUE(SilentPeer((*server)->port()).hung_up_on());
}

uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint32_t number = 0;
  for (char c : bytes.substr(at, size)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

// The first frame of an HTTP/2 server is its settings: pairs of a number and a value.
TEST(Stream, AConnectionIsToldHowManyCallsItMayHaveOpen) {
  auto server = server_on(0);
  SilentPeer peer(server->port());
  std::string settings = peer.heard(number_at(peer.heard(9), 0, 3));
  constexpr uint32_t max_concurrent_streams = 3;
  std::map<uint32_t, uint32_t> said;
  for (size_t at = 0; at + 6 <= settings.size(); at += 6)
    said[number_at(settings, at, 2)] = number_at(settings, at + 2, 4);
  EXPECT_EQ(said[max_concurrent_streams], StreamServerOptions{}.connection_calls_max);
}

// The outputs of a mapped node may be more than any frame that a worker sends: whoever reads them gets them.
TEST(Stream, AGrantArrivesHoweverMuchItsNodeReads) {
  auto server = server_on(0);
  Quiet complaints;
  auto client = client_of(server->port(), complaints);
  ReceivedMessages at_worker;
  client->bind(7, at_worker);
  while (!server->reaches(7)) std::this_thread::yield();
  auto workflow = std::make_shared<Workflow>();
  workflow->name = "reduce";
  for (const char* id : {"map", "reduce"}) workflow->nodes.emplace_back().id = id;
  ASSERT_TRUE(finish(*workflow).ok());
  constexpr uint32_t items = 1100;
  auto outputs = std::make_shared<ItemOutputs>(items);
  for (ItemIndex item = 0; item < items; ++item)
    outputs->set(item, Payload::inline_json('"' + std::string(payload_inline_max - 2, 'x') + '"'));
  ASSERT_GT(outputs->bytes(), worker_frame_bytes_max);
  auto context = std::make_shared<RunContext>();
  context->execution = ExecutionId{1};
  context->workflow = workflow;
  context->node = 1;
  context->outputs.push_back({0, {}, outputs});
  Message message;
  message.from = 1;
  message.to = 7;
  message.incarnation = message.sequence = 1;
  message.body = Grants{{Grant{SessionId{1}, {ExecutionId{1}, 1, 0, 1}, 1, 9, context}}};
  std::vector<Message> got;
  server->send(message);
  while (got.empty() && complaints.lines == 0) {
    std::this_thread::yield();
    got = at_worker.take();
  }
  ASSERT_EQ(got.size(), 1u) << "the connection broke";
  const Grant& grant = std::get<Grants>(got.front().body).grants.at(0);
  EXPECT_EQ(grant.context->outputs.at(0).mapped->get(items - 1), outputs->get(items - 1));
  client->unbind(7);
}

// Every address that it names is remembered: there is an end to that.
TEST(Stream, AConnectionSpeaksForSoManyWorkers) {
  auto server = server_on(0);
  Quiet complaints;
  auto client = client_of(server->port(), complaints);
  const Address most = StreamServerOptions{}.addresses_max;
  while (!client->connected()) std::this_thread::yield();
  for (Address from = 100; from < 100 + most; ++from) client->send(hello(from, 1));
  while (!server->reaches(100 + most - 1)) std::this_thread::yield();
  EXPECT_EQ(complaints.lines, 0);
  client->send(hello(100, 2));  // one of them
  client->send(hello(99, 1));
  while (complaints.lines == 0 && !server->reaches(99)) std::this_thread::yield();
  EXPECT_FALSE(server->reaches(99));
  EXPECT_GT(complaints.lines, 0) << "the connection is closed";
}

TEST(Stream, OneCertificateTakesHalfOfThePlaces) {
  StreamServerOptions few;
  few.streams_max = 4;
  auto server = StreamServer::start(few, {no_payloads, no_outputs}, quiet).value();
  auto first = client_of(server->port());
  auto second = client_of(server->port());
  Address address = 100;
  for (StreamClient* client : {first.get(), second.get()}) {
    ReceivedMessages unused;
    client->bind(++address, unused);
    while (!server->reaches(address)) std::this_thread::yield();
    client->unbind(address);
  }
  Quiet complaints;
  auto third = client_of(server->port(), complaints);
  while (complaints.lines == 0) std::this_thread::yield();
  EXPECT_NE(complaints.said().find("streams_max"), std::string::npos) << complaints.said();
  first.reset();
  ReceivedMessages unused;
  third->bind(7, unused);
  while (!server->reaches(7)) std::this_thread::yield();
  third->unbind(7);
}

// Keeps what it is given until somebody takes it, as an engine does whose disk is slow.
class Hoard final : public Sink<Message> {
 public:
  void put(Message message) override {
    std::lock_guard lock(mutex_);
    bytes_ += message.bytes;
    most_ = std::max(most_, bytes_);
    messages_.push_back(std::move(message));
  }
  bool take_one() {
    std::lock_guard lock(mutex_);
    if (messages_.empty()) return false;
    bytes_ -= messages_.front().bytes;
    messages_.pop_front();
    return true;
  }
  uint64_t bytes() {
    std::lock_guard lock(mutex_);
    return bytes_;
  }
  uint64_t most() {
    std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::deque<Message> messages_;
  uint64_t bytes_ = 0, most_ = 0;
};

TEST(Stream, WhoeverSaysMoreThanIsTakenWaits) {
  StreamServerOptions serving;
  serving.incoming_bytes_max = 1 << 20;
  auto server = StreamServer::start(serving, {no_payloads, no_outputs}, quiet).value();
  Hoard at_engine;
  server->bind(1, at_engine);
  auto client = client_of(server->port());
  while (!client->connected()) std::this_thread::yield();
  constexpr uint64_t frames = 50;
  for (uint64_t sequence = 1; sequence <= frames; ++sequence) {
    Message message = hello(7, sequence);
    std::get<Hello>(message.body).worker.name.resize(300'000, 'x');
    client->send(std::move(message));
  }
  while (at_engine.bytes() <= serving.incoming_bytes_max) std::this_thread::yield();
  uint64_t taken = 0;
  while (taken < frames) {
    if (at_engine.take_one())
      ++taken;
    else
      std::this_thread::yield();
  }
  EXPECT_LE(at_engine.most(), serving.incoming_bytes_max + 301'000);
  for (uint64_t sequence = frames + 1; sequence <= frames + 10; ++sequence) {
    Message message = hello(7, sequence);
    std::get<Hello>(message.body).worker.name.resize(300'000, 'x');
    client->send(std::move(message));
  }
  while (at_engine.bytes() <= serving.incoming_bytes_max) std::this_thread::yield();
  server->unbind(1);
  server.reset();  // does not wait for whoever waits
}

// With the engine's own, whatever says so would answer itself for ever.
TEST(Stream, NobodySpeaksForAnAddressOfTheServer) {
  auto server = server_on(0);
  ReceivedMessages at_engine;
  server->bind(1, at_engine);
  Quiet complaints;
  auto client = client_of(server->port(), complaints);
  while (!client->connected()) std::this_thread::yield();
  client->send(hello(1, 1));
  while (complaints.lines == 0 && server->counts().received == 0) std::this_thread::yield();
  EXPECT_TRUE(at_engine.take().empty());
  EXPECT_FALSE(server->reaches(1));
  server->unbind(1);
}

struct Gate final : PeerGate {
  Status admit(const std::string&) override {
    return closed ? Error{Code::unauthenticated, "the certificate has been revoked"} : Status();
  }
  std::atomic<bool> closed = false;
};

TEST(Stream, WhoIsRevokedIsHungUpOn) {
  Gate gate;
  StreamServerOptions serving;
  serving.gate = &gate;
  serving.admit_again_every = {};
  auto server = StreamServer::start(serving, {no_payloads, no_outputs}, quiet).value();
  ReceivedMessages at_engine;
  server->bind(1, at_engine);
  Quiet complaints;
  auto client = client_of(server->port(), complaints);
  uint64_t sequence = 0;
  while (at_engine.take().empty()) {
    client->send(hello(7, ++sequence));
    std::this_thread::yield();
  }
  gate.closed = true;
  // The first time it may be told only that the call is over, since it was writing.
  auto revoked = [&] { return complaints.said().find("revoked") != std::string::npos; };
  while (!revoked() && sequence < 10'000'000) {
    client->send(hello(7, ++sequence));
    std::this_thread::yield();
  }
  EXPECT_TRUE(revoked()) << complaints.said();
  server->unbind(1);
}

TEST(Stream, AnAddressThatCannotBeListenedOnIsAnError) {
  StreamServerOptions options;
  options.listen = "127.0.0.1:notaport";
  auto server = StreamServer::start(options, {no_payloads, no_outputs}, quiet);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, Code::unavailable);
  EXPECT_NE(server.error().message.find("127.0.0.1:notaport"), std::string::npos);
}

INSTANTIATE_TYPED_TEST_SUITE_P(Stream, TransportContract, StreamFixture);

}  // namespace
}  // namespace pawl
