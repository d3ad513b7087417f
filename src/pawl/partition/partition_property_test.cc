// Random workflows, clients and workers: what must hold after every step, whatever happens.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "pawl/partition/describe.h"
#include "pawl/partition/scene.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/testing/scenario/random_life.h"

namespace pawl {
namespace {

// Watches the events alone.
class Witness {
 public:
  void see(const std::vector<Event>& events) {
    for (const Event& event : events) std::visit([this](const auto& e) { take(e); }, event);
  }

 private:
  void take(const AttemptsGranted& event) {
    for (ItemIndex item = event.range.begin; item < event.range.end; ++item) {
      TaskKey task = event.range.at(item);
      EXPECT_EQ(event.attempt, ++attempts_[task]) << "attempts count 1, 2, 3 without a gap";
      EXPECT_FALSE(ended_.contains(task)) << "an ended task is never granted";
    }
  }
  void end(const TaskRange& range) {
    for (ItemIndex item = range.begin; item < range.end; ++item)
      EXPECT_TRUE(ended_.insert(range.at(item)).second) << "a task ends once";
  }
  void take(const AttemptsSucceeded& event) { end(event.range); }
  void take(const DeadLettersDiscarded& event) { end(event.range); }
  void take(const TaskCancelled& event) {
    end({event.task.execution, event.task.node, event.task.item, event.task.item + 1});
  }
  void take(const ExecutionSubmitted& event) {
    if (!event.request_id.empty()) {
      EXPECT_TRUE(requests_.insert(event.request_id).second) << "a request id has one effect";
    }
  }
  void take(const ExecutionEnded& event) {
    EXPECT_TRUE(ended_executions_.insert(event.execution).second) << "an execution ends once";
  }
  void take(const ExecutionCancelled& event) {
    EXPECT_TRUE(ended_executions_.insert(event.execution).second) << "an execution ends once";
  }
  template <class Other>
  void take(const Other&) {}

  std::map<TaskKey, AttemptNumber> attempts_;
  std::set<TaskKey> ended_;
  std::set<ExecutionId> ended_executions_;
  std::set<std::string> requests_;
};

void expect_conserved(const State& state) {
  ASSERT_EQ(inconsistency(state), "");
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    for (const NodeRun& run : e->nodes) {
      TaskCounts c = count_tasks(run);
      EXPECT_EQ(
          c.ready + c.running + c.backing_off + c.parked + c.succeeded + c.failed + c.cancelled,
          c.total);
      EXPECT_LE(c.ready, c.total);
    }
  }
  for (const auto& [id, session] : state.sessions)
    EXPECT_LE(session.outstanding, session.worker.credit);
}

// A task that is ready while a worker has credit for it would be a task forgotten.
void expect_nothing_forgotten(const State& state) {
  if (state.ready.depth() == 0) return;
  std::vector<WorkerLoad> workers = worker_loads(state);
  StateFacts facts(state);
  Scene scene{state.ready, state.queues, workers, facts, state.now};
  EXPECT_FALSE(pick_next(scene).has_value());
}

void live_to_the_end(uint64_t seed, std::set<size_t>& kinds) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomLife life(seed);
  Limits limits;
  limits.ended_executions_kept_max = seed % 4;
  PartitionRig rig(limits, seed, any_slot(seed));
  Witness witness;
  size_t seen = 0;
  auto look = [&](bool deep) {
    for (; seen < rig.groups().size(); ++seen) witness.see(rig.groups()[seen].events);
    expect_conserved(rig.state());
    expect_nothing_forgotten(rig.state());
    rig.take_effects();
    if (deep) {
      EXPECT_EQ(rig.problem(), "");
    }
  };
  Random dice(seed ^ 0x11fe);
  for (int step = 0; step < 120; ++step) {
    rig.advance(life.pause());
    rig.command(life.next(rig.state()));
    if (dice.chance(20)) rig.checkpoint();
    if (dice.chance(10)) rig.restart();
    look(step % 40 == 39);
    if (testing::Test::HasFailure()) return;
  }
  for (int round = 0; round < 400 && rig.state().counts.open() > 0; ++round) {
    rig.group(life.calm(rig.state()));
    rig.advance(Duration::seconds(round < 100 ? 1 : 60));
    look(false);
    if (testing::Test::HasFailure()) return;
  }
  for (const Group& group : rig.groups()) {
    for (const Event& event : group.events) kinds.insert(event.index());
  }
  EXPECT_EQ(rig.state().counts.open(), 0u) << "in calm weather everything ends";
  look(true);
}

TEST(PartitionProperty, HoldsUnderRandomLife) {
  std::set<size_t> kinds;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    live_to_the_end(seed, kinds);
    if (HasFailure()) return;
  }
  // All but the two that nothing emits yet, and what only a recovery records: a life in which nothing happens proves nothing.
  EXPECT_EQ(kinds.size(), std::variant_size_v<Event> - 3);
}

// The depth of a DAG, not its width, is the number of rounds between partition and workers.
TEST(PartitionProperty, WidthCostsNoRounds) {
  constexpr NodeIndex depth = 5;
  constexpr NodeIndex width = 40;
  Workflow workflow;
  workflow.name = "wide";
  for (NodeIndex level = 0; level < depth; ++level) {
    for (NodeIndex i = 0; i < width; ++i) {
      Node node;
      node.id = "n" + std::to_string(level) + "_" + std::to_string(i);
      node.type = NodeType::function;
      node.function = "work";
      for (NodeIndex need = 0; level > 0 && need < width; ++need)
        node.needs.push_back((level - 1) * width + need);
      workflow.nodes.push_back(std::move(node));
    }
  }
  PartitionRig rig;
  rig.worker(1000, {"work"});
  ExecutionId id = rig.submit(rig.add(std::move(workflow)));
  uint32_t rounds = 0;
  while (rig.state().counts.open() > 0 && rounds <= 2 * depth) {
    std::vector<Command> reports;
    for (NodeIndex node = 0; node < depth * width; ++node) {
      for (const Grant& grant : rig.open({id, node, 0, 1})) {
        AttemptReport report;
        report.range = grant.range;
        report.attempt = grant.attempt;
        report.nonce = grant.nonce;
        report.succeeded = true;
        reports.push_back(ReportAttempts{grant.session, {report}});
      }
    }
    rig.group(reports);
    ++rounds;
  }
  EXPECT_EQ(rounds, depth);
}

}  // namespace
}  // namespace pawl
