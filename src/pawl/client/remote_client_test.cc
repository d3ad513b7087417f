// The client before a real HttpServer, gateway and engine, over real sockets. The server's loop runs on the
// test's thread, the client is used from others.
#include "pawl/client/remote_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "pawl/api/http/http_server.h"
#include "pawl/api/test_house.h"

namespace pawl {
namespace {

class Anybody final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials& shown) const override {
    if (shown.bearer == "none") return Error{Code::unauthenticated, "show another token"};
    return Caller{};
  }
};

class RemoteClientTest : public testing::Test {
 protected:
  void start(uint16_t at = 0) {
    HttpServerOptions options;
    options.http.listen = "127.0.0.1:" + std::to_string(at);
    auto started = HttpServer::start(options, *house.gateway, house.loop, anybody);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
  }
  RemoteClientOptions options() const {
    RemoteClientOptions options;
    options.server.url = "http://127.0.0.1:" + std::to_string(server->port());
    options.patience = Duration::seconds(20);
    return options;
  }
  // Lets the server run while `act` does on another thread.
  template <class Act>
  auto meanwhile(Act act) {
    auto done = std::async(std::launch::async, act);
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      house.loop.run_once(Duration::milliseconds(1));
    return done.get();
  }
  std::unique_ptr<RemoteClient> connect() {
    auto connected = meanwhile([&] { return RemoteClient::connect(options()); });
    EXPECT_TRUE(connected.ok()) << connected.error().message;
    return std::move(*connected);
  }
  void start_again() {
    uint16_t port = server->port();
    server.reset();
    start(port);
  }

  House house;
  Anybody anybody;
  std::unique_ptr<HttpServer> server;
};

SubmitRequest one(std::string request_id = "") {
  SubmitRequest request;
  request.definition = one_node;
  request.request_id = std::move(request_id);
  return request;
}

TEST_F(RemoteClientTest, SubmitsAndReads) {
  start();
  auto client = connect();
  meanwhile([&] {
    ExecutionDetail detail = client->submit_and_wait(one("once")).value();
    EXPECT_EQ(detail.summary.status, ExecutionStatus::succeeded);
    EXPECT_EQ(client->submit(one("once")).value(), detail.summary.id);
    EXPECT_EQ(client->text(detail.output).value(), R"({"work":"done"})");
    EXPECT_EQ(client->register_definition({one_node}).value().name, "one");
    EXPECT_EQ(client->executions().value().executions.size(), 1u);
    EXPECT_EQ(client->execution(ExecutionId{71}).error().code, Code::not_found);
    EXPECT_TRUE(std::holds_alternative<Overview>(client->call(GetOverview{})));
    return 0;
  });
}

TEST_F(RemoteClientTest, ManyThreadsShareIt) {
  start();
  auto client = connect();
  std::atomic<int> good{0};
  meanwhile([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int k = 0; k < 20; ++k) good += client->submit_and_wait(one()).ok() ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    return 0;
  });
  EXPECT_EQ(good, 160);
}

TEST_F(RemoteClientTest, AWatchSeesEachEventOnceOverABrokenConnection) {
  start();
  auto client = connect();
  house.executor.holding = true;
  ExecutionId id = meanwhile([&] { return client->submit(one()); }).value();
  while (!house.executor.has_held()) house.loop.run_once(Duration::milliseconds(1));
  std::vector<std::string> shown;
  std::atomic<size_t> count{0};
  auto watching = std::async(std::launch::async, [&] {
    return client->watch(id, {}, [&](const HistoryEntry& entry) {
      shown.push_back(to_text(entry.place()));
      ++count;
      return true;
    });
  });
  while (count == 0) house.loop.run_once(Duration::milliseconds(1));
  start_again();
  house.executor.holding = false;
  house.executor.release();
  ExecutionDetail end = meanwhile([&] { return watching.get(); }).value();
  EXPECT_EQ(end.summary.status, ExecutionStatus::succeeded);
  std::vector<std::string> all;
  CallResult history = meanwhile([&] { return client->call(ReadHistory{id}); });
  for (const HistoryEntry& entry : std::get<History>(history).entries)
    all.push_back(to_text(entry.place()));
  EXPECT_EQ(shown, all);
  size_t seen = 0;
  meanwhile([&] {
    return client->watch(id, {}, [&](const HistoryEntry&) { return ++seen < 2; });
  }).value();
  EXPECT_EQ(seen, 2u);
}

TEST_F(RemoteClientTest, AFullServerIsAskedAgainWhenItSaysSo) {
  start();
  auto client = connect();
  ConfigureQueue change;
  change.name = "default";
  change.paused = true;
  change.waiting_max = 1;
  meanwhile([&] { return client->call(change); });
  EXPECT_TRUE(meanwhile([&] { return client->submit(one("first")); }).ok());
  auto waiting = std::async(std::launch::async, [&] { return client->submit(one("second")); });
  Engine& engine = *house.engines[0]->engine;
  while (engine.figures().counted.shed[static_cast<size_t>(Shed::queue)] == 0)
    house.loop.run_once(Duration::milliseconds(1));
  EXPECT_EQ(engine.figures().counts.submitted, 1u);
  change.paused = false;
  meanwhile([&] { return client->call(change); });
  EXPECT_TRUE(meanwhile([&] { return waiting.get(); }).ok());
  EXPECT_EQ(engine.figures().counts.submitted, 2u);

  RemoteClientOptions hasty = options();
  hasty.patience = Duration::milliseconds(1);
  change.paused = true;
  meanwhile([&] { return client->call(change); });
  EXPECT_TRUE(meanwhile([&] { return client->submit(one("third")); }).ok());
  auto other = meanwhile([&] { return RemoteClient::connect(hasty); });
  ASSERT_TRUE(other.ok());
  Error refused = meanwhile([&] { return (*other)->submit(one("fourth")); }).error();
  EXPECT_EQ(refused.code, Code::resource_exhausted);
  EXPECT_GE(refused.retry_after, Duration::milliseconds(100));
}

TEST_F(RemoteClientTest, AWaitEndsInTimeAndIsAskedAgain) {
  start();
  auto client = connect();
  house.executor.holding = true;
  ExecutionId id = meanwhile([&] { return client->submit(one()); }).value();
  Result<Settlement> hasty =
      meanwhile([&] { return client->wait(id, Duration::milliseconds(20)); });
  EXPECT_EQ(hasty.error().code, Code::deadline_exceeded);
  auto waiting = std::async(std::launch::async, [&] { return client->wait(id); });
  start_again();
  while (!house.executor.has_held()) house.loop.run_once(Duration::milliseconds(1));
  house.executor.holding = false;
  house.executor.release();
  EXPECT_EQ(meanwhile([&] { return waiting.get(); }).value().status, ExecutionStatus::succeeded);
}

TEST_F(RemoteClientTest, WhatMustNotBeRepeatedIsNot) {
  start();
  auto client = connect();
  RemoteClientOptions nowhere = options();
  server.reset();
  EXPECT_EQ(client->cancel({ExecutionId{1}, "", {}}).error().code, Code::unavailable);
  nowhere.patience = Duration::milliseconds(100);
  EXPECT_EQ(RemoteClient::connect(nowhere).error().code, Code::unavailable);
  nowhere.server.url = "nonsense";
  EXPECT_EQ(RemoteClient::connect(nowhere).error().code, Code::invalid_argument);
}

TEST_F(RemoteClientTest, ARefusedTokenIsToldAtOnce) {
  start();
  RemoteClientOptions barred = options();
  barred.server.token = "none";
  Result<std::unique_ptr<RemoteClient>> refused =
      meanwhile([&] { return RemoteClient::connect(barred); });
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
}

}  // namespace
}  // namespace pawl
