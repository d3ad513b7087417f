// What crosses the wire: seen by a relay between client and door.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/api/grpc/grpc_door.h"
#include "pawl/api/grpc/served_call.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"
#include "pawl/testing/memory_outputs.h"
#include "pawl/v1/executions.grpc.pb.h"

namespace pawl {
namespace {

// Passes on what one client and the server say, and keeps what the server has said.
class Relay {
 public:
  explicit Relay(uint16_t server) : server_(server), listening_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = address(0);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(listening_, 1), 0);
    socklen_t size = sizeof at;
    getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  // Once its client has hung up.
  std::string heard() {
    thread_.join();
    close(listening_);
    return heard_;
  }
  uint16_t port() const { return port_; }

 private:
  static sockaddr_in address(uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return made;
  }
  void run() {
    int client = accept(listening_, nullptr, nullptr);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at = address(server_);
    EXPECT_EQ(connect(server, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    for (bool open = true; open;) {
      poll(both, 2, -1);
      if (both[0].revents != 0) open = pass(client, server, nullptr);
      if (open && both[1].revents != 0) open = pass(server, client, &heard_);
    }
    close(client);
    close(server);
  }
  static bool pass(int from, int to, std::string* kept) {
    char part[65536];
    ssize_t size = recv(from, part, sizeof part, 0);
    if (size <= 0) return false;
    if (kept != nullptr) kept->append(part, static_cast<size_t>(size));
    return send(to, part, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
  }

  uint16_t server_;
  int listening_;
  uint16_t port_ = 0;
  std::string heard_;
  std::thread thread_;
};

class Anybody final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials&) const override { return Caller{"tester"}; }
};

constexpr size_t megabyte = 1 << 20;

class PackingTest : public testing::Test {
 protected:
  void start(bool pack_for_near) {
    GrpcDoorOptions options;
    options.pack_for_near = pack_for_near;
    door = GrpcDoor::create(options).value();
    StreamServerOptions listening;
    listening.guest = door.get();
    server = StreamServer::start(listening, {house.blob, outputs}, house.telemetry).value();
    door->open(*house.gateway, house.loop, anybody);
  }
  void TearDown() override {
    if (door) door->close();
    server.reset();
  }
  template <class Act>
  void meanwhile(Act act) {
    auto done = std::async(std::launch::async, act);
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      house.loop.run_once(Duration::milliseconds(1));
    done.get();
  }
  // What the server says, on the wire, to a client of its own.
  template <class Act>
  std::string wire(Act act, bool takes_gzip = true) {
    Relay relay(server->port());
    {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
      if (!takes_gzip)
        arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);  // identity
      auto stub = v1::Executions::NewStub(
          grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(relay.port()),
                                    grpc::InsecureChannelCredentials(), arguments));
      meanwhile([&] { act(*stub); });
    }
    return relay.heard();
  }
  // Of as many nodes as make a megabyte of outputs.
  static std::string wide() {
    std::string text = "name: one\nnodes:\n";
    for (int i = 0; i < 20; ++i) text += "  n" + std::to_string(i) + ": {command: [work]}\n";
    return text;
  }
  void run_wide() {
    house.executor.output = json_quote(std::string(60'000, 'x'));
    wire([](v1::Executions::Stub& stub) { run(stub, wide()); });
  }
  static void look(v1::Executions::Stub& stub) {
    grpc::ClientContext context;
    v1::GetExecutionRequest request;
    request.set_execution("e1");
    v1::Execution execution;
    grpc::Status status = stub.Get(&context, request, &execution);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_GT(execution.ByteSizeLong(), megabyte);
  }
  static void run(v1::Executions::Stub& stub, const std::string& definition) {
    grpc::ClientContext context;
    v1::SubmitRequest request;
    request.set_definition(definition);
    v1::Execution execution;
    grpc::Status status = stub.SubmitAndWait(&context, request, &execution);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(execution.workflow(), "one");
  }
  static void read_output(v1::Executions::Stub& stub, const std::string& expected) {
    grpc::ClientContext context;
    v1::ReadOutputRequest request;
    request.set_execution("e1");
    auto parts = stub.ReadOutput(&context, request);
    std::string content;
    for (v1::ContentPart part; parts->Read(&part);) content += part.content();
    EXPECT_TRUE(parts->Finish().ok());
    EXPECT_TRUE(content.find(expected) != std::string::npos) << content.size();
  }

  House house;
  MemoryOutputs outputs;
  Anybody anybody;
  std::unique_ptr<GrpcDoor> door;
  std::unique_ptr<StreamServer> server;
};

TEST_F(PackingTest, AMegabyteCrossesAtAFraction) {
  start(true);
  run_wide();
  EXPECT_LT(wire(look).size(), megabyte / 20);
}

TEST_F(PackingTest, WhatIsSmallIsSaidAsItIs) {
  start(true);
  const std::string small(500, 'x');
  house.executor.output = json_quote(small);
  wire([](v1::Executions::Stub& stub) { run(stub, one_node); });
  EXPECT_NE(wire([&](v1::Executions::Stub& stub) { read_output(stub, small); }).find(small),
            std::string::npos);
}

TEST_F(PackingTest, WhoTakesNoGzipGetsNone) {
  start(true);
  run_wide();
  EXPECT_GT(wire(look, false).size(), megabyte);
}

TEST_F(PackingTest, ForClientsOfThisMachineNothingIs) {
  start(false);
  run_wide();
  EXPECT_GT(wire(look).size(), megabyte);
}

TEST(Packing, WhoIsNear) {
  for (const char* near : {"ipv4:127.0.0.1:40312", "ipv4:127.3.2.1:1", "ipv6:[::1]:40312",
                           "ipv6:%5B::1%5D:40312", "unix:/run/pawl.socket", "unix:"})
    EXPECT_TRUE(is_near(near)) << near;
  for (const char* far : {"ipv4:10.1.2.3:40312", "ipv4:128.0.0.1:1", "ipv6:[2001:db8::1]:40312",
                          "ipv6:%5B::12%5D:40312", ""})
    EXPECT_FALSE(is_near(far)) << far;
}

}  // namespace
}  // namespace pawl
