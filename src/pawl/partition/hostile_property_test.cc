// Whatever a client or worker says, in whatever order and with whatever numbers: the partition
// answers, its state agrees with itself, and a replay gives the same state.

#include <gtest/gtest.h>

#include "pawl/base/json.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/testing/scenario/random_life.h"

namespace pawl {
namespace {

// Numbers that exist, numbers just beside them, numbers from nowhere.
class Hostile {
 public:
  explicit Hostile(uint64_t seed) : dice_(seed) {}

  Command next(const State& state) {
    switch (dice_.below(13)) {
      case 0:
        return RegisterWorkflow{text()};
      case 1: {
        SubmitExecution submit{text(),
                               {number(2), 1},
                               WorkflowId{number(state.last_workflow)},
                               payload(),
                               dice_.chance(500) ? "" : text()};
        return submit;
      }
      case 2:
        return CancelExecution{execution(state), text()};
      case 3:
        return CancelTask{range(state).at(item()), text()};
      case 4:
        return RedriveDeadLetters{selection(state)};
      case 5:
        return DiscardDeadLetters{selection(state)};
      case 6:
        return OpenSession{worker()};
      case 7:
        return RenewSession{SessionId{number(state.last_session)}};
      case 8:
        return CloseSession{SessionId{number(state.last_session)}, text()};
      case 9:
        return evaluation(state);
      case 10: {
        ConfigureQueue change;
        change.name = dice_.chance(500) ? "default" : text();
        change.strategy = static_cast<Strategy>(dice_.below(6));
        change.paused = dice_.chance(100);
        change.concurrency_max = number(5);
        change.rate_permille = number(5);
        change.burst = number(5);
        change.aging = Duration{static_cast<int64_t>(dice_.next() >> dice_.below(64))};
        return change;
      }
      default:
        return report(state);
    }
  }

 private:
  uint64_t number(uint64_t known) {
    if (dice_.chance(700)) return dice_.between(0, known);
    return dice_.chance(500) ? known + dice_.below(3) : dice_.next() >> dice_.below(64);
  }
  std::string text() {
    static const char* texts[] = {"", "null", "{}", "[1,", "\xff\xfe", "\"a\"", "{\"list\":3}"};
    if (dice_.chance(50)) return std::string(dice_.below(10'000), 'x');
    return texts[dice_.below(std::size(texts))];
  }
  ItemIndex item() { return static_cast<ItemIndex>(number(4)); }
  ExecutionId execution(const State& state) { return ExecutionId{number(state.last_execution)}; }
  TaskRange range(const State& state) {
    return {execution(state), static_cast<NodeIndex>(number(4)), item(), item()};
  }
  Payload payload() {
    if (dice_.chance(800)) return Payload::inline_json(text());
    return Payload::blob({ExecutionId{number(5)}, dice_.next(), number(100), {1, 2}});
  }
  DeadLetterSelection selection(const State& state) {
    return {execution(state), dice_.chance(500), static_cast<NodeIndex>(number(4)),
            dice_.chance(500), item()};
  }
  WorkerSpec worker() {
    WorkerSpec spec;
    spec.name = text();
    spec.slots = static_cast<uint32_t>(number(2));
    spec.credit = static_cast<uint32_t>(number(8));
    spec.node_types = static_cast<uint32_t>(dice_.next());
    spec.functions = {text(), "work"};
    if (dice_.chance(500)) spec.queues = {text(), "default"};
    if (dice_.chance(500)) spec.capacity = {{"cpu", number(4)}, {text(), dice_.next()}};
    if (dice_.chance(500)) spec.labels = {{text(), text()}};
    spec.weight = static_cast<uint32_t>(number(3));
    spec.lease = Duration{static_cast<int64_t>(dice_.next() >> dice_.below(64))};
    return spec;
  }
  ReportEvaluation evaluation(const State& state) {
    ReportEvaluation report;
    report.execution = execution(state);
    report.node = static_cast<NodeIndex>(number(4));
    report.purpose = static_cast<EvaluationPurpose>(dice_.below(3));
    report.error = text();
    return report;
  }
  ReportAttempts report(const State& state) {
    AttemptReport report;
    report.range = range(state);
    report.attempt = static_cast<AttemptNumber>(number(2));
    report.nonce = dice_.next();
    SessionId session{number(state.last_session)};
    if (!state.granted.empty() && dice_.chance(700)) {  // almost the truth
      NodeKey key = *state.granted.begin();
      const OpenRange& open =
          state.executions.find(key.execution)->nodes[key.node].work->open.front();
      report.range = {key.execution, key.node, open.span.begin, open.span.end};
      report.attempt = open.attempt;
      report.nonce = open.nonce;
      session = open.session;
      if (dice_.chance(200)) report.range.begin = item();
      if (dice_.chance(200)) report.range.end = item();
      if (dice_.chance(100)) ++report.attempt;
    }
    report.succeeded = dice_.chance(500);
    uint64_t outputs = dice_.chance(500) ? report.range.size() % 20 : dice_.below(3);
    for (uint64_t i = 0; i < outputs; ++i) report.outputs.push_back(payload());
    report.kind = static_cast<FailureKind>(dice_.below(10));
    report.exit_code = static_cast<int32_t>(dice_.next());
    report.error = text();
    return {session, {report, report}};
  }

  Random dice_;
};

void expect_only_json(const State& state) {
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    for (const NodeRun& run : e->nodes) {
      if (!run.work || run.work->output.is_blob()) continue;
      EXPECT_TRUE(json_validate(run.work->output.text()).ok()) << run.work->output.text();
    }
    EXPECT_LE(e->error.size(), state.limits.error_bytes_max);
  }
}

TEST(HostileProperty, NoInputAborts) {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Limits limits;
    limits.error_bytes_max = 300;
    limits.ended_executions_kept_max = seed % 3;
    PartitionRig rig(limits, seed, any_slot(seed));
    RandomLife life(seed);
    Hostile hostile(seed);
    Random dice(seed);
    for (int step = 0; step < 300; ++step) {
      rig.advance(life.pause());
      bool healthy = rig.state().last_workflow == 0 || dice.chance(400);
      Reply reply = rig.command(healthy ? life.next(rig.state()) : hostile.next(rig.state()));
      if (!healthy) ++(reply.code == Code::ok ? accepted : refused);
      if (dice.chance(20)) rig.checkpoint();
      if (dice.chance(10)) rig.restart();
      ASSERT_EQ(inconsistency(rig.state()), "");
    }
    expect_only_json(rig.state());
    ASSERT_EQ(rig.problem(), "");
  }
  EXPECT_GT(accepted, 1000u);
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace pawl
