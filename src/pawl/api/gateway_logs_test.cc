// What programs have written, through the gateway.
#include <gtest/gtest.h>

#include "pawl/api/test_house.h"

namespace pawl {
namespace {

struct GatewayLogsTest : testing::Test {
  GatewayLogsTest() { client.set_patience(Duration::seconds(20)); }

  // Submits one node and waits until its attempt runs.
  ExecutionId begun() {
    house.executor.holding = true;
    ExecutionId id = client.submit({one_node, "one.yaml"}).value();
    while (!house.executor.has_held()) client.pump(Duration::milliseconds(100));
    return id;
  }
  void wrote(const char* name, uint64_t offset, const std::string& text) {
    ASSERT_TRUE(house.outputs.write({name, offset, text}).ok());
  }

  House house;
  LocalClient client{*house.gateway, house.loop};
  const std::string part_max = std::string(log_part_max, 'x');
};

TEST_F(GatewayLogsTest, PartsFollowEachOtherUntilTheAttemptIsOver) {
  ExecutionId id = begun();
  wrote("e1/work/0.1.out", 0, part_max + "\xc3");
  LogPart first = client.log({id, "work"}).value();
  EXPECT_EQ(first.attempt, 1u);
  EXPECT_EQ(first.text, part_max);
  EXPECT_FALSE(first.over);
  LogPart half = client.log({id, "work", 0, 1, LogStream::out, first.next}).value();
  EXPECT_EQ(half.next, first.next) << "half a character waits for the other half";
  wrote("e1/work/0.1.out", log_part_max + 1, "\xa4");
  EXPECT_EQ(client.log({id, "work", 0, 1, LogStream::out, first.next}).value().text, "\xc3\xa4");
  wrote("e1/work/0.1.out", log_part_max + 2, "\xff");
  house.executor.release();
  ASSERT_TRUE(client.await(id).ok());
  LogPart last = client.log({id, "work", 0, 1, LogStream::out, first.next}).value();
  EXPECT_EQ(last.bytes, "\xc3\xa4\xff");
  EXPECT_EQ(last.text, "");
  EXPECT_TRUE(last.over);
}

TEST_F(GatewayLogsTest, WhoWaitsIsToldOfMoreOrOfTheEnd) {
  ExecutionId id = begun();
  const ReadLog errors{id, "work", 0, 0, LogStream::err, 0, true};
  Ticket more = client.start(errors);
  client.pump(Duration::milliseconds(50));
  EXPECT_FALSE(client.done(more));
  wrote("e1/work/0.1.err", 0, "oh");
  while (!client.done(more)) client.pump(Duration::seconds(1));
  EXPECT_EQ(client.take_as<LogPart>(more)->text, "oh");
  ReadLog rest = errors;
  rest.offset = 2;
  Ticket end = client.start(rest);
  house.executor.release();
  while (!client.done(end)) client.pump(Duration::seconds(1));
  LogPart over = client.take_as<LogPart>(end).value();
  EXPECT_TRUE(over.over);
  EXPECT_EQ(over.content(), "");
}

TEST_F(GatewayLogsTest, WhoIsToldToWaitNoLongerGetsWhatThereIs) {
  ExecutionId id = begun();
  std::vector<CallAnswer> answers;
  struct Keeper final : Sink<CallAnswer> {
    explicit Keeper(std::vector<CallAnswer>& into) : answers(into) {}
    void put(CallAnswer answer) override { answers.push_back(std::move(answer)); }
    std::vector<CallAnswer>& answers;
  } keeper(answers);
  uint64_t call =
      house.gateway->call({7, ReadLog{id, "work", 0, 0, LogStream::out, 0, true}}, keeper);
  client.server().value();  // the first look has been had
  house.gateway->stop_waiting(call);
  while (answers.empty()) client.pump(Duration::seconds(1));
  EXPECT_FALSE(std::get<LogPart>(answers[0].result).over);
  house.gateway->forget(keeper);
}

TEST_F(GatewayLogsTest, AShortStdoutIsAnsweredFromItsResult) {
  struct Case {
    const char* result;
    const char* printed;
  };
  for (const Case& one :
       {Case{R"("a \"b\"")", "a \"b\"\n"}, Case{R"(["a","","b"])", "a\n\nb\n"},
        Case{R"({"n":1})", "{\"n\":1}\n"}, Case{R"("")", ""}, Case{"[1]", "[1]\n"},
        Case{R"({"stdout":"x","files":{"f":"/f"}})", "x\n"}}) {
    house.executor.output = one.result;
    ExecutionId id = client.submit({one_node, "one.yaml"}).value();
    ASSERT_TRUE(client.await(id).ok());
    LogPart part = client.log({id, "work"}).value();
    EXPECT_EQ(part.text, one.printed);
    EXPECT_TRUE(part.over);
    EXPECT_EQ(client.log({id, "work", 0, 1, LogStream::out, 1}).value().text,
              std::string(one.printed).substr(*one.printed != 0 ? 1 : 0));
    EXPECT_EQ(client.log({id, "work", 0, 1, LogStream::err}).value().text, "");
  }
}

TEST_F(GatewayLogsTest, ListsInPages) {
  ExecutionId id = begun();
  for (const char* name : {"e1/work/0.1.err", "e1/work/0.1.out", "e1/other/0.1.out"})
    wrote(name, 0, "text");
  ListLogs all{id};
  all.limit = 1;
  LogList first = client.logs(all).value();
  ASSERT_EQ(first.logs.size(), 1u);
  EXPECT_EQ(first.logs[0].size, 4u);
  EXPECT_EQ(first.next, "e1/work/0.1.out");
  all.after = first.next;
  LogList second = client.logs(all).value();
  ASSERT_EQ(second.logs.size(), 1u);
  EXPECT_EQ(second.logs[0].stream, LogStream::err);
  EXPECT_EQ(second.next, "");
  EXPECT_TRUE(client.logs({id, "work", 3}).value().logs.empty());
  EXPECT_EQ(client.logs({id, "wrok"}).error().code, Code::not_found);
  EXPECT_EQ(client.logs({id, "", {}, "e2/work/0.1.out"}).error().code, Code::invalid_argument);
}

TEST_F(GatewayLogsTest, WhatThereIsNotIsSaid) {
  ExecutionId id = begun();
  EXPECT_EQ(client.log({ExecutionId{9}, "work"}).error().code, Code::not_found);
  EXPECT_EQ(client.log({id, "wrok"}).error().code, Code::not_found);
  EXPECT_EQ(client.log({id, "work", 1}).error().code, Code::not_found);
  EXPECT_EQ(client.log({id, "work", 0, 2}).error().code, Code::not_found);
}

}  // namespace
}  // namespace pawl
