// The doors before a real gateway and engine, spoken to over real sockets.
#include "pawl/api/http/http_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "pawl/api/http/routes.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

// Knows one token, until it is revoked; what is shown without one is nobody.
class OneToken final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials& shown) const override {
    if (shown.bearer == "secret" && !revoked) return Caller{"tester"};
    return Error{Code::unauthenticated, "show a token: Authorization: Bearer ..."};
  }
  std::atomic<bool> revoked{false};
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

// A client that speaks as it is told to, and waits on its own thread while the house runs.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { close(fd_); }
  void write(const std::string& text) {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
  }
  // Until `end` has come, or the other side has hung up.
  std::string read_until(const std::string& end) {
    while (in_.find(end) == std::string::npos && fill()) {
    }
    size_t at = in_.find(end);
    size_t size = at == std::string::npos ? in_.size() : at + end.size();
    std::string text = in_.substr(0, size);
    in_.erase(0, size);
    return text;
  }
  Answer read_answer() {
    Answer answer;
    answer.head = read_until("\r\n\r\n");
    if (answer.head.size() > 12) answer.status = std::stoi(answer.head.substr(9, 3));
    size_t at = answer.head.find("Content-Length: ");
    size_t size = at == std::string::npos ? 0 : std::stoul(answer.head.substr(at + 16));
    while (in_.size() < size && fill()) {
    }
    answer.body = in_.substr(0, size);
    in_.erase(0, size);
    return answer;
  }
  bool hung_up() { return !fill(); }

 private:
  bool fill() {
    char buffer[65536];
    ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
    if (size > 0) in_.append(buffer, static_cast<size_t>(size));
    return size > 0;
  }
  int fd_;
  std::string in_;
};

std::string request(const std::string& line, const std::string& body = "",
                    const std::string& fields = "") {
  std::string text = line + " HTTP/1.1\r\nHost: pawl\r\nAuthorization: Bearer secret\r\n" + fields;
  if (!body.empty())
    text +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

std::string submission(const std::string& more = "") {
  return R"({"definition":)" + json_quote(one_node) + more + "}";
}

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    auto started = HttpServer::start(std::move(options), *house.gateway, house.loop, token);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
  }
  // Runs the house while `work` speaks to it from another thread.
  template <class Work>
  void speak(Work work) {
    std::atomic<bool> done{false};
    std::thread client([&] {
      work();
      done = true;
      house.loop.wake();
    });
    while (!done) house.loop.run_once(Duration::milliseconds(100));
    client.join();
  }
  Answer ask(const std::string& text) {
    Answer answer;
    speak([&] {
      RawClient client(server->port());
      client.write(text);
      answer = client.read_answer();
    });
    return answer;
  }

  House house;
  OneToken token;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, SubmitsWaitsAndShows) {
  start();
  Answer made = ask(request("POST /v1/executions", submission()));
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, R"({"execution":"e1"})");
  EXPECT_NE(made.head.find("Location: /v1/executions/e1\r\n"), std::string::npos);
  Answer shown = ask(request("GET /v1/executions/e1?wait=30s"));
  EXPECT_EQ(shown.status, 200);
  EXPECT_NE(shown.body.find(R"("status":"succeeded")"), std::string::npos) << shown.body;
  Answer output = ask(request("GET /v1/executions/e1/output"));
  EXPECT_EQ(output.body, R"({"work":"done"})");
}

TEST_F(HttpServerTest, SubmitAndWaitIsOneRequest) {
  start();
  Answer ran = ask(request("POST /v1/executions?wait=30s", submission()));
  EXPECT_EQ(ran.status, 200) << ran.body;
  EXPECT_NE(ran.body.find(R"("output":{"json":{"work":"done"}})"), std::string::npos) << ran.body;
  house.executor.holding = true;
  Answer slow = ask(request("POST /v1/executions", submission(), "Prefer: wait=0.05s\r\n"));
  EXPECT_EQ(slow.status, 202) << slow.body;
  EXPECT_NE(slow.body.find(R"("status":"running")"), std::string::npos);
}

TEST_F(HttpServerTest, ARegisteredWorkflowIsStartedByItsName) {
  start();
  Answer unknown = ask(request("POST /v1/executions", R"({"workflow":"one"})"));
  EXPECT_EQ(unknown.status, 404) << unknown.body;
  Answer made = ask(request("PUT /v1/workflows", submission()));
  EXPECT_EQ(made.body, R"({"id":1,"name":"one","version":""})");
  Answer ran = ask(request("POST /v1/executions?wait=30s", R"({"workflow":"one"})"));
  EXPECT_EQ(ran.status, 200) << ran.body;
  EXPECT_EQ(ask(request("GET /v1/workflows/one")).status, 200);
  EXPECT_NE(ask(request("GET /v1/workflows")).body.find(R"("name":"one")"), std::string::npos);
}

TEST_F(HttpServerTest, AWorkflowIsRunForItsOutput) {
  start();
  ask(request("PUT /v1/workflows", submission()));
  Answer ran = ask(request("POST /v1/workflows/one/run", R"({"n":1})"));
  EXPECT_EQ(ran.status, 200) << ran.body;
  EXPECT_EQ(ran.body, R"({"work":"done"})");
  EXPECT_NE(ran.head.find("Location: /v1/executions/e1\r\n"), std::string::npos);
  EXPECT_NE(ask(request("GET /v1/executions/e1")).body.find(R"("input":{"json":{"n":1}})"),
            std::string::npos);
  std::string monday =
      request("POST /v1/workflows/one/run", R"({"n":2})", "Idempotency-Key: monday\r\n");
  EXPECT_NE(ask(monday).head.find("e2"), std::string::npos);
  EXPECT_NE(ask(monday).head.find("e2"), std::string::npos) << "one effect";
  EXPECT_EQ(ask(request("POST /v1/workflows/other/run", "{}")).status, 404);
  EXPECT_EQ(ask(request("POST /v1/workflows/one/run", "7")).status, 400);
  EXPECT_EQ(ask(request("POST /v1/workflows/one/run", R"({"a":1}x)")).status, 400);
  house.executor.holding = true;
  Answer slow = ask(request("POST /v1/workflows/one/run?wait=50ms"));
  EXPECT_EQ(slow.status, 202) << slow.body;
  EXPECT_NE(slow.head.find("Location: /v1/executions/e3\r\n"), std::string::npos);
  EXPECT_NE(slow.body.find(R"("status":"running")"), std::string::npos);
  ask(request("POST /v1/executions/e3/cancel"));
  EXPECT_EQ(ask(request("GET /v1/executions/e3/output?wait=30s")).status, 409);
}

TEST_F(HttpServerTest, BrowsersShowTheirTokenInTheQueryOfStreams) {
  start();
  ask(request("POST /v1/executions?wait=30s", submission()));
  std::string host = " HTTP/1.1\r\nHost: pawl\r\n";
  std::string place = "/v1/executions/e1/events?after=999999-0";
  EXPECT_EQ(ask("GET " + place + host + "\r\n").status, 401);
  EXPECT_EQ(ask("GET " + place + "&access_token=secre%74" + host + "\r\n").status, 204);
  Answer head = ask("HEAD " + place + host + "Connection: close\r\n\r\n");
  EXPECT_EQ(head.status, 405);
  EXPECT_NE(head.head.find("Allow: OPTIONS, GET\r\n"), std::string::npos) << head.head;
  EXPECT_EQ(ask("GET /v1/overview?access_token=secret" + host + "\r\n").status, 400);
  std::string socket = "GET /v1/ws?access_token=secret" + host +
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(ask(socket + "Origin: https://elsewhere\r\n\r\n").status, 403);
  EXPECT_EQ(ask(socket + "Origin: https://pawl\r\n\r\n").status, 101);
}

TEST_F(HttpServerTest, ARequestIdHasOneEffect) {
  start();
  std::string again = request("POST /v1/executions", submission(), "Idempotency-Key: monday\r\n");
  EXPECT_EQ(ask(again).body, R"({"execution":"e1"})");
  EXPECT_EQ(ask(again).body, R"({"execution":"e1"})");
  Answer other = ask(request("POST /v1/executions", submission(R"(,"labels":{"a":1})"),
                             "Idempotency-Key: monday\r\n"));
  EXPECT_EQ(other.status, 409) << other.body;
}

TEST_F(HttpServerTest, ABatchOfWhichNothingWasStartedIsAnError) {
  start();
  auto batch = [&](const std::string& inputs) {
    return ask(request("POST /v1/execution-batches", submission(",\"inputs\":" + inputs),
                       "Idempotency-Key: monday\r\n"));
  };
  EXPECT_EQ(batch(R"([{"n":1},{"n":2}])").status, 201);
  Answer some = batch(R"([{"n":1},{"n":3}])");
  EXPECT_EQ(some.status, 201) << some.body;
  Answer none = batch(R"([{"n":4},{"n":5}])");
  EXPECT_EQ(none.status, 409) << none.body;
  EXPECT_NE(none.body.find(R"("code":"ALREADY_EXISTS")"), std::string::npos) << none.body;
  EXPECT_EQ(batch("[]").status, 201);
}

TEST_F(HttpServerTest, WrongRequestsAreToldWhatIsWrong) {
  start();
  struct Case {
    std::string text;
    int status;
    std::string says;
  };
  std::vector<Case> cases = {
      {request("GET /v1/execution"), 404, "/v1/executions"},
      {request("PATCH /v1/executions"), 405, "OPTIONS, POST, GET, HEAD"},
      {request("GET /v1/executions?limt=3"), 400, "did you mean \\\"limit\\\""},
      {request("GET /v1/executions?limit=abc"), 400, "whole number"},
      {request("GET /v1/executions?limit=4294967295"), 400, "list_entries_max"},
      {request("GET /v1/executions/e9/progress"), 404, "no execution e9"},
      {request("GET /v1/executions/e9/why?item=3"), 400, "an item needs its node"},
      {request("GET /v1/executions/x"), 400, "like \\\"e17\\\""},
      {request("GET /v1/executions/e9"), 404, "no execution e9"},
      {request("GET /v1/executions/e1?wait=9h"), 400, "wait_max"},
      {request("POST /v1/executions", R"({"definitio":"x"})"), 400, "did you mean"},
      {request("POST /v1/executions", R"({"x")"), 400, "byte"},
      {request("POST /v1/executions", R"({"definition":"name: x\nnodes: {a: {runn: y}}"})"), 400,
       "definition:2:13: error: unknown key"},
      {request("POST /v1/executions", "[]"), 400, "must be a JSON object"},
      {request("GET /v1/overview", "{}"), 400, "takes no body"},
      {"GET /v1/overview HTTP/1.1\r\nHost: x\r\n\r\n", 401, "Bearer"},
      {"GET /v1/overview HTTP/1.1\r\n\r\n", 400, "Host"},
      {"GET /v1/overview HTTP/3.7\r\nHost: x\r\n\r\n", 505, "HTTP/1.1"},
      {"nonsense\r\n\r\n", 400, "no HTTP request"},
      {request("POST /v1/executions", "", "Content-Length: 99999999999\r\n"), 413,
       "body_bytes_max"},
      {request("POST /v1/executions", "x", "Content-Encoding: br\r\n"), 415, "gzip"},
      {"POST /v1/executions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 401, "Bearer"},
      {request("GET /v1/overview", "", "X: " + std::string(20'000, 'x') + "\r\n"), 431,
       "head_bytes_max"},
  };
  for (const Case& one : cases) {
    Answer answer = ask(one.text);
    EXPECT_EQ(answer.status, one.status) << one.text.substr(0, 200) << answer.body;
    EXPECT_NE((answer.head + answer.body).find(one.says), std::string::npos)
        << one.text.substr(0, 200) << answer.head << answer.body;
  }
}

// Each sends a head alone: a server that waited for the body would give up with 408.
TEST_F(HttpServerTest, OfNobodyNoBodyIsRead) {
  HttpServerOptions options;
  options.http.body_patience = Duration::milliseconds(300);
  start(options);
  std::string follows = " HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n";
  std::string known = "Authorization: Bearer secret\r\n";
  for (const auto& [line, fields, status] : std::vector<std::tuple<std::string, std::string, int>>{
           {"POST /v1/executions", "", 401},
           {"POST /v1/executions", "Origin: http://evil.example\r\n" + known, 403},
           {"POST /v1/nothing", known, 404},
           {"POST /v1/overview", known, 405},
           {"GET /livez", "", 400},
           {"GET /v1/openapi.json", known, 400},
           {"POST /v1/executions", known, 408}}) {
    Answer answer = ask(line + follows + fields + "\r\n");
    EXPECT_EQ(answer.status, status) << line << fields << answer.body;
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << line;
  }
}

// Nothing is run that differs from what was sent.
TEST_F(HttpServerTest, WhatIsNotUtf8IsRefusedNotChanged) {
  start();
  std::string latin = "name: one\nnodes:\n  work: {command: [echo, caf\xe9]}\n";
  auto sent = [&](const std::string& definition) {
    return ask(
        "PUT /v1/workflows HTTP/1.1\r\nHost: pawl\r\nAuthorization: Bearer secret\r\n"
        "Content-Type: application/yaml\r\nContent-Length: " +
        std::to_string(definition.size()) + "\r\n\r\n" + definition);
  };
  Answer refused = sent(latin);
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_NE(refused.body.find("not UTF-8, at byte " + std::to_string(latin.find('\xe9'))),
            std::string::npos)
      << refused.body;
  EXPECT_EQ(sent("name: one\nnodes:\n  work: {command: [echo, caf\u00e9]}\n").status, 200);
  Answer key = ask(request("POST /v1/executions", submission(), "Idempotency-Key: caf\xe9\r\n"));
  EXPECT_EQ(key.status, 400) << key.body;
  EXPECT_NE(key.body.find("request_id"), std::string::npos) << key.body;
  EXPECT_EQ(ask(request("GET /v1/workflows/caf%E9")).status, 400);
}

TEST_F(HttpServerTest, PagesOfOthersAreRefused) {
  start();
  auto from = [&](const std::string& line, const std::string& origin,
                  const std::string& more = "") {
    return ask(request(line, "", "Origin: " + origin + "\r\n" + more));
  };
  // Neither takes a content type that a browser would ask about first.
  EXPECT_EQ(from("POST /v1/executions", "http://evil.example").status, 403);
  EXPECT_EQ(from("POST /v1/executions/e1/cancel", "null").status, 403);
  std::string upgrade =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  Answer socket = from("GET /v1/ws", "http://evil.example", upgrade);
  EXPECT_EQ(socket.status, 403);
  EXPECT_NE(socket.body.find("http://evil.example"), std::string::npos) << socket.body;
  EXPECT_EQ(from("GET /v1/overview", "http://pawl").status, 200);
}

TEST_F(HttpServerTest, WhereNobodyProvesWhoHeIsOnlyNamesOfThisMachineAreAnswered) {
  start({.local_names_only = true});
  auto called = [&](const std::string& host, const std::string& path = "/v1/overview") {
    return ask("GET " + path + " HTTP/1.1\r\nAuthorization: Bearer secret\r\nHost: " + host +
               "\r\n\r\n")
        .status;
  };
  for (const char* mine :
       {"localhost", "localhost:8080", "127.0.0.1:8080", "127.0.0.1", "[::1]:80", "[::1]"})
    EXPECT_EQ(called(mine), 200) << mine;
  for (const char* other : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                            "localhost.evil.example:80", "10.0.0.1:8080", "", "["})
    EXPECT_EQ(called(other), 403) << other;
  EXPECT_EQ(called("evil.example", "/livez"), 200);
}

TEST_F(HttpServerTest, RequestsSentAheadAreAnsweredInOrder) {
  start();
  speak([&] {
    RawClient client(server->port());
    client.write(request("GET /v1/executions/e7") + request("GET /livez") +
                 request("POST /v1/executions", submission()) + request("GET /v1/nothing"));
    EXPECT_EQ(client.read_answer().status, 404);
    EXPECT_EQ(client.read_answer().body, R"({"live":true})");
    EXPECT_EQ(client.read_answer().status, 201);
    EXPECT_EQ(client.read_answer().status, 404);
  });
}

TEST_F(HttpServerTest, AClientThatLeavesWhileItWaitsIsForgotten) {
  start();
  house.executor.holding = true;
  ask(request("POST /v1/executions", submission()));
  {
    RawClient client(server->port());
    client.write(request("GET /v1/executions/e1?wait=60s"));
    while (house.gateway->open_calls() == 0) house.loop.run_once(Duration::milliseconds(10));
  }
  while (house.gateway->open_calls() > 0) house.loop.run_once(Duration::milliseconds(10));
}

TEST_F(HttpServerTest, EventsComeOnceAndGoOnWhereAClientLeftOff) {
  start();
  ask(request("POST /v1/executions?wait=30s", submission()));
  speak([&] {
    RawClient client(server->port());
    client.write(request("GET /v1/executions/e1/events"));
    std::string all = client.read_until("0\r\n\r\n");
    EXPECT_NE(all.find("text/event-stream"), std::string::npos);
    EXPECT_NE(all.find(R"("event":"execution_submitted")"), std::string::npos) << all;
    EXPECT_NE(all.find(R"("event":"execution_ended")"), std::string::npos) << all;
    size_t first = all.find("\nid: ") + 5;
    std::string place = all.substr(first, all.find('\n', first) - first);
    client.write(request("GET /v1/executions/e1/events", "", "Last-Event-ID: " + place + "\r\n"));
    std::string rest = client.read_until("0\r\n\r\n");
    EXPECT_EQ(rest.find(R"("event":"execution_submitted")"), std::string::npos) << rest;
    EXPECT_NE(rest.find(R"("event":"execution_ended")"), std::string::npos) << rest;
    client.write(request("GET /v1/executions/e1/events?after=999999-0"));
    EXPECT_EQ(client.read_answer().status, 204);
  });
}

TEST_F(HttpServerTest, EventsAreToldWhileItRuns) {
  start();
  house.executor.holding = true;
  ask(request("POST /v1/executions", submission()));
  RawClient client(server->port());
  client.write(request("GET /v1/executions/e1/events"));
  speak([&] { client.read_until("attempts_granted"); });
  house.executor.holding = false;
  house.executor.release();
  std::string rest;
  speak([&] { rest = client.read_until("0\r\n\r\n"); });
  EXPECT_NE(rest.find("execution_ended"), std::string::npos) << rest;
}

const char* const upgrade_fields =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// What is told of progress, word by word, as "1 2 3 ".
std::string words_in(const std::string& stream) {
  std::string numbers;
  constexpr std::string_view key = R"("message":"word )";
  for (size_t at = stream.find("\"words\":["); at != std::string::npos;
       at = stream.find("\"words\":[", at + 1)) {
    size_t end = stream.find(']', at);
    for (size_t word = stream.find(key, at); word < end; word = stream.find(key, word + 1)) {
      size_t begin = word + key.size();
      numbers += stream.substr(begin, stream.find('"', begin) - begin) + " ";
    }
  }
  return numbers;
}

std::string counted(int from, int to) {
  std::string numbers;
  for (int i = from; i <= to; ++i) numbers += std::to_string(i) + " ";
  return numbers;
}

// A task that runs and talks until it is released.
struct HttpWordsTest : HttpServerTest {
  void run_and_hold() {
    HttpServerOptions often;
    often.progress_every = Duration::milliseconds(5);
    start(often);
    house.executor.holding = true;
    ask(request("POST /v1/executions", submission()));
    while (!house.executor.has_held()) house.loop.run_once(Duration::milliseconds(10));
  }
  void say(int from, int to) {
    for (int i = from; i <= to; ++i) house.executor.progress(500, "word " + std::to_string(i));
  }
};

TEST_F(HttpWordsTest, EachWordIsToldOnceHoweverOftenTheStreamBreaksOff) {
  run_and_hold();
  const std::string over = "\r\n0\r\n\r\n";
  std::string told, id;
  auto stream_until = [&](const std::string& end) {
    speak([&] {
      RawClient client(server->port());
      std::string field = id.empty() ? "" : "Last-Event-ID: " + id + "\r\n";
      client.write(request("GET /v1/executions/e1/events", "", field));
      std::string heard = client.read_until(end);
      if (end != over) heard += client.read_until("\n\n");
      told += words_in(heard);
      size_t last = heard.rfind("\nid: ");
      if (last != std::string::npos)
        id = heard.substr(last + 5, heard.find('\n', last + 5) - last - 5);
    });
  };
  say(1, 40);
  stream_until("\"number\":40}");
  say(41, 700);  // while nobody listens, and more than a page
  stream_until("\"number\":700}");
  EXPECT_EQ(told, counted(1, 700));
  say(701, 710);
  house.executor.holding = false;
  house.executor.release();
  ask(request("GET /v1/executions/e1?wait=30s"));
  stream_until(over);  // it has ended meanwhile: what was said last comes all the same
  EXPECT_EQ(told, counted(1, 710));
  speak([&] {
    RawClient client(server->port());
    client.write(request("GET /v1/executions/e1/events", "", "Last-Event-ID: " + id + "\r\n"));
    EXPECT_EQ(client.read_answer().status, 204) << id;
  });
}

// As a client sends it: masked, with zeros.
std::string frame(const std::string& text) {
  std::string bytes = "\x81";
  if (text.size() < 126) {
    bytes += static_cast<char>(0x80 | text.size());
  } else {
    bytes += static_cast<char>(0x80 | 126);
    bytes += static_cast<char>(text.size() >> 8);
    bytes += static_cast<char>(text.size() & 255);
  }
  return bytes + std::string(4, '\0') + text;
}

TEST_F(HttpServerTest, AWebSocketTakesManyCallsAndWatches) {
  start();
  RawClient client(server->port());
  client.write(request("GET /v1/ws", "",
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  auto says = [&](const std::string& what) {
    std::string told;
    speak([&] { told = client.read_until(what); });
    EXPECT_NE(told.find(what), std::string::npos) << told;
    return told;
  };
  says("101 Switching Protocols");
  house.executor.holding = true;
  client.write(frame(R"({"ticket":1,"call":"submit","with":)" + submission() + "}"));
  says(R"({"ticket":1,"answer":"submitted","with":{"execution":"e1"}})");
  client.write(frame(R"({"ticket":2,"call":"watch","with":{"execution":"e1"}})"));
  says(R"("event":"attempts_granted")");
  client.write(frame(R"({"ticket":3,"call":"watch","with":{"execution":"e1"}})"));
  says(R"({"ticket":3,"event":)");
  client.write(frame(R"({"ticket":4,"call":"unwatch","with":{"ticket":3}})"));
  says(R"({"ticket":4,"answer":"changed","with":{"count":1}})");
  client.write(frame(R"({"ticket":5,"call":"watch","with":{"execution":"e9"}})"));
  says(R"({"ticket":5,"error":{"code":"NOT_FOUND")");
  client.write(frame(R"({"ticket":6,"call":"get_serve","with":{}})"));
  says("did you mean");
  house.executor.holding = false;
  house.executor.release();
  std::string rest = says(R"({"ticket":2,"answer":"settled","with":{"execution":"e1",)");
  EXPECT_EQ(rest.find("execution_submitted"), std::string::npos);
  EXPECT_NE(rest.find("execution_ended"), std::string::npos);
  client.write(frame("no call at all"));
  says(R"({"ticket":0,"error":)");
}

TEST_F(HttpWordsTest, AWebSocketTellsEachWordOnceAndGoesOnBehindACursor) {
  run_and_hold();
  std::string told, cursor;
  auto watch_until = [&](const std::string& end) {
    speak([&] {
      RawClient client(server->port());
      std::string with =
          R"({"execution":"e1")" + (cursor.empty() ? "" : ",\"words_after\":" + cursor);
      client.write(request("GET /v1/ws", "", upgrade_fields) +
                   frame(R"({"ticket":2,"call":"watch","with":)" + with + "}}"));
      std::string heard = client.read_until(end);
      if (!end.ends_with("settled\"")) heard += client.read_until("words_cursor\":");
      heard += client.read_until("}");
      told += words_in(heard);
      size_t last = heard.rfind("words_cursor\":") + 14;
      cursor = heard.substr(last, heard.find('}', last) - last);
    });
  };
  say(1, 40);
  watch_until("\"number\":40}");
  say(41, 700);
  watch_until("\"number\":700}");
  EXPECT_EQ(told, counted(1, 700));
  say(701, 710);
  house.executor.holding = false;
  house.executor.release();
  watch_until(R"("answer":"settled")");
  EXPECT_EQ(told, counted(1, 710)) << "what was said last comes before the end";
}

TEST_F(HttpServerTest, QueuesAndWorkersAreSeenAndQueuesChanged) {
  start();
  Answer changed =
      ask(request("PUT /v1/queues/bulk", R"({"concurrency_max":3,"strategy":"pack"})"));
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(ask(request("PUT /v1/queues/bulk", R"({"paused":true})")).status, 200);
  std::string queues = ask(request("GET /v1/queues")).body;
  EXPECT_NE(queues.find(R"("queue":"bulk","strategy":"pack","paused":true,"concurrency_max":3)"),
            std::string::npos)
      << queues;
  Answer wrong = ask(request("PUT /v1/queues/bulk", R"({"concurency_max":3})"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("did you mean \\\"concurrency_max\\\""), std::string::npos)
      << wrong.body;
  ask(request("POST /v1/executions?wait=30s", submission()));  // the worker has come
  EXPECT_NE(ask(request("GET /v1/workers")).body.find(R"("name":"house","slots":2)"),
            std::string::npos);
}

// What a client may do with each route, from the document alone: its parameters, body and answer.
TEST_F(HttpServerTest, TheDocumentDescribesEveryRoute) {
  start();
  Answer document = ask(request("GET /v1/openapi.json"));
  ASSERT_TRUE(json_validate(document.body).ok());
  EXPECT_EQ(json_find(document.body, {"openapi"}), "\"3.1.0\"");
  EXPECT_TRUE(json_find(document.body, {"paths", "/v1/executions", "post", "requestBody", "content",
                                        "application/json", "schema", "properties", "definition"}));
  for (const Route& route : routes()) {
    SCOPED_TRACE(std::string(route.method) + " " + route.path);
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c | 0x20);
    auto find = [&](std::vector<std::string> below) {
      below.insert(below.begin(), {"paths", route.path, method});
      return json_find(document.body, below);
    };
    EXPECT_EQ(json_unquote(find({"summary"}).value_or("")), route.about);
    std::vector<std::string> body{"requestBody", "content", "application/json", "schema"};
    EXPECT_EQ(find(body).has_value(), route.body);
    body.emplace_back("properties");  // of a call; an input is any object
    EXPECT_EQ(find(body).has_value(), route.body && route.kind != RouteKind::run);
    EXPECT_EQ(find({"requestBody", "content", "application/yaml", "schema"}).has_value(),
              takes_yaml(route));
    std::string status = std::to_string(route.status);
    EXPECT_EQ(find({"responses", status, "content", "application/json", "schema"}).has_value(),
              *route.answer != 0);
    EXPECT_TRUE(find({"responses", status}));
    std::string parameters(find({"parameters"}).value_or(""));
    for (const RouteMember& one : route.query)
      EXPECT_NE(parameters.find("\"name\":" + json_quote(one.name)), std::string::npos) << one.name;
    std::string_view path(route.path);
    for (size_t at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1)) {
      std::string_view name = path.substr(at + 1, path.find('}', at) - at - 1);
      EXPECT_NE(parameters.find("\"name\":" + json_quote(name) + ",\"in\":\"path\""),
                std::string::npos)
          << name;
    }
  }
}

TEST_F(HttpServerTest, TheDocumentSaysWhatARequestNeedsAndMayBring) {
  start();
  const std::string document = ask(request("GET /v1/openapi.json")).body;
  auto parameters = [&](const char* path) {
    return std::string(json_find(document, {"paths", path, "get", "parameters"}).value_or(""));
  };
  const std::string payload = parameters("/v1/payloads/{owner}/{sequence}");
  for (const char* name : {"size", "hash"})
    EXPECT_NE(payload.find("\"name\":" + json_quote(name) + ",\"in\":\"query\",\"required\":true"),
              std::string::npos)
        << payload;
  for (const char* stream :
       {"/v1/executions/{execution}/events", "/v1/executions/{execution}/tasks/{node}/logs/events"})
    EXPECT_NE(parameters(stream).find(R"("name":"Last-Event-ID","in":"header")"),
              std::string::npos);
  EXPECT_TRUE(json_find(document, {"paths", "/v1/executions/{execution}", "get", "responses", "200",
                                   "content", "application/json", "schema", "properties", "nodes",
                                   "items", "properties", "skip_reason", "enum"}));
}

TEST_F(HttpServerTest, WhoStopsIsNotReady) {
  start();
  EXPECT_EQ(ask(request("GET /readyz")).status, 200);
  house.executor.holding = true;
  ask(request("POST /v1/executions", submission()));
  RawClient waits(server->port());
  waits.write(request("GET /v1/executions/e1?wait=60s"));
  while (house.gateway->open_calls() == 0) house.loop.run_once(Duration::milliseconds(10));
  server->stop_accepting();
  house.executor.release();
  speak([&] {
    EXPECT_EQ(waits.read_answer().status, 200);
    EXPECT_TRUE(waits.hung_up());
  });
}

TEST_F(HttpServerTest, WhoWaitsIsToldThatTheServerEnds) {
  start();
  house.executor.holding = true;
  ask(request("POST /v1/executions", submission()));
  RawClient waits(server->port()), streams(server->port()), watches(server->port());
  waits.write(request("GET /v1/executions/e1?wait=60s"));
  streams.write(request("GET /v1/executions/e1/events"));
  watches.write(request("GET /v1/ws", "", upgrade_fields) +
                frame(R"({"ticket":2,"call":"watch","with":{"execution":"e1"}})"));
  speak([&] {
    streams.read_until("attempts_granted");
    watches.read_until("attempts_granted");
  });
  while (house.gateway->open_calls() < 3) house.loop.run_once(Duration::milliseconds(10));
  std::thread clients([&] {
    Answer answer = waits.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.head.find("Retry-After"), std::string::npos) << answer.head;
    EXPECT_NE(answer.body.find("UNAVAILABLE"), std::string::npos) << answer.body;
    EXPECT_NE(
        streams.read_until("0\r\n\r\n").find("event: error\ndata: {\"error\":{\"code\":\"UNAV"),
        std::string::npos);
    EXPECT_NE(watches.read_until(R"({"ticket":2,"error":{"code":"UNAVAILABLE")").size(), 0u);
    EXPECT_NE(watches.read_until("stopping\"}}").size(), 0u);
    std::string goodbye("\x03\xe9");  // 1001
    EXPECT_TRUE(watches.read_until(goodbye).ends_with(goodbye));
  });
  server.reset();
  clients.join();
}

TEST_F(HttpServerTest, WhoseTokenIsRevokedIsToldNothingMore) {
  HttpServerOptions options;
  options.authenticate_again_every = Duration{};
  start(options);
  house.executor.holding = true;
  ask(request("POST /v1/executions", submission()));
  RawClient watches(server->port()), awaits(server->port());
  watches.write(request("GET /v1/ws", "", upgrade_fields) +
                frame(R"({"ticket":2,"call":"watch","with":{"execution":"e1"}})"));
  awaits.write(request("GET /v1/ws", "", upgrade_fields) +
               frame(R"({"ticket":3,"call":"await","with":{"execution":"e1"}})"));
  speak([&] { watches.read_until("attempts_granted"); });
  while (house.gateway->open_calls() < 2) house.loop.run_once(Duration::milliseconds(10));
  token.revoked = true;
  house.executor.release();
  speak([&] {
    std::string told = watches.read_until(R"({"ticket":2,"error":{"code":"UNAUTHENTICATED")");
    EXPECT_NE(told.find("UNAUTHENTICATED"), std::string::npos) << told;
    EXPECT_EQ(told.find("execution_ended"), std::string::npos) << told;
    told = awaits.read_until(R"("code":"UNAUTHENTICATED")");
    EXPECT_EQ(told.find("settled"), std::string::npos) << told;
  });
}

TEST(RestPage, NamesEveryResource) {
  std::ifstream file(std::string(PAWL_SOURCE_DIR) + "/docs/rest.md");
  std::string page{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(page.empty());
  std::set<std::string> shown, served;
  for (size_t at = page.find("\n| `"); at != std::string::npos; at = page.find("\n| `", at + 1)) {
    size_t begin = at + 4;
    std::string one = page.substr(begin, page.find('`', begin) - begin);
    if (one.find(" /") != std::string::npos) shown.insert(one);
  }
  for (const Route& route : routes()) served.insert(std::string(route.method) + " " + route.path);
  EXPECT_EQ(shown, served);
}

}  // namespace
}  // namespace pawl
