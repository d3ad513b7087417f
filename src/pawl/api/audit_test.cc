#include "pawl/api/audit.h"

#include <gtest/gtest.h>

#include "pawl/api/door_watch.h"
#include "pawl/api/permissions.h"
#include "pawl/api/test_house.h"

namespace pawl {
namespace {

// On disk when the test says so.
class HandTrail final : public AuditTrail {
 public:
  uint64_t add(AuditRecord record) override {
    records.push_back(std::move(record));
    return records.size();
  }
  Result<uint64_t> durable() override {
    if (broken) return Error{Code::unavailable, "the audit trail cannot be written: no space"};
    return held ? 0 : records.size();
  }
  std::vector<AuditRecord> records;
  bool held = false;
  bool broken = false;
};

class HandClock final : public Clock {
 public:
  Instant monotonic() override { return running; }
  WallTime wall() override { return {1'700'000'000'000'000'000}; }
  Instant running;
};

class HandLog final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override { lines.push_back(line); }
  std::vector<LogLine> lines;
};

// The house's engine behind a gateway that records.
struct AuditTest : testing::Test {
  AuditTest() {
    house.gateway.reset();
    GatewayPorts ports{house.loop,      *house.router, house.blob, house.outputs,
                       house.evaluator, &clock,        &trail,     &log};
    GatewayOptions options;
    options.calls_per_caller = {.per_second = 10, .burst = 100};
    house.gateway = std::make_unique<Gateway>(std::move(ports), house.answers, options);
  }
  Caller caller(Role role) const {
    return {"ann", "team-a", static_cast<uint8_t>(1u << static_cast<unsigned>(role))};
  }
  CallResult ask(const Caller& who, Call call) {
    LocalClient client(*house.gateway, house.loop, who);
    client.set_patience(Duration::seconds(20));
    return client.ask(std::move(call));
  }
  std::string last() const {
    const AuditRecord& one = trail.records.back();
    return one.caller + " " + one.name_space + " " + one.call + " " + one.subject + " " +
           name(one.result);
  }

  HandClock clock;
  HandTrail trail;
  HandLog log;
  House house;
};

TEST_F(AuditTest, WhatChangesSomethingLeavesOneRecord) {
  Caller all{"ann", "team-a", 1u << unsigned(Role::submitter) | 1u << unsigned(Role::operator_)};
  ask(all, SubmitRequest{one_node, "secret.yaml", R"({"password":"hunter2"})", "r", ""});
  EXPECT_EQ(last(), "ann team-a submit e1 OK");
  ask(all, SubmitMany{one_node, "f", {"{}", "{}"}, "", "", "", ""});
  EXPECT_EQ(last(), "ann team-a submit_many 2 executions from e2 OK");
  RunRequest run;
  run.submit = {one_node, "f"};
  ask(all, run);
  EXPECT_EQ(last(), "ann team-a run e4 OK");
  ask(all, Cancel{{ExecutionId{99}, "node", 3}, "a reason with a password"});
  EXPECT_EQ(last(), "ann team-a cancel e99/node[3] NOT_FOUND");
  ask(all, Forget{ExecutionId{4}});
  EXPECT_EQ(last(), "ann team-a forget e4 OK");
  EXPECT_EQ(trail.records.size(), 5u);
  ConfigureQueue paused;
  paused.name = "bulk";
  paused.paused = true;
  ask(all, paused);
  EXPECT_EQ(last(), "ann team-a configure_queue queue bulk PERMISSION_DENIED");
  trail.records.pop_back();
  ask(all, GetOverview{});
  ask(all, GetExecution{ExecutionId{1}});
  EXPECT_EQ(trail.records.size(), 5u);
  for (const AuditRecord& one : trail.records)
    EXPECT_EQ((one.call + one.subject).find("password"), std::string::npos);
}

// Over every kind of call: the table says which change something, and those are recorded.
TEST_F(AuditTest, EveryChangingCallIsRecorded) {
  for (size_t kind = 0; kind < std::variant_size_v<Call>; ++kind) {
    Call call = [&]<size_t... place>(std::index_sequence<place...>) {
      Call one;
      ((place == kind ? void(one.emplace<place>()) : void()), ...);
      return one;
    }
    (std::make_index_sequence<std::variant_size_v<Call>>());
    size_t before = trail.records.size();
    ask(caller(Role::admin), std::move(call));
    EXPECT_EQ(trail.records.size() - before, permission(kind).changes ? 1u : 0u) << kind;
    clock.running = clock.running + Duration::seconds(1);
  }
}

TEST_F(AuditTest, TheAnswerWaitsForItsRecord) {
  trail.held = true;
  LocalClient client(*house.gateway, house.loop, caller(Role::submitter));
  Ticket submitted = client.start(SubmitRequest{one_node, "f"});
  while (trail.records.empty()) client.pump(Duration::milliseconds(10));
  client.overview().value();  // reading does not wait
  EXPECT_FALSE(client.done(submitted));
  trail.held = false;
  house.loop.wake();
  while (!client.done(submitted)) client.pump(Duration::milliseconds(10));
  EXPECT_TRUE(client.take_as<Submitted>(submitted).ok());
}

TEST_F(AuditTest, WhoeverLeavesIsRecordedAllTheSame) {
  {
    LocalClient client(*house.gateway, house.loop, caller(Role::submitter));
    client.start(SubmitRequest{one_node, "f"});
  }
  LocalClient other(*house.gateway, house.loop, caller(Role::reader));
  while (trail.records.empty()) other.pump(Duration::milliseconds(10));
  EXPECT_EQ(last(), "ann team-a submit e1 OK");
  trail.held = true;
  {
    LocalClient client(*house.gateway, house.loop, caller(Role::submitter));
    client.start(SubmitRequest{one_node, "f"});
    while (trail.records.size() < 2) client.pump(Duration::milliseconds(10));
  }
  trail.held = false;
  EXPECT_TRUE(other.overview().ok());
}

TEST_F(AuditTest, ARunWhoseClientLeavesAtOnceWaitsForNothing) {
  house.executor.holding = true;
  RunRequest run;
  run.submit = {one_node, "f"};
  {
    LocalClient client(*house.gateway, house.loop, caller(Role::submitter));
    client.start(run);
  }
  LocalClient other(*house.gateway, house.loop, caller(Role::reader));
  for (int turn = 0; turn < 5000 && trail.records.empty(); ++turn)
    other.pump(Duration::milliseconds(1));
  ASSERT_EQ(trail.records.size(), 1u);
  EXPECT_EQ(last(), "ann team-a run e1 OK");
}

TEST_F(AuditTest, WithoutATrailNothingChanges) {
  trail.held = true;
  LocalClient client(*house.gateway, house.loop, caller(Role::submitter));
  Ticket waits = client.start(SubmitRequest{one_node, "f"});
  while (trail.records.empty()) client.pump(Duration::milliseconds(10));
  trail.broken = true;
  house.loop.wake();
  while (!client.done(waits)) client.pump(Duration::milliseconds(10));
  EXPECT_EQ(client.take_as<Submitted>(waits).error().code, Code::unknown);
  EXPECT_EQ(client.submit({one_node, "f"}).error().code, Code::unavailable);
  EXPECT_TRUE(client.overview().ok());
}

TEST_F(AuditTest, RefusalsAreRecordedUpToARate) {
  for (int i = 0; i < 150; ++i) {
    ask({"bob", "team-b", 1u << unsigned(Role::reader)}, Forget{ExecutionId{1}});
  }
  EXPECT_EQ(trail.records.size(), 100u);
  EXPECT_EQ(last(), "bob team-b forget e1 PERMISSION_DENIED");
  clock.running = clock.running + Duration::seconds(1);
  ask({"bob", "team-b", 1u << unsigned(Role::reader)}, Forget{ExecutionId{1}});
  EXPECT_EQ(trail.records.size(), 101u);
  EXPECT_EQ(trail.records.back().unrecorded, 50u);
}

class KnowsNobody final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials&) const override {
    return Error{Code::unauthenticated, "the token has expired"};
  }
};

TEST_F(AuditTest, StrangersAreRecordedUpToTheSameRate) {
  KnowsNobody nobody;
  DoorWatch watch(nobody, *house.gateway, house.loop);
  for (int i = 0; i < 150; ++i)
    EXPECT_EQ(watch.authenticate({.bearer = "secret"}).error().code, Code::unauthenticated);
  while (trail.records.empty()) house.loop.run_once(Duration::milliseconds(10));
  EXPECT_EQ(trail.records.size(), 100u);
  EXPECT_EQ(last(), "  authenticate  UNAUTHENTICATED");
  clock.running = clock.running + Duration::seconds(1);
  EXPECT_FALSE(watch.authenticate({}).ok());
  while (trail.records.size() == 100) house.loop.run_once(Duration::milliseconds(10));
  EXPECT_EQ(trail.records.back().unrecorded, 50u);
}

TEST_F(AuditTest, ACallerHasItsRate) {
  Caller reader = caller(Role::reader);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(std::holds_alternative<Overview>(ask(reader, GetOverview{})));
  CallResult refused = ask(reader, GetOverview{});
  ASSERT_TRUE(std::holds_alternative<Error>(refused));
  EXPECT_EQ(std::get<Error>(refused).code, Code::resource_exhausted);
  EXPECT_NE(std::get<Error>(refused).message.find("calls_per_caller (10 in a second)"),
            std::string::npos);
  Caller other = reader;
  other.name = "bob";
  EXPECT_TRUE(std::holds_alternative<Overview>(ask(other, GetOverview{})));
  EXPECT_TRUE(std::holds_alternative<Overview>(ask({}, GetOverview{})));  // local: none
  Caller goes_on = reader;
  goes_on.counted = true;
  EXPECT_TRUE(std::holds_alternative<Overview>(ask(goes_on, GetOverview{})));
  clock.running = clock.running + Duration::milliseconds(100);
  EXPECT_TRUE(std::holds_alternative<Overview>(ask(reader, GetOverview{})));
}

TEST_F(AuditTest, CallsThatAreTooManyAreOneLineASecond) {
  Caller reader = caller(Role::reader);
  for (int i = 0; i < 103; ++i) ask(reader, GetOverview{});
  ASSERT_EQ(log.lines.size(), 1u) << "of three that were refused";
  EXPECT_STREQ(log.lines[0].event, "call_refused");
  EXPECT_EQ(log.lines[0].level, LogLevel::warn);
  EXPECT_NE(log.lines[0].message.find("calls_per_caller"), std::string::npos);
  clock.running = clock.running + Duration::seconds(1);
  for (int i = 0; i < 12; ++i) ask(reader, GetOverview{});
  EXPECT_EQ(log.lines.size(), 2u);
}

}  // namespace
}  // namespace pawl
