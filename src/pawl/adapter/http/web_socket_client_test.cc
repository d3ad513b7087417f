// The client of WebSockets before a real listener, in TLS.
#include "pawl/adapter/http/web_socket_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "pawl/adapter/http/http_listener.h"
#include "pawl/adapter/http/test_identity.h"
#include "pawl/adapter/linux_loop/linux_clock.h"

namespace pawl {
namespace {

// Answers each message with the name that the client has shown, and the message; to "hold", with nothing.
class Porter final : public HttpHandler {
 public:
  void heard(ExchangeId id, HttpRequest request) override {
    shown = request.certificate;
    (void)listener->upgrade(id, request, "porter");
  }
  void message(ExchangeId id, std::string_view text) override {
    if (text == "go") return listener->close(id, 1001, "closing time");
    if (text != "hold") listener->send(id, shown + ":" + std::string(text));
  }
  void drained(ExchangeId) override {}
  void gone(ExchangeId) override {}

  HttpListener* listener = nullptr;
  std::string shown;
};

class Guest final : public WebSocketClientHandler {
 public:
  void heard(std::string_view text) override { messages.emplace_back(text); }
  void lost(const Error& why) override { error = why; }
  std::vector<std::string> messages;
  std::optional<Error> error;
};

class WebSocketClientTest : public testing::Test {
 protected:
  ~WebSocketClientTest() override {
    if (!thread.joinable()) return;
    server_loop->stop();
    thread.join();
  }
  void open(HttpOptions options) {
    listener = HttpListener::open(std::move(options), *server_loop, clock, porter).value();
    porter.listener = listener.get();
    thread = std::thread([this] { server_loop->run(); });
  }
  HttpOptions in_tls() {
    HttpOptions options;
    options.tls_on = true;
    options.tls = {server.certificate_file(), server.key_file(), "", false};
    return options;
  }
  WebSocketDial dial() {
    WebSocketDial options;
    options.url = {true, "127.0.0.1", listener->port(), ""};
    options.target = "/";
    options.protocol = "porter";
    options.tls.ca_file = server.certificate_file();
    return options;
  }
  std::unique_ptr<WebSocketClient> connect(WebSocketDial options) {
    return WebSocketClient::dial(std::move(options), *loop, guest).value();
  }
  std::string hear() {
    while (guest.messages.empty() && !guest.error) loop->run_once(Duration::forever());
    if (guest.error) return name(guest.error->code) + (": " + guest.error->message);
    return guest.messages.back();
  }

  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
  std::unique_ptr<LinuxLoop> server_loop = LinuxLoop::create(clock).value();
  Identity server{"server"};
  Porter porter;
  Guest guest;
  std::unique_ptr<HttpListener> listener;
  std::thread thread;
};

TEST_F(WebSocketClientTest, SpeaksInTls) {
  open(in_tls());
  auto socket = connect(dial());
  ASSERT_TRUE(socket->send("hello").ok());
  EXPECT_EQ(hear(), ":hello");
  std::string large(5 << 20, 'x');
  ASSERT_TRUE(socket->send(large).ok());
  while (guest.messages.size() < 2) loop->run_once(Duration::forever());
  EXPECT_EQ(guest.messages.back(), ":" + large);
}

TEST_F(WebSocketClientTest, ShowsItsCertificate) {
  Identity ann("ann");
  HttpOptions options = in_tls();
  options.tls.client_ca_file = ann.certificate_file();
  options.tls.client_required = true;
  open(options);
  WebSocketDial shown = dial();
  shown.tls.certificate_file = ann.certificate_file();
  shown.tls.key_file = ann.key_file();
  auto socket = connect(shown);
  ASSERT_TRUE(socket->send("hello").ok());
  EXPECT_EQ(hear(), "ann:hello");
  guest = {};
  auto stranger = connect(dial());
  EXPECT_NE(hear().find("UNAUTHENTICATED: it wants a certificate"), std::string::npos) << hear();
}

TEST_F(WebSocketClientTest, TrustsOnlyWhomItIsToldTo) {
  Identity other("other");
  open(in_tls());
  WebSocketDial wrong = dial();
  wrong.tls.ca_file = other.certificate_file();
  auto socket = connect(wrong);
  EXPECT_NE(hear().find("FAILED_PRECONDITION: its certificate is not trusted"), std::string::npos)
      << hear();
  guest = {};
  WebSocketDial by_name = dial();
  by_name.url.host = "localhost";  // it is one for 127.0.0.1
  socket = connect(by_name);
  EXPECT_NE(hear().find("hostname mismatch"), std::string::npos) << hear();
  guest = {};
  WebSocketDial nowhere = dial();
  nowhere.tls.ca_file = "/nowhere.pem";
  socket = connect(nowhere);
  EXPECT_NE(hear().find("/nowhere.pem"), std::string::npos) << hear();
}

TEST_F(WebSocketClientTest, PlainTextToTlsIsExplained) {
  open(in_tls());
  WebSocketDial plain = dial();
  plain.url.tls = false;
  auto socket = connect(plain);
  EXPECT_NE(hear().find("https:// is meant"), std::string::npos) << hear();
}

TEST_F(WebSocketClientTest, TellsWhyTheServerHungUp) {
  open(in_tls());
  auto socket = connect(dial());
  ASSERT_TRUE(socket->send("go").ok());
  EXPECT_NE(hear().find("1001 closing time"), std::string::npos) << hear();
  EXPECT_EQ(socket->send("too late").error().code, Code::unavailable);
}

TEST_F(WebSocketClientTest, AServerThatIsSilentIsGivenUp) {
  open(in_tls());
  WebSocketDial options = dial();
  options.silence_patience = Duration::milliseconds(40);
  auto socket = connect(options);
  ASSERT_TRUE(socket->send("hello").ok());
  EXPECT_EQ(hear(), ":hello");
  server_loop->stop();
  thread.join();
  while (!guest.error) loop->run_once(Duration::forever());
  EXPECT_NE(hear().find("nothing came"), std::string::npos) << hear();
}

TEST_F(WebSocketClientTest, OnlyOwnProtocolIsSpoken) {
  open(in_tls());
  WebSocketDial options = dial();
  options.protocol = "porter.v2";
  auto socket = connect(options);
  EXPECT_NE(hear().find("does not speak porter.v2"), std::string::npos) << hear();
}

TEST_F(WebSocketClientTest, WhatWaitsForTheServerIsBounded) {
  open(in_tls());
  WebSocketDial options = dial();
  options.output_bytes_max = 1000;
  auto socket = connect(options);
  EXPECT_TRUE(socket->send(std::string(900, 'x')).ok());
  Status more = socket->send(std::string(900, 'x'));
  ASSERT_FALSE(more.ok());
  EXPECT_NE(more.error().message.find("output_bytes_max"), std::string::npos);
}

}  // namespace
}  // namespace pawl
