// The door before a real gateway and engine, over real sockets. The gateway's loop runs on the test's thread,
// clients call from others.
#include "pawl/api/grpc/grpc_door.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"
#include "pawl/testing/memory_outputs.h"
#include "pawl/v1/executions.grpc.pb.h"

namespace pawl {
namespace {

class OneToken final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials& shown) const override {
    if (shown.bearer == "secret" && !revoked) return Caller{"tester"};
    return Error{Code::unauthenticated, "show a token"};
  }
  std::atomic<bool> revoked = false;
};

class GrpcDoorTest : public testing::Test {
 protected:
  void start(GrpcDoorOptions options = {}) {
    door = GrpcDoor::create(options).value();
    StreamServerOptions listening;
    listening.guest = door.get();
    auto started = StreamServer::start(listening, {house.blob, outputs}, house.telemetry);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // windows stay at 64 KiB
    auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->port()),
                                             grpc::InsecureChannelCredentials(), arguments);
    executions = v1::Executions::NewStub(channel);
  }
  void open() { door->open(*house.gateway, house.loop, token); }
  // The door goes first, then the server whose guest it is.
  void TearDown() override {
    if (door) door->close();
    server.reset();
  }

  template <class Act>
  auto meanwhile(Act act) {
    auto done = std::async(std::launch::async, act);
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      house.loop.run_once(Duration::milliseconds(1));
    return done.get();
  }
  static std::unique_ptr<grpc::ClientContext> context(const std::string& shown = "Bearer secret") {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", shown);
    return context;
  }
  grpc::Status get(grpc::ClientContext& context, const std::string& id = "e1") {
    v1::GetExecutionRequest request;
    request.set_execution(id);
    v1::Execution execution;
    return meanwhile([&] { return executions->Get(&context, request, &execution); });
  }
  std::string submit(const std::string& definition = one_node) {
    v1::SubmitRequest request;
    request.set_definition(definition);
    v1::SubmitResponse response;
    auto shown = context();
    auto status = meanwhile([&] { return executions->Submit(shown.get(), request, &response); });
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.execution();
  }
  grpc::Status wait(const std::string& id, grpc::ClientContext& context) {
    v1::WaitRequest request;
    request.set_execution(id);
    v1::Settlement settlement;
    return meanwhile([&] { return executions->Wait(&context, request, &settlement); });
  }

  House house;
  MemoryOutputs outputs;
  OneToken token;
  std::unique_ptr<GrpcDoor> door;
  std::unique_ptr<StreamServer> server;
  std::unique_ptr<v1::Executions::Stub> executions;
};

TEST_F(GrpcDoorTest, NobodyIsServedBeforeItOpensAndAfterItCloses) {
  start();
  auto early = context();
  grpc::Status refused = get(*early);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  auto hint = early->GetServerTrailingMetadata().find("retry-after-ms");
  ASSERT_NE(hint, early->GetServerTrailingMetadata().end());
  EXPECT_EQ(std::string(hint->second.data(), hint->second.size()), "1000");
  open();
  auto now = context();
  EXPECT_EQ(get(*now).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_FALSE(now->GetServerTrailingMetadata().contains("retry-after-ms"));
  door->close();
  auto late = context();
  EXPECT_EQ(get(*late).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcDoorTest, AFullQueueTellsWhenToComeAgain) {
  start();
  open();
  LocalClient client(*house.gateway, house.loop);
  ConfigureQueue change;
  change.name = "default";
  change.paused = true;
  change.waiting_max = 1;
  ASSERT_TRUE(client.ask_as<Changed>(change).ok());
  submit();
  v1::SubmitRequest request;
  request.set_definition(one_node);
  v1::SubmitResponse response;
  auto shown = context();
  grpc::Status refused =
      meanwhile([&] { return executions->Submit(shown.get(), request, &response); });
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  auto hint = shown->GetServerTrailingMetadata().find("retry-after-ms");
  ASSERT_NE(hint, shown->GetServerTrailingMetadata().end());
  int told = std::stoi(std::string(hint->second.data(), hint->second.size()));
  EXPECT_GE(told, 100);
  std::string in_words =
      told < 1000 ? std::to_string(told) + " ms" : std::to_string((told + 999) / 1000) + " s";
  EXPECT_NE(refused.error_message().find("try again in " + in_words), std::string::npos)
      << told << ": " << refused.error_message();
}

TEST_F(GrpcDoorTest, WhoShowsNothingIsNobody) {
  start();
  open();
  for (const char* shown : {"", "secret", "Basic secret", "Bearer other", "Bearer"}) {
    auto one = context(shown);
    EXPECT_EQ(get(*one).error_code(), grpc::StatusCode::UNAUTHENTICATED) << shown;
  }
  for (const char* shown : {"bearer secret", "BEARER secret"}) {
    auto one = context(shown);
    EXPECT_EQ(get(*one).error_code(), grpc::StatusCode::NOT_FOUND) << shown;
  }
}

TEST_F(GrpcDoorTest, OpenCallsHaveALimit) {
  GrpcDoorOptions options;
  options.calls_open_max = 2;
  start(options);
  open();
  house.executor.holding = true;
  std::string id = submit();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchUpdate>>> watches;
  v1::WatchRequest request;
  request.set_execution(id);
  for (int i = 0; i < 2; ++i) {
    contexts.push_back(context());
    watches.push_back(executions->Watch(contexts.back().get(), request));
    v1::WatchUpdate update;
    EXPECT_TRUE(meanwhile([&] { return watches.back()->Read(&update); }));
    EXPECT_EQ(update.state().id(), id);
  }
  auto third = context();
  grpc::Status refused = get(*third);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(refused.error_message().find("calls_open_max (2"), std::string::npos);
  contexts[0]->TryCancel();
  EXPECT_EQ(meanwhile([&] { return watches[0]->Finish(); }).error_code(),
            grpc::StatusCode::CANCELLED);
  grpc::Status again;
  do {  // the server hears of it a moment later
    auto one = context();
    again = get(*one);
  } while (again.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(again.ok()) << again.error_message();
  house.executor.release();
}

// A watch asks many times, and is one call of its caller.
TEST_F(GrpcDoorTest, ACallCountsOnce) {
  house.open_gateway({.calls_per_caller = {.per_second = 1, .burst = 2}});
  start();
  open();
  v1::WatchRequest request;
  request.set_execution(submit());
  auto shown = context();
  auto watch = executions->Watch(shown.get(), request);
  grpc::Status end = meanwhile([&] {
    v1::WatchUpdate update;
    while (watch->Read(&update)) continue;
    return watch->Finish();
  });
  EXPECT_TRUE(end.ok()) << end.error_message();
}

TEST_F(GrpcDoorTest, WhatMayHaveHappenedIsUnknown) {
  start();
  open();
  ASSERT_NE(submit(), "");
  house.disk.plan(house.disk.calls() + 1, SimFault::io_error);
  v1::SubmitRequest request;
  request.set_definition(one_node);
  v1::SubmitResponse response;
  auto shown = context();
  auto status = meanwhile([&] { return executions->Submit(shown.get(), request, &response); });
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_NE(status.error_message().find("partition has stopped"), std::string::npos);
}

// Both have gRPC's numbers, and the names that are in every message.
TEST(GrpcCodes, EveryErrorIsTheSameOverGrpc) {
  const std::pair<Code, grpc::StatusCode> all[] = {
      {Code::ok, grpc::StatusCode::OK},
      {Code::cancelled, grpc::StatusCode::CANCELLED},
      {Code::unknown, grpc::StatusCode::UNKNOWN},
      {Code::invalid_argument, grpc::StatusCode::INVALID_ARGUMENT},
      {Code::deadline_exceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
      {Code::not_found, grpc::StatusCode::NOT_FOUND},
      {Code::already_exists, grpc::StatusCode::ALREADY_EXISTS},
      {Code::permission_denied, grpc::StatusCode::PERMISSION_DENIED},
      {Code::resource_exhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {Code::failed_precondition, grpc::StatusCode::FAILED_PRECONDITION},
      {Code::aborted, grpc::StatusCode::ABORTED},
      {Code::out_of_range, grpc::StatusCode::OUT_OF_RANGE},
      {Code::unimplemented, grpc::StatusCode::UNIMPLEMENTED},
      {Code::internal, grpc::StatusCode::INTERNAL},
      {Code::unavailable, grpc::StatusCode::UNAVAILABLE},
      {Code::data_loss, grpc::StatusCode::DATA_LOSS},
      {Code::unauthenticated, grpc::StatusCode::UNAUTHENTICATED}};
  for (const auto& [ours, theirs] : all)
    EXPECT_EQ(static_cast<grpc::StatusCode>(ours), theirs) << name(ours);
}

TEST_F(GrpcDoorTest, ADeadlineEndsTheWaitAndNothingElse) {
  start();
  open();
  house.executor.holding = true;
  std::string id = submit();
  auto hasty = context();
  hasty->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  EXPECT_EQ(wait(id, *hasty).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (house.gateway->open_calls() > 0) house.loop.run_once(Duration::milliseconds(1));
  house.executor.holding = false;
  house.executor.release();
  auto patient = context();
  EXPECT_TRUE(wait(id, *patient).ok());
}

TEST_F(GrpcDoorTest, WhoeverIsHereWhenItClosesIsTold) {
  start();
  open();
  house.executor.holding = true;
  std::string id = submit();
  auto shown = context();
  v1::WatchRequest request;
  request.set_execution(id);
  auto watch = executions->Watch(shown.get(), request);
  v1::WatchUpdate update;
  EXPECT_TRUE(meanwhile([&] { return watch->Read(&update); }));
  door->close();
  EXPECT_EQ(house.gateway->open_calls(), 0u);
  grpc::Status end = meanwhile([&] {
    while (watch->Read(&update)) continue;
    return watch->Finish();
  });
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcDoorTest, TheWatchOfWhoIsRevokedEnds) {
  GrpcDoorOptions at_once;
  at_once.authenticate_again_every = {};
  at_once.progress_every = Duration::milliseconds(10);
  start(at_once);
  open();
  house.executor.holding = true;
  std::string id = submit();
  auto shown = context();
  v1::WatchRequest request;
  request.set_execution(id);
  auto watch = executions->Watch(shown.get(), request);
  v1::WatchUpdate update;
  EXPECT_TRUE(meanwhile([&] { return watch->Read(&update); }));
  token.revoked = true;
  grpc::Status end = meanwhile([&] {
    while (watch->Read(&update)) continue;
    return watch->Finish();
  });
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GrpcDoorTest, WhoIsRevokedWhileHeWaitsIsToldNothing) {
  GrpcDoorOptions at_once;
  at_once.authenticate_again_every = {};
  start(at_once);
  open();
  house.executor.holding = true;
  std::string id = submit();
  auto waits = std::async(std::launch::async, [&] {
    auto shown = context();
    v1::WaitRequest request;
    request.set_execution(id);
    v1::Settlement settlement;
    return executions->Wait(shown.get(), request, &settlement).error_code();
  });
  while (house.gateway->open_calls() == 0) house.loop.run_once(Duration::milliseconds(1));
  token.revoked = true;
  house.executor.release();
  EXPECT_EQ(meanwhile([&] { return waits.get(); }), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GrpcDoorTest, WhoHasSeenEverythingIsToldTheState) {
  start();
  open();
  std::string id = submit();
  auto patient = context();
  EXPECT_TRUE(wait(id, *patient).ok());
  auto shown = context();
  v1::WatchRequest request;
  request.set_execution(id);
  request.set_after("999999-0");
  auto watch = executions->Watch(shown.get(), request);
  std::vector<v1::WatchUpdate> told;
  grpc::Status end = meanwhile([&] {
    for (v1::WatchUpdate update; watch->Read(&update);) told.push_back(update);
    return watch->Finish();
  });
  EXPECT_TRUE(end.ok()) << end.error_message();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[0].has_state() && told[1].has_state());
}

TEST_F(GrpcDoorTest, AWatchTellsEachWordOnceAndGoesOnBehindACursor) {
  GrpcDoorOptions often;
  often.progress_every = Duration::milliseconds(5);
  start(often);
  open();
  house.executor.holding = true;
  std::string id = submit();
  while (!house.executor.has_held()) house.loop.run_once(Duration::milliseconds(1));
  auto say = [&](int from, int to) {
    for (int i = from; i <= to; ++i) house.executor.progress(500, "word " + std::to_string(i));
  };
  uint64_t cursor = 0, number = 0;
  auto watch_until = [&](uint64_t last) {
    auto shown = context();
    v1::WatchRequest request;
    request.set_execution(id);
    if (cursor > 0) request.set_words_after(cursor);
    auto watch = executions->Watch(shown.get(), request);
    meanwhile([&] {
      for (v1::WatchUpdate update; watch->Read(&update);) {
        for (const v1::RunningTask& word : update.progress().words()) {
          EXPECT_EQ(word.number(), ++number);
          EXPECT_EQ(word.message(), "word " + std::to_string(number));
        }
        if (update.has_progress()) cursor = update.progress().words_cursor();
        if (number == last && last > 0) shown->TryCancel();
      }
      watch->Finish();
      return true;
    });
  };
  say(1, 40);
  watch_until(40);
  say(41, 700);
  watch_until(700);
  say(701, 710);
  house.executor.holding = false;
  house.executor.release();
  watch_until(0);  // until its end
  EXPECT_EQ(number, 710u);
}

// A history of a megabyte, of which far less fits into what is on its way to a client that does not read.
TEST_F(GrpcDoorTest, WhoDoesNotReadIsWaitedFor) {
  start();
  open();
  house.executor.output = json_quote(std::string(2000, 'x'));
  std::string wide = "name: wide\nnodes:\n";
  for (int i = 0; i < 600; ++i) wide += "  n" + std::to_string(i) + ": {command: [work]}\n";
  std::string id = submit(wide);
  auto shown = context();
  v1::WatchRequest request;
  request.set_execution(id);
  auto watch = executions->Watch(shown.get(), request);
  v1::WatchUpdate update;
  EXPECT_TRUE(meanwhile([&] { return watch->Read(&update); }));
  auto patient = context();
  EXPECT_TRUE(wait(id, *patient).ok());
  for (int i = 0; i < 300; ++i) {  // time for a door that does not wait to ask for all of it
    auto one = context();
    EXPECT_EQ(get(*one, "e999").error_code(), grpc::StatusCode::NOT_FOUND);
  }
  auto cleaner = context();
  v1::ForgetRequest forget;
  forget.set_execution(id);
  v1::Changed changed;
  EXPECT_TRUE(meanwhile([&] { return executions->Forget(cleaner.get(), forget, &changed); }).ok());
  grpc::Status end = meanwhile([&] {
    while (watch->Read(&update)) continue;
    return watch->Finish();
  });
  EXPECT_EQ(end.error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace pawl
