// The listener over real sockets: limits, deadlines, packed bodies, TLS, WebSockets.
#include "pawl/adapter/http/http_listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "pawl/adapter/http/gzip.h"
#include "pawl/adapter/http/test_identity.h"
#include "pawl/adapter/http/web_socket.h"
#include "pawl/adapter/linux_loop/linux_clock.h"

namespace pawl {
namespace {

constexpr size_t large_bytes = 64 << 10;
constexpr size_t huge_bytes = 64 << 20;

// The machine's clock, and as far ahead of it as a test wants.
class JumpingClock final : public Clock {
 public:
  Instant monotonic() override { return machine_.monotonic() + Duration{ahead_.load()}; }
  WallTime wall() override { return machine_.wall(); }
  void jump(Duration by) { ahead_ += by.ns; }

 private:
  LinuxClock machine_;
  std::atomic<int64_t> ahead_{0};
};

class TurnCount final : public Actor {
 public:
  bool turn() override {
    ++turns;
    return false;
  }
  Instant deadline() const override { return Instant::never(); }
  std::atomic<uint64_t> turns{0};
};

// Says back what it has heard; "/wait" is never answered, "/large", "/huge", "/stream" and "/socket"
// are what they say.
class Echo final : public HttpHandler {
 public:
  std::optional<HttpResponse> admit(ExchangeId, const HttpRequest& head, bool) override {
    if (head.path() != "/closed") return {};
    return problem(401, Code::unauthenticated, "not here");
  }
  void heard(ExchangeId id, HttpRequest request) override {
    last = id;
    ++requests;
    if (request.path() == "/wait") return;
    if (request.path() == "/stream") {
      HttpResponse head;
      head.content_type = "text/plain";
      listener->start_stream(id, head);
      listener->write(id, "first");
      listener->write(id, "second");
      return listener->end(id);
    }
    HttpResponse response;
    if (request.path() == "/socket") {
      Status upgraded = listener->upgrade(id, request, "echo");
      if (upgraded.ok()) return;
      response = problem(426, upgraded.error().code, upgraded.error().message);
    } else if (request.path() == "/large" || request.path() == "/huge") {
      response.body.assign(request.path() == "/large" ? large_bytes : huge_bytes, 'x');
    } else {
      response.body = request.certificate.empty() ? request.body : request.certificate;
    }
    listener->respond(id, std::move(response));
  }
  void message(ExchangeId id, std::string_view text) override {
    if (text == "flood") {
      // More than the kernel keeps for a peer that does not read.
      for (int i = 0; i < 1024; ++i) listener->send(id, std::string(64 << 10, 'x'));
      flooded = true;
    } else if (text == "fill") {
      while (listener->waiting(id) == 0) listener->send(id, std::string(large_bytes, 'x'));
      filled = true;
    } else if (text == "pause") {
      paused = true;
      while (paused) std::this_thread::yield();
    } else {
      listener->send(id, "you said " + std::string(text));
    }
  }
  void drained(ExchangeId id) override { listener->send(id, "drained"); }
  void gone(ExchangeId id) override { left = id; }

  HttpListener* listener = nullptr;
  std::atomic<ExchangeId> last{0};
  std::atomic<ExchangeId> left{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<bool> flooded{false};
  std::atomic<bool> filled{false};
  std::atomic<bool> paused{false};
};

class Peer {
 public:
  // `room`: bytes that the kernel keeps until they are read; 0: as it likes.
  explicit Peer(uint16_t port, int room = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (room > 0) (void)setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Peer() { close(fd_); }
  int fd() const { return fd_; }
  void write(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
  }
  std::string read_until(const std::string& end) {
    while (in.find(end) == std::string::npos && fill()) {
    }
    return in;
  }
  std::string read_all() {
    while (fill()) {
    }
    return in;
  }
  // At least so many bytes of what comes, unless it ends before.
  void read_bytes(size_t more) {
    for (size_t whole = in.size() + more; in.size() < whole && fill();) {
    }
  }
  void read_what_is_there() {
    while (fill(MSG_DONTWAIT)) {
    }
  }
  // As many of these as the other side takes.
  void write_many(const std::string& text, size_t times) {
    for (size_t i = 0; i < times; ++i) {
      if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != ssize_t(text.size())) return;
    }
  }
  bool fill(int flags = 0) {
    char buffer[65536];
    ssize_t size = recv(fd_, buffer, sizeof buffer, flags);
    if (size > 0) in.append(buffer, static_cast<size_t>(size));
    return size > 0;
  }
  std::string in;

 private:
  int fd_;
};

class HttpListenerTest : public testing::Test {
 protected:
  ~HttpListenerTest() override {
    if (thread.joinable()) {
      loop->stop();
      thread.join();
    }
  }
  void open(HttpOptions options = {}) {
    auto opened = HttpListener::open(std::move(options), *loop, clock, echo);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    listener = std::move(*opened);
    echo.listener = listener.get();
    loop->add(turns);
    thread = std::thread([this] { loop->run(); });
  }
  std::string ask(std::string_view text, const std::string& until) {
    Peer peer(listener->port());
    peer.write(text);
    return peer.read_until(until);
  }
  std::string ask_all(std::string_view text) {
    Peer peer(listener->port());
    peer.write(text);
    return peer.read_all();
  }

  // What the listener does about the time that has passed has been done, and about all that was sent.
  void pass(Duration time) {
    clock.jump(time);
    for (uint64_t until = turns.turns + 3; turns.turns < until; std::this_thread::yield())
      loop->wake();
  }

  JumpingClock clock;
  std::unique_ptr<LinuxLoop> loop = LinuxLoop::create(clock).value();
  TurnCount turns;
  Echo echo;
  std::unique_ptr<HttpListener> listener;
  std::thread thread;
};

std::string post(const std::string& body, const std::string& fields = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A frame as a client sends it: masked.
std::string frame(uint8_t opcode, const std::string& text) {
  std::string bytes{static_cast<char>(0x80 | opcode)};
  EXPECT_LT(text.size(), 126u);
  bytes += static_cast<char>(0x80 | text.size());
  const char mask[] = {1, 2, 3, 4};
  bytes.append(mask, 4);
  for (size_t i = 0; i < text.size(); ++i) bytes += static_cast<char>(text[i] ^ mask[i % 4]);
  return bytes;
}

const char* const handshake =
    "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

TEST_F(HttpListenerTest, BodiesArriveWholeHoweverTheyCome) {
  open();
  std::string body(300'000, 'b');
  EXPECT_NE(ask(post(body), body).find("200 OK"), std::string::npos);
  std::string chunked =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  EXPECT_NE(ask(chunked, "abcde").find("Content-Length: 5"), std::string::npos);
  Peer slow(listener->port());
  for (char c : post("one byte at a time")) slow.write({&c, 1});
  EXPECT_NE(slow.read_until("one byte at a time").find("200 OK"), std::string::npos);
}

TEST_F(HttpListenerTest, OfWhoIsNotAdmittedNoBodyIsRead) {
  open();
  std::string told = ask_all(
      "POST /closed HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(told.starts_with("HTTP/1.1 401")) << told;
  EXPECT_NE(told.find("Connection: close"), std::string::npos) << told;
  Peer peer(listener->port());
  peer.write("GET /closed HTTP/1.1\r\nHost: x\r\n\r\n" + post("the next"));
  EXPECT_NE(peer.read_until("\r\n\r\nthe next").find("401"), std::string::npos);
  EXPECT_EQ(echo.requests, 1u);
}

TEST_F(HttpListenerTest, WhoLeavesWithinABodyIsGone) {
  open();
  {
    Peer peer(listener->port());
    peer.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    pass({});
  }
  while (echo.left == 0) std::this_thread::yield();
  EXPECT_EQ(echo.requests, 0u);
}

TEST_F(HttpListenerTest, OldClientsAndExpectantOnesAreServed) {
  open();
  EXPECT_NE(ask_all("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi").find("Connection: close"),
            std::string::npos);
  Peer expects(listener->port());
  expects.write("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  expects.read_until("100 Continue\r\n\r\n");
  expects.write("go");
  EXPECT_NE(expects.read_until("\r\n\r\ngo").find("200 OK"), std::string::npos);
}

TEST_F(HttpListenerTest, PackedBodiesBothWays) {
  open();
  std::string text(100'000, 'z');
  Peer peer(listener->port());
  peer.write(post(gzip(text), "Content-Encoding: gzip\r\nAccept-Encoding: br, gzip\r\n"));
  std::string head = peer.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Encoding: gzip"), std::string::npos) << head;
  size_t size = std::stoul(head.substr(head.find("Content-Length: ") + 16));
  EXPECT_LT(size, 1000u);
  size_t begin = head.find("\r\n\r\n") + 4;
  while (peer.in.size() < begin + size && peer.fill()) {
  }
  Result<std::string> unpacked = gunzip(peer.in.substr(begin, size), 1 << 20);
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
  EXPECT_EQ(*unpacked, text);
  EXPECT_NE(ask(post("small", "Accept-Encoding: gzip;q=0\r\n"), "small").find("200"),
            std::string::npos);
}

TEST_F(HttpListenerTest, ABombIsRefused) {
  HttpOptions options;
  options.body_bytes_max = 1 << 20;
  open(options);
  std::string bomb = gzip(std::string(64 << 20, '\0'));
  std::string told = ask_all(post(bomb, "Content-Encoding: gzip\r\n"));
  EXPECT_NE(told.find("413"), std::string::npos) << told;
  EXPECT_NE(told.find("body_bytes_max"), std::string::npos);
  told = ask_all(post("no gzip at all", "Content-Encoding: gzip\r\n"));
  EXPECT_NE(told.find("400"), std::string::npos) << told;
}

TEST_F(HttpListenerTest, OnlyWhoAcceptsGzipGetsIt) {
  open();
  std::string text(10'000, 'z');
  auto packed = [&](const std::string& accepts) {
    std::string told = ask(post(text, "Accept-Encoding: " + accepts + "\r\n"), "\r\n\r\n");
    return told.find("Content-Encoding: gzip") != std::string::npos;
  };
  for (const char* yes : {"gzip", "br, gzip", "GZIP;q=0.5", "gzip;q=0.001, br", "gzip ; q=1"})
    EXPECT_TRUE(packed(yes)) << yes;
  for (const char* no : {"br", "gzip;q=0", "gzip;q=0, identity", "gzip;q=0.000,br", "gzip; q=0.0",
                         "xgzip", "gzip-2"})
    EXPECT_FALSE(packed(no)) << no;
}

TEST(Gzip, WhatIsCutOffOrFollowedByMoreIsRefused) {
  std::string packed = gzip("some text");
  EXPECT_EQ(gunzip(packed, 9).value(), "some text");
  EXPECT_EQ(gunzip(packed, 8).error().code, Code::resource_exhausted);
  EXPECT_EQ(gunzip(packed.substr(0, packed.size() - 1), 99).error().code, Code::invalid_argument);
  EXPECT_EQ(gunzip(packed + "x", 99).error().code, Code::invalid_argument);
  EXPECT_EQ(gunzip("", 99).error().code, Code::invalid_argument);
}

TEST_F(HttpListenerTest, SlowClientsAreGivenUpAndToldWhy) {
  HttpOptions options;
  options.head_patience = Duration::milliseconds(300);
  options.body_patience = Duration::milliseconds(300);
  options.idle_patience = Duration::milliseconds(300);
  open(options);
  EXPECT_NE(ask_all("GET / HTTP/1.1\r\nHos").find("head_patience"), std::string::npos);
  EXPECT_NE(
      ask_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").find("body_patience"),
      std::string::npos);
  EXPECT_EQ(ask_all(""), "");
  EXPECT_NE(ask_all(post("idle afterwards")).find("200 OK"), std::string::npos);
}

TEST_F(HttpListenerTest, TheHeadOfEachRequestMustComeInItsTime) {
  open();
  Peer peer(listener->port());
  peer.write(post("first"));
  peer.read_until("\r\n\r\nfirst");
  pass(Duration::seconds(60));
  peer.write("GET / HTTP/1.1\r\n");
  pass({});
  pass(Duration::seconds(9));
  peer.write("X: y\r\n");
  pass(Duration::seconds(2));
  peer.write("Host: x\r\n\r\n");
  EXPECT_NE(peer.read_until("_patience").find("408"), std::string::npos) << peer.in;
  EXPECT_NE(peer.in.find("head_patience"), std::string::npos);
}

TEST_F(HttpListenerTest, AnAnswerThatIsReadSteadilyComesWhole) {
  open();
  Peer peer(listener->port(), 256 << 10);
  peer.write("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    peer.read_bytes(6 << 20);  // more than the kernel keeps
    pass(Duration::seconds(20));
  }
  peer.read_bytes(huge_bytes - peer.in.size());
  EXPECT_GE(peer.in.size(), huge_bytes);
  peer.in.clear();
  pass(Duration::seconds(30));  // idle_patience begins with the last byte written
  peer.write(post("still here"));
  EXPECT_NE(peer.read_until("\r\n\r\nstill here").find("200 OK"), std::string::npos);
}

TEST_F(HttpListenerTest, AnAnswerThatNobodyReadsIsGivenUp) {
  open();
  Peer peer(listener->port());
  peer.write("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.read_bytes(1);
  pass(Duration::seconds(30));
  pass(Duration::seconds(61));
  EXPECT_LT(peer.read_all().size(), huge_bytes);
}

TEST_F(HttpListenerTest, RequestsWhoseAnswersNobodyReadsWait) {
  open();
  constexpr size_t asked = 1000;
  Peer peer(listener->port());
  std::string requests;
  for (size_t i = 0; i < asked; ++i) requests += "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
  peer.write(requests);
  while (echo.requests == 0) std::this_thread::yield();
  pass({});
  EXPECT_LT(echo.requests, asked / 2) << "what the kernel has taken is not held here";
  peer.read_bytes(asked * large_bytes);
  while (echo.requests < asked) std::this_thread::yield();
  peer.write(post("and the next"));
  peer.read_until("\r\n\r\nand the next");
}

TEST_F(HttpListenerTest, SoManyConnectionsAndNoMore) {
  HttpOptions options;
  options.connections_max = 1;
  open(options);
  Peer first(listener->port());
  first.write(post("in"));
  first.read_until("\r\n\r\nin");
  Peer second(listener->port());
  std::string told = second.read_all();
  EXPECT_NE(told.find("503"), std::string::npos);
  EXPECT_NE(told.find("connections_max"), std::string::npos);
  EXPECT_NE(told.find("Retry-After"), std::string::npos);
}

TEST_F(HttpListenerTest, WhoeverLeavesIsNoticed) {
  open();
  {
    Peer peer(listener->port());
    peer.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    while (echo.last == 0) std::this_thread::yield();
  }
  while (echo.left == 0) std::this_thread::yield();
  EXPECT_EQ(echo.left, echo.last);
}

TEST_F(HttpListenerTest, StreamsArePieces) {
  open();
  std::string told = ask("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n");
  EXPECT_NE(told.find("5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"), std::string::npos) << told;
}

TEST_F(HttpListenerTest, WebSocketsTalkAndSayGoodbye) {
  open();
  Peer peer(listener->port());
  peer.write(std::string(handshake) + frame(1, "early"));
  std::string head = peer.read_until("you said early");
  EXPECT_NE(head.find("101 Switching Protocols"), std::string::npos);
  EXPECT_NE(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);  // the example of RFC 6455
  peer.write(frame(9, "beat"));
  peer.read_until(std::string("\x8a\x04") + "beat");
  peer.write(frame(8, "\x03\xe8"));
  EXPECT_TRUE(peer.read_all().ends_with("\x88\x02\x03\xe8"));
  while (echo.left == 0) std::this_thread::yield();
  EXPECT_NE(ask("GET /socket HTTP/1.1\r\nHost: x\r\n\r\n", "}}").find("426"), std::string::npos);
}

TEST_F(HttpListenerTest, AWebSocketThatBreaksTheProtocolIsClosed) {
  open();
  struct Case {
    std::string bytes;
    std::string close;
  };
  std::string unmasked{"\x81\x02hi"};
  for (const Case& one : {Case{unmasked, "\x03\xea"}, Case{frame(2, "binary"), "\x03\xeb"},
                          Case{frame(1, "\xff\xfe"), "\x03\xef"}}) {
    Peer peer(listener->port());
    peer.write(std::string(handshake));
    peer.read_until("\r\n\r\n");
    peer.write(one.bytes);
    peer.read_until(one.close);
    EXPECT_NE(peer.in.find(one.close), std::string::npos);
  }
}

TEST_F(HttpListenerTest, AWebSocketThatDoesNotReadIsClosed) {
  HttpOptions options;
  options.output_bytes_max = 1 << 20;
  open(options);
  Peer peer(listener->port());
  peer.write(std::string(handshake));
  peer.write(frame(1, "flood"));
  while (!echo.flooded) std::this_thread::yield();
  EXPECT_NE(peer.read_all().find("output_bytes_max"), std::string::npos);
  while (echo.left == 0) std::this_thread::yield();
}

TEST_F(HttpListenerTest, WhatHasDrainedIsToldHoweverItDrains) {
  open();
  Peer peer(listener->port());
  peer.write(handshake);
  peer.read_until("\r\n\r\n");
  peer.write(frame(1, "fill"));
  while (!echo.filled) std::this_thread::yield();
  peer.write(frame(1, "pause"));
  while (!echo.paused) std::this_thread::yield();
  peer.read_what_is_there();  // the rest is sent when the listener hears on
  echo.paused = false;
  peer.in.clear();
  EXPECT_NE(peer.read_until("drained").find("drained"), std::string::npos) << peer.in.size();
}

TEST_F(HttpListenerTest, AWebSocketThatReadsNoPongsIsClosed) {
  HttpOptions options;
  options.output_bytes_max = 1 << 20;
  open(options);
  Peer peer(listener->port());
  peer.write(handshake);
  peer.write_many(frame(9, std::string(125, 'p')), 200'000);
  peer.write_many(frame(8, "\x03\xe8"), 1);
  EXPECT_NE(peer.read_all().find("output_bytes_max"), std::string::npos);
  while (echo.left == 0) std::this_thread::yield();
}

TEST(HttpListenerAddress, IsCheckedInWords) {
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  Echo echo;
  for (const char* listen : {"8080", "nonsense:port", "127.0.0.1", ":1"}) {
    HttpOptions options;
    options.listen = listen;
    auto opened = HttpListener::open(options, *loop, clock, echo);
    ASSERT_FALSE(opened.ok()) << listen;
    EXPECT_EQ(opened.error().code, Code::invalid_argument) << opened.error().message;
  }
  auto first = HttpListener::open({}, *loop, clock, echo).value();
  HttpOptions taken;
  taken.listen = "127.0.0.1:" + std::to_string(first->port());
  EXPECT_EQ(HttpListener::open(taken, *loop, clock, echo).error().code, Code::unavailable);
}

// What the server answers to a client with this certificate, or none.
std::string ask_in_tls(uint16_t port, const Identity* client) {
  Peer peer(port);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (client != nullptr) {
    SSL_CTX_use_certificate_file(context, client->certificate_file().c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, client->key_file().c_str(), SSL_FILETYPE_PEM);
  }
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, peer.fd());
  std::string told;
  if (SSL_connect(ssl) == 1) {
    std::string text = post("plain inside");
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
    char buffer[4096];
    int size = SSL_read(ssl, buffer, sizeof buffer);
    if (size > 0) told.assign(buffer, static_cast<size_t>(size));
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  return told;
}

std::string name_of_server(uint16_t port) {
  Peer peer(port);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, peer.fd());
  std::string told;
  if (SSL_connect(ssl) == 1) {
    X509* shown = SSL_get1_peer_certificate(ssl);
    char text[64];
    int size =
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
    told.assign(text, static_cast<size_t>(std::max(size, 0)));
    X509_free(shown);
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  return told;
}

TEST(HttpDate, IsAsInTheStandard) {
  EXPECT_EQ(http_date(WallTime{784'111'777ll * 1'000'000'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_F(HttpListenerTest, TlsKnowsTheClientByItsCertificate) {
  Identity server("server"), client("worker-7"), stranger("stranger");
  HttpOptions options;
  options.tls_on = true;
  options.tls = {server.certificate_file(), server.key_file(), client.certificate_file(), false};
  open(options);
  EXPECT_NE(ask_in_tls(listener->port(), nullptr).find("plain inside"), std::string::npos);
  EXPECT_NE(ask_in_tls(listener->port(), &client).find("worker-7"), std::string::npos);
  EXPECT_EQ(ask_in_tls(listener->port(), &stranger), "");
  EXPECT_EQ(ask_all(post("no TLS")).find("no TLS"), std::string::npos);
}

TEST_F(HttpListenerTest, ReplacedCertificatesServeNewConnections) {
  Identity old_one("old"), new_one("new");
  HttpOptions options;
  options.tls_on = true;
  options.tls = {old_one.certificate_file(), old_one.key_file(), "", false};
  open(options);
  EXPECT_EQ(name_of_server(listener->port()), "old");
  ASSERT_EQ(rename(new_one.key_file().c_str(), old_one.key_file().c_str()), 0);
  EXPECT_EQ(name_of_server(listener->port()), "old");  // half of it cannot be used
  ASSERT_EQ(rename(new_one.certificate_file().c_str(), old_one.certificate_file().c_str()), 0);
  while (name_of_server(listener->port()) != "new") std::this_thread::yield();
}

TEST(HttpListenerTls, FilesThatCannotBeUsedAreNamed) {
  LinuxClock clock;
  auto loop = LinuxLoop::create(clock).value();
  Echo echo;
  Identity one("one"), other("other");
  HttpOptions options;
  options.tls_on = true;
  options.tls = {one.certificate_file(), other.key_file(), "", false};
  auto opened = HttpListener::open(options, *loop, clock, echo);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find(other.key_file()), std::string::npos);
  options.tls = {"/nowhere.pem", one.key_file(), "", false};
  EXPECT_NE(HttpListener::open(options, *loop, clock, echo).error().message.find("/nowhere.pem"),
            std::string::npos);
}

}  // namespace
}  // namespace pawl
