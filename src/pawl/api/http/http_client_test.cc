// The client before a real HttpServer, gateway and engine, over real sockets.
#include "pawl/api/http/http_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "pawl/adapter/http/web_socket.h"
#include "pawl/api/http/http_server.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

class OneToken final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials& shown) const override {
    if (shown.bearer == "secret" && !revoked) return Caller{"tester"};
    if (shown.bearer == "barred") return Error{Code::permission_denied, "not you"};
    return Error{Code::unauthenticated, "show a token"};
  }
  std::atomic<bool> revoked = false;
};

// The server's gateway runs on the loop that the client pumps, as it does in no program.
class HttpClientTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    auto started = HttpServer::start(std::move(options), *house.gateway, house.loop, token);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
  }
  HttpClientOptions options(const std::string& shown = "secret") const {
    return {.url = "http://127.0.0.1:" + std::to_string(server->port()), .token = shown};
  }
  std::unique_ptr<HttpClient> connect(const std::string& shown = "secret") {
    auto connected = HttpClient::connect(options(shown), house.loop);
    EXPECT_TRUE(connected.ok()) << connected.error().message;
    return std::move(*connected);
  }

  House house;
  OneToken token;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpClientTest, SubmitsAndWaits) {
  start();
  auto client = connect();
  ExecutionId id = client->submit({one_node, "one.yaml", "", "once"}).value();
  EXPECT_EQ(client->submit({one_node, "one.yaml", "", "once"}).value(), id);
  EXPECT_EQ(client->await(id).value().status, ExecutionStatus::succeeded);
  ExecutionDetail detail = client->execution(id).value();
  EXPECT_EQ(client->text(detail.output).value(), R"({"work":"done"})");
  EXPECT_EQ(client->executions().value().executions.size(), 1u);
  EXPECT_GT(client->history(id).value().entries.size(), 3u);
  EXPECT_EQ(client->execution(ExecutionId{71}).error().code, Code::not_found);
}

TEST_F(HttpClientTest, WhoIsRevokedIsAnsweredNothingMore) {
  HttpServerOptions at_once;
  at_once.authenticate_again_every = {};
  start(at_once);
  auto client = connect();
  ExecutionId id = client->submit({one_node}).value();
  EXPECT_TRUE(client->execution(id).ok());
  token.revoked = true;
  Result<ExecutionDetail> asked = client->execution(id);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code, Code::unauthenticated);
  EXPECT_FALSE(client->submit({one_node}).ok());
}

TEST_F(HttpClientTest, ManyCallsAreOpenAtOnce) {
  start();
  auto client = connect();
  house.executor.holding = true;
  ExecutionId id = client->submit({one_node}).value();
  Ticket settled = client->start(AwaitExecution{id});
  std::vector<Ticket> asked;
  for (int i = 0; i < 500; ++i) asked.push_back(client->start(GetExecution{id}));
  for (Ticket ticket : asked) {
    while (!client->done(ticket)) client->pump(Duration::milliseconds(100));
    EXPECT_TRUE(client->take_as<ExecutionDetail>(ticket).ok());
  }
  EXPECT_FALSE(client->done(settled));
  while (!house.executor.has_held()) client->pump(Duration::milliseconds(10));
  house.executor.holding = false;
  house.executor.release();
  while (!client->done(settled)) client->pump(Duration::milliseconds(100));
  EXPECT_TRUE(client->take_as<Settlement>(settled).ok());
}

TEST_F(HttpClientTest, LargePayloadsTravelBothWays) {
  start();
  auto client = connect();
  std::string text(3 << 20, 'x');
  SubmitRequest request{one_node};
  request.input_json = R"({"extra":)" + json_quote(text) + "}";
  request.definition = std::string("input: {extra: null}\n") + one_node;
  ExecutionId id = client->submit(std::move(request)).value();
  EXPECT_EQ(client->await(id).value().status, ExecutionStatus::succeeded);
  EXPECT_EQ(client->text(client->execution(id).value().input).value(),
            R"({"extra":)" + json_quote(text) + "}");
}

TEST_F(HttpClientTest, PatienceHasAnEnd) {
  start();
  auto client = connect();
  house.executor.holding = true;
  ExecutionId id = client->submit({one_node}).value();
  client->set_patience(Duration::milliseconds(20));
  EXPECT_EQ(client->await(id).error().code, Code::deadline_exceeded);
}

TEST_F(HttpClientTest, ALostConnectionAnswersEveryCall) {
  start();
  auto client = connect();
  house.executor.holding = true;
  ExecutionId id = client->submit({one_node}).value();
  Ticket settled = client->start(AwaitExecution{id});
  server.reset();
  while (!client->done(settled)) client->pump(Duration::milliseconds(100));
  EXPECT_EQ(client->take_as<Settlement>(settled).error().code, Code::unavailable);
  EXPECT_EQ(client->execution(id).error().code, Code::unavailable);
  ASSERT_TRUE(client->failure());
  EXPECT_NE(client->failure()->message.find("http://127.0.0.1:"), std::string::npos);
}

TEST_F(HttpClientTest, CallsWaitForTheConnection) {
  start();
  auto client = HttpClient::begin(options(), house.loop).value();
  EXPECT_TRUE(client->executions().ok());
  auto stranger = HttpClient::begin(options("wrong"), house.loop).value();
  EXPECT_EQ(stranger->executions().error().code, Code::unauthenticated);
}

TEST_F(HttpClientTest, WhoIsNotLetInIsToldWhy) {
  start();
  auto nobody = HttpClient::connect(options("wrong"), house.loop);
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, Code::unauthenticated);
  EXPECT_NE(nobody.error().message.find("show a token"), std::string::npos);
  auto barred = HttpClient::connect(options("barred"), house.loop);
  ASSERT_FALSE(barred.ok());
  EXPECT_EQ(barred.error().code, Code::permission_denied);
  HttpClientOptions tls = options();
  tls.url.replace(0, 4, "https");
  auto plain = HttpClient::connect(tls, house.loop);
  ASSERT_FALSE(plain.ok());
  EXPECT_NE(plain.error().message.find("http:// is meant"), std::string::npos)
      << plain.error().message;
}

TEST_F(HttpClientTest, LimitsAreNamed) {
  start();
  HttpClientOptions small = options();
  small.message_bytes_max = 1000;
  auto client = HttpClient::connect(small, house.loop).value();
  auto refused = client->submit({one_node, "one.yaml", json_quote(std::string(2000, 'x'))});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_NE(refused.error().message.find("message_bytes_max"), std::string::npos);
  EXPECT_TRUE(client->executions().ok());  // it goes on
}

TEST(HttpClientAddress, IsCheckedInWords) {
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  for (const char* url : {"127.0.0.1:8080", "http://", "http://a:b", "http://a:70000", "ftp://a",
                          "http://ann@a", "http://a/?q", "http://[::1", "http://[::1]x"}) {
    auto client = HttpClient::begin({.url = url}, *loop);
    ASSERT_FALSE(client.ok()) << url;
    EXPECT_EQ(client.error().code, Code::invalid_argument) << client.error().message;
  }
  auto bare = HttpClient::begin({.url = "http://pawl.example.org", .token = "secret"}, *loop);
  ASSERT_FALSE(bare.ok());
  EXPECT_NE(bare.error().message.find("https://"), std::string::npos);
  EXPECT_EQ(HttpClient::begin({.url = "http://[::1]:1", .token = "two words"}, *loop).error().code,
            Code::invalid_argument);
}

// A server that is something else: it reads a request, gives these bytes, and hangs up.
class Impostor {
 public:
  explicit Impostor(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Impostor() {
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    int client = accept(listener_, nullptr, nullptr);
    std::string heard;
    char buffer[4096];
    while (heard.find("\r\n\r\n") == std::string::npos) {
      ssize_t size = recv(client, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      heard.append(buffer, static_cast<size_t>(size));
    }
    std::string answer = answer_;
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    size_t key = heard.find(name);
    size_t place = answer.find("KEY");
    if (key != std::string::npos && place != std::string::npos)
      answer.replace(place, 3, websocket_accept(heard.substr(key + name.size(), 24)));
    (void)!send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(client);
  }
  std::string answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

Error impostor(const std::string& answer) {
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  Impostor server(answer);
  auto client = HttpClient::connect({.url = server.url()}, *loop);
  if (!client.ok()) return client.error();
  return (*client)->executions().error();
}

constexpr const char* agreement =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: KEY\r\nSec-WebSocket-Protocol: pawl.v1\r\n\r\n";

TEST(HttpClientImpostor, IsFoundOut) {
  Error other = impostor("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
  EXPECT_EQ(other.code, Code::unimplemented) << other.message;
  EXPECT_NE(other.message.find("404"), std::string::npos);
  EXPECT_EQ(impostor("SSH-2.0-OpenSSH_9.2\r\n").code, Code::unimplemented);
  EXPECT_EQ(impostor("").code, Code::unavailable);
  EXPECT_EQ(impostor("HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: no\r\n\r\n").code,
            Code::unimplemented);
  std::string newer = agreement;
  newer.replace(newer.find("pawl.v1"), 7, "pawl.v9");
  Error version = impostor(newer);
  EXPECT_EQ(version.code, Code::unimplemented);
  EXPECT_NE(version.message.find("pawl.v1"), std::string::npos);
}

TEST(HttpClientImpostor, ThatAnswersNonsenseIsLeft) {
  auto text = [](const std::string& body) {
    return std::string(agreement) + "\x81" + static_cast<char>(body.size()) + body;
  };
  EXPECT_NE(impostor(text("[1,2")).message.find("bad answer"), std::string::npos);
  Error said = impostor(text(R"({"ticket":0,"error":{"code":"INTERNAL","message":"oh"}})"));
  EXPECT_EQ(said.code, Code::internal);
  EXPECT_EQ(impostor(std::string(agreement) + "\x88\x06\x03\xf0"
                                              "full")
                .code,
            Code::unavailable);
  EXPECT_EQ(impostor(std::string(agreement) + "\xff\xff\xff").code, Code::unavailable);
}

TEST(HttpClientRefused, SaysSo) {
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  auto refused = HttpClient::connect({.url = "http://127.0.0.1:1"}, *loop);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_NE(refused.error().message.find("Connection refused"), std::string::npos);
  auto unknown = HttpClient::connect({.url = "http://nowhere.invalid"}, *loop);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, Code::unavailable);
}

}  // namespace
}  // namespace pawl
