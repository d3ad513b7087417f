#include <gtest/gtest.h>

#include <map>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/engine/engine.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/sim_disk.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

constexpr uint64_t depth_max = 18;

class StillClock final : public Clock {
 public:
  Instant monotonic() override { return {1}; }
  WallTime wall() override { return {1}; }
};
class NoLoop final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {}
};
class Quiet final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};
class Answers final : public Sink<Response> {
 public:
  void put(Response response) override {
    if (auto* reply = std::get_if<Reply>(&response.what)) replies[response.ticket] = *reply;
  }
  std::map<Ticket, Reply> replies;
};

// An engine whose turns are the test's: what is put between two of them waits together.
class InboxTest : public testing::Test {
 protected:
  InboxTest() : evaluations(loop), evaluator(evaluations) {
    WalOptions log_options;
    log_options.log_id = {5, 5};
    log_options.segment_bytes = 1 << 20;
    log_options.ballast_bytes = 1 << 20;
    log_options.soft_free_bytes = 0;
    log_options.hard_free_bytes = 0;
    log_options.chain = wal::ChainMode::in_line;
    log = Wal::open(disk, clock, log_options).value();
    EngineOptions options;
    options.cluster = {9, 9};
    options.limits.inbox_depth_max = depth_max;
    engine = std::make_unique<Engine>(EnginePorts{loop, clock, *log, view, blob, evaluator,
                                                  evaluations, transport, telemetry, answers, note},
                                      options);
    EXPECT_TRUE(engine->recover().ok());
    for (uint8_t priority : {uint8_t{0}, priority_max}) {
      Workflow workflow;
      workflow.name = "p" + std::to_string(priority);
      workflow.nodes.resize(1);
      workflow.nodes[0].id = "a";
      workflow.nodes[0].type = NodeType::function;
      workflow.nodes[0].function = "work";
      workflow.nodes[0].priority = priority;
      EXPECT_TRUE(finish(workflow).ok());
      workflows[priority] = WorkflowId{ask(RegisterWorkflow{encode(workflow)}).number};
    }
  }

  Ticket put(decltype(Request::what) what) {
    engine->put({++last_ticket, std::move(what)});
    return last_ticket;
  }
  Ticket submit(uint8_t priority) {
    SubmitExecution submit;
    submit.workflow = workflows.at(priority);
    return put(Command{submit});
  }
  Reply ask(Command command) {
    Ticket ticket = put(std::move(command));
    turn();
    return answers.replies.at(ticket);
  }
  void turn() {
    do {
      engine->turn();
    } while (!engine->idle());
  }
  Code told(Ticket ticket) { return answers.replies.at(ticket).code; }

  SimDisk disk{7};
  StillClock clock;
  NoLoop loop;
  MapView view;
  MemoryBlob blob;
  MemoryReplayNote note;
  InprocTransport transport;
  Quiet telemetry;
  Answers answers;
  Mailbox<Evaluation> evaluations;
  SimEvaluator evaluator;
  std::unique_ptr<Wal> log;
  std::unique_ptr<Engine> engine;
  std::map<uint8_t, WorkflowId> workflows;
  Ticket last_ticket = 0;
};

TEST_F(InboxTest, LowPrioritiesFillHalfOfItAndHighOnesTheRest) {
  std::vector<Ticket> low, high;
  for (int i = 0; i < 12; ++i) low.push_back(submit(0));
  for (int i = 0; i < 12; ++i) high.push_back(submit(9));
  Ticket late = submit(0);
  turn();
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(told(low[i]), i < 9 ? Code::ok : Code::resource_exhausted) << i;
    EXPECT_EQ(told(high[i]), i < 9 ? Code::ok : Code::resource_exhausted) << i;
  }
  const Reply& refused = answers.replies.at(late);
  EXPECT_EQ(
      refused.message.find("the limit inbox_depth_max (18) is reached: priority 0 may fill 9, "
                           "and 18 are taken"),
      0u)
      << refused.message;
  EXPECT_GE(refused.retry_after, retry_after_min);
  EXPECT_EQ(engine->figures().counted.shed[static_cast<size_t>(Shed::inbox)], 7u);
  EXPECT_EQ(engine->figures().counts.submitted, 18u);
  SubmitExecution again;
  again.workflow = workflows.at(0);
  EXPECT_EQ(ask(again).code, Code::ok) << "it is empty again";
}

TEST_F(InboxTest, WhoeverSteersRunningWorkIsNeverRefused) {
  SubmitExecution first;
  first.workflow = workflows.at(9);
  ExecutionId open{ask(first).number};
  for (uint64_t i = 0; i < depth_max; ++i) submit(9);
  Ticket question = put(Query{GetExecution{open}});
  Ticket more = put(Command{RegisterWorkflow{"nonsense"}});
  ConfigureQueue change;
  change.name = "default";
  change.paused = true;
  Ticket pause = put(Command{change});
  Ticket cancel = put(Command{CancelExecution{open, "now"}});
  turn();
  EXPECT_EQ(told(question), Code::resource_exhausted);
  EXPECT_EQ(told(more), Code::resource_exhausted);
  EXPECT_EQ(told(pause), Code::ok);
  EXPECT_EQ(told(cancel), Code::ok);
  EXPECT_EQ(engine->figures().counted.shed[static_cast<size_t>(Shed::inbox)], 0u)
      << "no submission was";
}

}  // namespace
}  // namespace pawl
