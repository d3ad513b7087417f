#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "pawl/api/frame.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/socket_client.h"
#include "pawl/api/socket_path.h"
#include "pawl/api/socket_server.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

// A client without manners: it sends what it likes.
class RawClient {
 public:
  RawClient(const std::string& directory, LinuxLoop& loop) : loop_(loop) {
    int directory_fd = open_socket_directory(directory).value();
    sockaddr_un address = socket_address(directory_fd, SocketServer::file_name);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(directory_fd);
  }
  ~RawClient() { close(fd); }
  void send_bytes(ByteView bytes) {
    while (!bytes.empty()) {
      ssize_t size = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno != EAGAIN) return;
      if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
      loop_.run_once({});
    }
  }
  void send_frame(std::string_view json) { send_bytes(to_frame(json).value()); }
  // The next frame; empty at the end of the stream.
  std::string frame() {
    for (;;) {
      if (std::optional<std::string> next = in_.next()) return *next;
      std::array<char, 65536> buffer;
      ssize_t size = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size == 0 || (size < 0 && errno != EAGAIN)) return "";
      if (size > 0) in_.add({buffer.data(), static_cast<size_t>(size)});
      if (size < 0) loop_.run_once(Duration::milliseconds(10));
    }
  }
  // The error of the last frame before the server hangs up.
  Error last_error() {
    std::string last;
    for (std::string next = frame(); !next.empty(); next = frame()) last = next;
    auto answer = answer_from_json(last);
    if (answer.ok() && answer->ticket == 0) return std::get<Error>(answer->result);
    Status greeting = check_greeting(last);
    return greeting.ok() ? Error{Code::ok, "no error: " + last} : greeting.error();
  }
  int fd;

 private:
  LinuxLoop& loop_;
  FrameReader in_;
};

struct SocketTest : testing::Test {
  void serve(SocketServerOptions options = {}) {
    auto opened = SocketServer::open(*house.gateway, house.loop, directory.path, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    server = std::move(*opened);
  }
  std::unique_ptr<SocketClient> connected() {
    auto client = SocketClient::connect(directory.path, house.loop);
    EXPECT_TRUE(client.ok()) << client.error().message;
    (*client)->set_patience(Duration::seconds(20));
    return std::move(*client);
  }
  void pump_until(size_t clients) {
    while (server->clients() != clients) house.loop.run_once(Duration::milliseconds(10));
  }
  std::string socket_path() const { return directory.path + "/" + SocketServer::file_name; }

  OwnDirectory directory;
  House house;
  std::unique_ptr<SocketServer> server;
};

TEST_F(SocketTest, SeveralClientsSubmitAndWaitAtTheSameTime) {
  serve();
  auto a = connected();
  auto b = connected();
  house.executor.holding = true;
  ExecutionId first = a->submit({one_node, "one.yaml", R"({"n":1})", "", ""}).value();
  ExecutionId second = b->submit({one_node, "one.yaml", R"({"n":2})", "", ""}).value();
  Ticket a_waits = a->start(AwaitExecution{second});
  Ticket b_waits = b->start(AwaitExecution{second});
  EXPECT_EQ(a->execution(first).value().input.text(), R"({"n":1})");
  EXPECT_FALSE(b->done(b_waits));
  house.executor.holding = false;
  house.executor.release();
  EXPECT_EQ(b->await(first).value().status, ExecutionStatus::succeeded);
  EXPECT_EQ(b->await(second).value().status, ExecutionStatus::succeeded);
  while (!a->done(a_waits) || !b->done(b_waits)) a->pump(Duration::milliseconds(10));
  EXPECT_EQ(a->take_as<Settlement>(a_waits).value().execution, second);
  EXPECT_EQ(a->executions().value().executions.size(), 2u);
  EXPECT_FALSE(a->history(first).value().entries.empty());
  EXPECT_EQ(a->server().value().process, static_cast<uint64_t>(getpid()));
  EXPECT_EQ(a->execution(ExecutionId{99}).error().code, Code::not_found);
}

TEST_F(SocketTest, ALargeInputTravelsBothWays) {
  serve();
  auto client = connected();
  std::string input = "{\"x\":\"" + std::string(5 << 20, 'y') + "\"}";
  ExecutionId id = client->submit({one_node, "f", input, "", ""}).value();
  EXPECT_EQ(client->text(client->execution(id).value().input).value(), input);
  std::string huge = "{\"x\":\"" + std::string(frame_bytes_max, 'y') + "\"}";
  EXPECT_EQ(client->submit({one_node, "f", huge, "", ""}).error().code, Code::resource_exhausted);
  EXPECT_TRUE(client->overview().ok());
}

TEST_F(SocketTest, ADirectoryWithALongNameIsServed) {
  directory.path += "/" + std::string(200, 'd');
  std::filesystem::create_directory(directory.path);
  serve();
  EXPECT_TRUE(connected()->overview().ok());
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  directory.path.resize(directory.path.rfind('/'));
}

TEST_F(SocketTest, OnlyTheOwnerMayConnectAndAStaleSocketIsReplaced) {
  std::ofstream(socket_path()) << "left by a dead process";
  EXPECT_EQ(SocketClient::connect(directory.path, house.loop).error().code, Code::not_found);
  serve();
  struct stat status {};
  ASSERT_EQ(stat(socket_path().c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(connected()->overview().ok());
}

TEST_F(SocketTest, NobodyServing) {
  EXPECT_EQ(SocketClient::connect(directory.path, house.loop).error().code, Code::not_found);
  EXPECT_EQ(SocketClient::connect(directory.path + "/none", house.loop).error().code,
            Code::not_found);
  EXPECT_EQ(SocketServer::open(*house.gateway, house.loop, directory.path + "/none").error().code,
            Code::not_found);
}

TEST_F(SocketTest, AServerThatGoesAnswersWhatIsOpen) {
  serve();
  auto client = connected();
  house.executor.holding = true;
  ExecutionId id = client->submit({one_node, "f", "", "", ""}).value();
  Ticket waiting = client->start(AwaitExecution{id});
  EXPECT_TRUE(client->overview().ok());
  server.reset();
  while (!client->done(waiting)) client->pump(Duration::milliseconds(10));
  EXPECT_EQ(client->take_as<Settlement>(waiting).error().code, Code::unavailable);
  EXPECT_EQ(client->overview().error().code, Code::unavailable);
  EXPECT_EQ(house.gateway->open_calls(), 0u);
}

TEST_F(SocketTest, AClientThatDiesInTheMiddleIsForgotten) {
  serve();
  auto staying = connected();
  house.executor.holding = true;
  ExecutionId id = staying->submit({one_node, "f", "", "", ""}).value();
  {
    auto leaving = connected();
    leaving->start(AwaitExecution{id});
    EXPECT_TRUE(leaving->overview().ok());
    RawClient cut(directory.path, house.loop);
    cut.send_frame(greeting_json());
    std::string frame = to_frame(R"({"ticket":1,"call":"get_overview"})").value();
    cut.send_bytes(frame.substr(0, frame.size() / 2));
    pump_until(3);
    EXPECT_EQ(house.gateway->open_calls(), 1u);
  }
  pump_until(1);
  EXPECT_EQ(house.gateway->open_calls(), 0u);
  EXPECT_TRUE(staying->execution(id).ok());
}

TEST_F(SocketTest, AFrameOfAHundredMegabytesIsRefused) {
  serve();
  RawClient client(directory.path, house.loop);
  client.send_frame(greeting_json());
  ByteWriter header;
  header.u32(100'000'000);
  client.send_bytes(header.view());
  Error error = client.last_error();
  EXPECT_EQ(error.code, Code::resource_exhausted);
  EXPECT_NE(error.message.find("100000000 bytes is above frame_bytes_max (67108864)"),
            std::string::npos)
      << error.message;
  EXPECT_TRUE(connected()->overview().ok());
}

TEST_F(SocketTest, VersionsMustAgree) {
  serve();
  RawClient newer(directory.path, house.loop);
  newer.send_frame(R"({"pawl":2})");
  Error error = newer.last_error();
  EXPECT_EQ(error.code, Code::failed_precondition);
  EXPECT_NE(error.message.find("version 2"), std::string::npos) << error.message;
  RawClient stranger(directory.path, house.loop);
  stranger.send_bytes("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(stranger.last_error().code, Code::resource_exhausted);  // "GET " read as a length
  RawClient other(directory.path, house.loop);
  other.send_frame(R"({"hello":1})");
  EXPECT_EQ(other.last_error().code, Code::invalid_argument);
}

TEST_F(SocketTest, AMalformedCallIsAnsweredAndTheNextOneServed) {
  serve();
  RawClient client(directory.path, house.loop);
  client.send_frame(greeting_json());
  client.send_frame(R"({"ticket":5,"call":"cancle","with":{}})");
  client.send_frame(R"({"ticket":6,"call":"get_overview"})");
  EXPECT_EQ(client.frame(), greeting_json());
  auto first = answer_from_json(client.frame()).value();
  EXPECT_EQ(first.ticket, 5u);
  EXPECT_NE(std::get<Error>(first.result).message.find("did you mean \"cancel\""),
            std::string::npos);
  auto second = answer_from_json(client.frame()).value();
  EXPECT_EQ(second.ticket, 6u);
  EXPECT_TRUE(std::holds_alternative<Overview>(second.result));
  client.send_frame("{no json");
  EXPECT_EQ(client.last_error().code, Code::invalid_argument);
}

TEST_F(SocketTest, OneClientHasSoManyOpenCalls) {
  serve({.client_calls_max = 2});
  house.executor.holding = true;
  auto client = connected();
  ExecutionId id = client->submit({one_node, "f", "", "", ""}).value();
  client->start(AwaitExecution{id});
  client->start(AwaitExecution{id});
  Result<Overview> refused = client->overview();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("client_calls_max"), std::string::npos);
  EXPECT_TRUE(connected()->overview().ok());
}

TEST_F(SocketTest, AReaderThatSleepsIsHungUpOnAndToldWhy) {
  serve({.output_bytes_max = 1 << 20});
  auto other = connected();
  std::string input = "{\"x\":\"" + std::string(60'000, 'y') + "\"}";
  ExecutionId id = other->submit({one_node, "f", input, "", ""}).value();
  RawClient sleeper(directory.path, house.loop);
  sleeper.send_frame(greeting_json());
  for (int i = 1; i <= 200; ++i)
    sleeper.send_frame(to_json(NumberedCall{static_cast<Ticket>(i), GetExecution{id}}));
  EXPECT_TRUE(other->overview().ok());
  Error error = sleeper.last_error();
  EXPECT_EQ(error.code, Code::resource_exhausted);
  EXPECT_NE(error.message.find("output_bytes_max"), std::string::npos) << error.message;
  pump_until(1);
}

TEST_F(SocketTest, SoManyClientsAndNoMore) {
  serve({.clients_max = 1});
  auto first = connected();
  auto second = SocketClient::connect(directory.path, house.loop);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::resource_exhausted);
  EXPECT_NE(second.error().message.find("clients_max"), std::string::npos);
  first.reset();
  pump_until(0);
  EXPECT_TRUE(connected()->overview().ok());
}

// What cannot be accepted waits without keeping the loop busy, and is accepted later.
TEST_F(SocketTest, WithoutDescriptorsTheListenerRests) {
  serve();
  RawClient waiting(directory.path, house.loop);
  int lowest = dup(0);
  close(lowest);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  while (server->deadline() == Instant::never()) house.loop.run_once(Duration::milliseconds(10));
  EXPECT_EQ(server->clients(), 0u);
  int rounds = 0;
  for (Instant end = server->deadline(); house.clock.monotonic() < end; ++rounds)
    house.loop.run_once(end - house.clock.monotonic());
  EXPECT_LT(rounds, 100) << "a listener that is ready for ever keeps the loop awake";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  pump_until(1);
  waiting.send_frame(greeting_json());
  EXPECT_EQ(waiting.frame(), greeting_json());
}

}  // namespace
}  // namespace pawl
