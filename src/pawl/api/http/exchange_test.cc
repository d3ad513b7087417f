// Exchanges at a desk that a test plays: what is asked, what is answered, and when time is up.
#include "pawl/api/http/exchange.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

// Keeps the last response.
class HandListener final : public HttpListener {
 public:
  uint16_t port() const override { return 0; }
  size_t connections() const override { return 0; }
  void respond(ExchangeId, HttpResponse given) override { response = std::move(given); }
  void start_stream(ExchangeId, HttpResponse head) override { response = std::move(head); }
  void write(ExchangeId, std::string_view) override {}
  void end(ExchangeId) override {}
  Status upgrade(ExchangeId, const HttpRequest&, std::string_view) override { return {}; }
  void send(ExchangeId, std::string_view) override {}
  void close(ExchangeId, uint16_t, std::string_view) override {}
  uint64_t waiting(ExchangeId) const override { return 0; }
  void stop_accepting() override {}

  HttpResponse response;
};

class HandDesk final : public Desk {
 public:
  HttpListener& listener() override { return hand; }
  const HttpServerOptions& options() const override { return given; }
  Instant now() override { return time; }
  bool stopping() const override { return false; }
  Ticket ask(ExchangeId, Call call, const Caller& caller) override {
    asked.push_back(std::move(call));
    counted.push_back(caller.counted);
    return asked.size();
  }
  void stop_waiting(Ticket ticket) override { stopped = ticket; }
  void forget(Ticket) override {}
  void set_alarm(ExchangeId, Instant, Instant at) override { alarm = at; }
  void answering(ExchangeId, int) override {}
  void write_metrics(Exposition&) const override {}

  HandListener hand;
  HttpServerOptions given;
  Instant time;
  std::vector<Call> asked;
  std::vector<bool> counted;  // of each
  Ticket stopped = 0;
  Instant alarm = Instant::never();
};

struct ExchangeTest : testing::Test {
  std::unique_ptr<Exchange> begun(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    Translation translation = translate(request, Duration::seconds(300));
    EXPECT_NE(translation.route, nullptr) << translation.refusal.body;
    auto exchange = make_exchange({desk, 1, Caller{"ann"}}, std::move(translation), request);
    EXPECT_FALSE(exchange->begin());
    return exchange;
  }
  // Of an execution whose output has two parts.
  ExecutionDetail succeeded() const {
    ExecutionDetail detail;
    detail.summary.id = ExecutionId{1};
    detail.summary.status = ExecutionStatus::succeeded;
    detail.output = Payload::blob({ExecutionId{1}, 2, 6, {}});
    return detail;
  }
  template <class Asked>
  bool last_asked() const {
    return std::holds_alternative<Asked>(desk.asked.back());
  }

  HandDesk desk;
};

TEST_F(ExchangeTest, ALargeOutputComesOnceWhenItsTimeIsUpWhileItIsRead) {
  auto exchange = begun("GET", "/v1/executions/e1/output?wait=10ms");
  EXPECT_NE(desk.alarm, Instant::never());
  EXPECT_FALSE(exchange->take(1, Settlement{ExecutionId{1}, ExecutionStatus::succeeded}));
  EXPECT_EQ(desk.alarm, Instant::never()) << "it waits for nothing any more";
  EXPECT_FALSE(exchange->take(2, succeeded()));
  EXPECT_FALSE(exchange->take(3, PayloadPart{"abc", 3}));
  EXPECT_TRUE(exchange->take(4, PayloadPart{"def", 6}));
  EXPECT_EQ(desk.hand.response.body, "abcdef");
}

TEST_F(ExchangeTest, WhatStillRunsIsShownAsItIsWhenTheTimeIsUp) {
  auto exchange = begun("GET", "/v1/executions/e1?wait=10ms");
  EXPECT_TRUE(last_asked<AwaitExecution>());
  EXPECT_FALSE(exchange->wake());
  EXPECT_TRUE(last_asked<GetExecution>());
  EXPECT_TRUE(exchange->take(2, ExecutionDetail{}));
  EXPECT_EQ(desk.hand.response.status, 200);
}

TEST_F(ExchangeTest, AnEndedRunIsNotStopped) {
  auto exchange = begun("POST", "/v1/workflows/one/run?wait=10ms");
  EXPECT_FALSE(exchange->take(1, succeeded()));
  EXPECT_EQ(desk.alarm, Instant::never());
  EXPECT_FALSE(exchange->take(2, PayloadPart{"abc", 3}));
  EXPECT_TRUE(exchange->take(3, PayloadPart{"def", 6}));
  EXPECT_EQ(desk.hand.response.body, "abcdef");
}

// A request is one call of its caller, however many questions it takes.
TEST_F(ExchangeTest, ARequestCountsOnce) {
  auto output = begun("GET", "/v1/executions/e1/output?wait=10ms");
  output->take(1, Settlement{ExecutionId{1}, ExecutionStatus::succeeded});
  output->take(2, succeeded());
  output->take(3, PayloadPart{"abc", 3});
  EXPECT_EQ(desk.counted, (std::vector<bool>{false, true, true, true}));
}

TEST_F(ExchangeTest, EachMessageOfAWebSocketCountsOnce) {
  auto socket = begun("GET", "/v1/ws");
  socket->message(R"({"ticket":1,"call":"get_overview","with":{}})");
  socket->message(R"({"ticket":2,"call":"watch","with":{"execution":"e1"}})");
  EXPECT_EQ(desk.counted, (std::vector<bool>{false, false}));
  History page;
  page.entries.resize(1);
  socket->take(2, page);  // and the next is asked for
  EXPECT_EQ(desk.counted, (std::vector<bool>{false, false, true}));
  socket->message(R"({"ticket":3,"call":"get_overview","with":{}})");
  EXPECT_EQ(desk.counted, (std::vector<bool>{false, false, true, false}));
}

}  // namespace
}  // namespace pawl
