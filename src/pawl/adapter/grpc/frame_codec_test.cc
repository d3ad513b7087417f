#include "pawl/adapter/grpc/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pawl/base/random.h"

namespace pawl {
namespace {

WorkflowRef workflow_of(const std::string& name) {
  Workflow workflow;
  workflow.name = name;
  for (const char* id : {"first", "second"}) {
    Node& node = workflow.nodes.emplace_back();
    node.id = id;
    node.process.argv = {Template{}};
  }
  Status status = finish(workflow);
  EXPECT_TRUE(status.ok());
  return std::make_shared<const Workflow>(std::move(workflow));
}

Grant grant_of(WorkflowRef workflow, uint64_t execution, uint32_t items) {
  RunContext context;
  context.execution = ExecutionId{execution};
  context.workflow = std::move(workflow);
  context.node = 1;
  context.input = Payload::inline_json("{\"n\":" + std::to_string(execution) + "}");
  context.labels = "{\"user_id\":\"u\"}";
  auto mapped = std::make_shared<ItemOutputs>(5);
  mapped->set(3, Payload::inline_json("\"three\""));
  context.outputs.push_back(
      {0, Payload::blob({ExecutionId{execution}, 2, 70'000, {1, 2}}), mapped});
  context.items = Payload::inline_json(encode_items("[1,\"zwei\",null]"));
  context.items_count = items;
  context.cluster = {7, 9};
  Grant grant;
  grant.session = SessionId{4};
  grant.range = {ExecutionId{execution}, 1, 0, items};
  grant.attempt = 2;
  grant.nonce = 0xffff'ffff'ffff'fff1;
  grant.context = std::make_shared<const RunContext>(std::move(context));
  return grant;
}

Message around(MessageBody body) {
  Message message;
  message.from = 0xfedc'ba98'7654'3210;
  message.to = 1;
  message.incarnation = 3;
  message.peer_incarnation = 8;
  message.sequence = 12;
  message.acknowledged = 11;
  message.body = std::move(body);
  return message;
}

template <class Body>
Body over(const Body& body) {
  FrameEncoder encoder;
  FrameDecoder decoder;
  Result<Message> message = decoder.decode(encoder.encode(around(body)));
  EXPECT_TRUE(message.ok());
  EXPECT_EQ(message.value().from, 0xfedc'ba98'7654'3210u);
  EXPECT_EQ(message.value().to, 1u);
  EXPECT_EQ(message.value().incarnation, 3u);
  EXPECT_EQ(message.value().peer_incarnation, 8u);
  EXPECT_EQ(message.value().sequence, 12u);
  EXPECT_EQ(message.value().acknowledged, 11u);
  return std::get<Body>(message.value().body);
}

TEST(FrameCodec, WhatWorkersSayComesBackAsItWas) {
  Hello hello;
  hello.worker.name = "w";
  hello.worker.slots = 3;
  hello.worker.credit = 40;
  hello.worker.node_types = 0b101;
  hello.worker.functions = {"add", "subtract"};
  hello.worker.lease = Duration::seconds(7);
  hello.session = SessionId{12};
  hello.held = {{{ExecutionId{4}, 1, 10, 20}, 3, 0xfedcba9876543210}};
  Hello same = over(hello);
  EXPECT_EQ(same.worker.name, "w");
  EXPECT_EQ(same.worker.slots, 3u);
  EXPECT_EQ(same.worker.credit, 40u);
  EXPECT_EQ(same.worker.node_types, 0b101u);
  EXPECT_EQ(same.worker.functions, hello.worker.functions);
  EXPECT_EQ(same.session, hello.session);
  ASSERT_EQ(same.held.size(), 1u);
  EXPECT_EQ(same.held[0].range, hello.held[0].range);
  EXPECT_EQ(same.held[0].attempt, 3u);
  EXPECT_EQ(same.held[0].nonce, hello.held[0].nonce);
  EXPECT_EQ(same.worker.lease, Duration::seconds(7));

  AttemptReport good, bad;
  good.range = {ExecutionId{17}, 2, 5, 7};
  good.attempt = 3;
  good.nonce = 99;
  good.succeeded = true;
  good.outputs = {Payload::inline_json("1"), Payload()};
  good.times = {Duration::seconds(3), Duration::microseconds(8)};
  bad.range = {ExecutionId{17}, 2, 7, 8};
  bad.kind = FailureKind::signal;
  bad.exit_code = 9;
  bad.error = "killed";
  Reports reports = over(Reports{{good, bad}});
  ASSERT_EQ(reports.reports.size(), 2u);
  EXPECT_EQ(reports.reports[0].range, good.range);
  EXPECT_EQ(reports.reports[0].attempt, 3u);
  EXPECT_EQ(reports.reports[0].nonce, 99u);
  EXPECT_TRUE(reports.reports[0].succeeded);
  EXPECT_EQ(reports.reports[0].outputs, good.outputs);
  EXPECT_EQ(reports.reports[0].times, good.times);
  EXPECT_FALSE(reports.reports[1].times) << "not measured";
  EXPECT_EQ(reports.reports[1].kind, FailureKind::signal);
  EXPECT_EQ(reports.reports[1].exit_code, 9);
  EXPECT_EQ(reports.reports[1].error, "killed");

  AttemptUsage usage{Duration::seconds(5), Duration::milliseconds(20), 3 << 20};
  Progress progress =
      over(Progress{{{{ExecutionId{17}, 2, 6}, 3, 500, "half", usage}}, {{ExecutionId{17}, 2, 4}}});
  EXPECT_EQ(progress.items.at(0).usage, usage);
  EXPECT_EQ(progress.items.at(0).task, (TaskKey{ExecutionId{17}, 2, 6}));
  EXPECT_EQ(progress.items.at(0).permille, 500u);
  EXPECT_EQ(progress.running, (std::vector{RunningAttempts{ExecutionId{17}, 2, 4}}));
  EXPECT_EQ(progress.items.at(0).message, "half");
  WorkerUsage worker{3, 1700, 1 << 30, "1.2.3"};
  EXPECT_EQ(over(Heartbeat{worker}).usage, worker);
  over(Goodbye{});
  Returned returned = over(Returned{{{{ExecutionId{1}, 0, 3, 9}, 2, 77}}});
  EXPECT_EQ(returned.attempts.at(0).range, (TaskRange{ExecutionId{1}, 0, 3, 9}));
  EXPECT_EQ(returned.attempts.at(0).attempt, 2u);
  EXPECT_EQ(returned.attempts.at(0).nonce, 77u);
  EXPECT_TRUE(over(Returned{}).attempts.empty());
}

TEST(FrameCodec, WhatTheEngineSaysComesBackAsItWas) {
  EXPECT_EQ(over(Welcome{SessionId{5}}).session, SessionId{5});
  EXPECT_EQ(over(Welcome{SessionId{5}}).partitions, 1u);
  EXPECT_EQ(over(Welcome{SessionId{5}, 8}).partitions, 8u);
  EXPECT_EQ(over(Welcome{SessionId{5}, ~0u}).partitions, partitions_max);
  EXPECT_EQ(over(Closed{"too old"}).reason, "too old");
  Stops stops = over(Stops{{{{ExecutionId{1}, 0, 3, 9}, 2, 77}}});
  EXPECT_EQ(stops.stops.at(0).range, (TaskRange{ExecutionId{1}, 0, 3, 9}));
  EXPECT_EQ(stops.stops.at(0).attempt, 2u);
  EXPECT_EQ(stops.stops.at(0).nonce, 77u);
  Recall recall = over(Recall{{{{ExecutionId{1}, 0, 3, 9}, 2, 77}}});
  EXPECT_EQ(recall.attempts.at(0).range, (TaskRange{ExecutionId{1}, 0, 3, 9}));
  EXPECT_EQ(recall.attempts.at(0).nonce, 77u);

  Grant grant = grant_of(workflow_of("w"), 17, 3);
  Grants grants = over(Grants{{grant}});
  const Grant& same = grants.grants.at(0);
  EXPECT_EQ(same.session, grant.session);
  EXPECT_EQ(same.range, grant.range);
  EXPECT_EQ(same.attempt, grant.attempt);
  EXPECT_EQ(same.nonce, grant.nonce);
  EXPECT_EQ(same.context->execution, ExecutionId{17});
  EXPECT_EQ(same.context->definition(), grant.context->definition());
  EXPECT_EQ(same.context->workflow->dependents, grant.context->workflow->dependents);
  EXPECT_EQ(same.context->input, grant.context->input);
  EXPECT_EQ(same.context->labels, grant.context->labels);
  EXPECT_EQ(same.context->items, grant.context->items);
  EXPECT_EQ(same.context->items_count, 3u);
  EXPECT_EQ(same.context->cluster, grant.context->cluster);
  ASSERT_EQ(same.context->outputs.size(), 1u);
  EXPECT_EQ(same.context->outputs[0].value, grant.context->outputs[0].value);
  ASSERT_EQ(same.context->outputs[0].mapped->count(), 5u);
  EXPECT_EQ(same.context->outputs[0].mapped->get(3), Payload::inline_json("\"three\""));
  EXPECT_TRUE(same.context->outputs[0].mapped->get(2).is_absent());
}

TEST(FrameCodec, WhatIsSharedCrossesOnce) {
  FrameEncoder encoder;
  FrameDecoder decoder;
  Grant grant = grant_of(workflow_of("w"), 17, 3);
  std::string first = encoder.encode(around(Grants{{grant}}));
  std::string second = encoder.encode(around(Grants{{grant, grant}}));
  EXPECT_LT(second.size(), first.size());
  Result<Message> one = decoder.decode(first);
  Result<Message> two = decoder.decode(second);
  ASSERT_TRUE(one.ok() && two.ok());
  RunContextRef context = std::get<Grants>(one.value().body).grants.at(0).context;
  for (const Grant& same : std::get<Grants>(two.value().body).grants)
    EXPECT_EQ(same.context, context) << "the very same object";
}

TEST(FrameCodec, MoreContextsAndWorkflowsThanSlotsInOneFrame) {
  std::vector<WorkflowRef> workflows;
  for (int i = 0; i < 300; ++i) workflows.push_back(workflow_of("w" + std::to_string(i)));
  FrameEncoder encoder;
  FrameDecoder decoder;
  Random dice(1);
  std::vector<Grant> known;
  for (int frame = 0; frame < 5; ++frame) {
    Grants grants;
    for (int i = 0; i < 1500; ++i) {
      if (!known.empty() && dice.below(3) == 0) {
        grants.grants.push_back(known[dice.below(known.size())]);
      } else {
        grants.grants.push_back(grant_of(workflows[dice.below(300)], known.size() + 1, 3));
        known.push_back(grants.grants.back());
      }
    }
    Result<Message> message = decoder.decode(encoder.encode(around(grants)));
    ASSERT_TRUE(message.ok()) << message.error().message;
    const Grants& same = std::get<Grants>(message.value().body);
    ASSERT_EQ(same.grants.size(), grants.grants.size());
    for (size_t i = 0; i < grants.grants.size(); ++i) {
      EXPECT_EQ(same.grants[i].context->execution, grants.grants[i].context->execution);
      EXPECT_EQ(same.grants[i].context->workflow->name, grants.grants[i].context->workflow->name);
    }
  }
}

TEST(FrameCodec, AFrameThatNamesWhatIsNotThereIsRefused) {
  FrameEncoder encoder;
  Grant grant = grant_of(workflow_of("w"), 17, 3);
  encoder.encode(around(Grants{{grant}}));
  FrameDecoder fresh;
  Result<Message> message = fresh.decode(encoder.encode(around(Grants{{grant}})));
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().code, Code::invalid_argument);
  EXPECT_NE(message.error().message.find("slot 0"), std::string::npos);
}

TEST(FrameCodec, ABodyOfALaterVersionCountsAndIsPassedOver) {
  std::string bytes = FrameEncoder().encode(around(Unknown{}));
  bytes += std::string("\xfa\x06\x01\x00", 4);  // field 111: a message of one byte
  Result<Message> message = FrameDecoder().decode(bytes);
  ASSERT_TRUE(message.ok()) << message.error().message;
  EXPECT_EQ(message.value().sequence, 12u);
  EXPECT_TRUE(std::holds_alternative<Unknown>(message.value().body));
}

TEST(FrameCodec, DamagedFramesAreRefusedOrHarmless) {
  Random dice(7);
  Grant grant = grant_of(workflow_of("w"), 17, 3);
  std::string whole = FrameEncoder().encode(around(Grants{{grant}}));
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged =
        whole.substr(0, dice.below(4) == 0 ? dice.below(whole.size()) : whole.size());
    for (uint64_t flips = dice.below(4); flips > 0 && !damaged.empty(); --flips)
      damaged[dice.below(damaged.size())] = static_cast<char>(dice.below(256));
    FrameDecoder decoder;
    Result<Message> message = decoder.decode(damaged);
    if (!message.ok()) continue;
    const auto* grants = std::get_if<Grants>(&message.value().body);
    if (grants == nullptr) continue;
    for (const Grant& one : grants->grants) EXPECT_LE(one.range.end, one.context->items_count);
  }
}

}  // namespace
}  // namespace pawl
