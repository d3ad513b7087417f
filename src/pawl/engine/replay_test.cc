#include "pawl/engine/replay.h"

#include <gtest/gtest.h>

#include "pawl/partition/snapshot.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

// The process dies of one event: of its group, as long as groups are noted, then of the event itself.
class DyingNote final : public ReplayNote {
 public:
  ReplayRemains read() override { return kept.read(); }
  void done() override {}  // the dead do not say so
  Status write(ByteView bytes) override {
    PAWL_CHECK(kept.write(bytes).ok(), "memory takes every note");
    ReplayPlace place = decode_replay_place(bytes);
    if (place.group != group || group == 0) return {};
    for (const ExecutionQuarantined& one : place.found) {
      if (one.position == group && one.index + 1 == event) return {};
    }
    if (place.careful && place.event != event) return {};
    if (!killed) kept.die();
    return Error{Code::unavailable, "the process has died"};
  }

  MemoryReplayNote kept;
  uint64_t group = 0;
  uint32_t event = 0;   // from 1
  bool killed = false;  // from outside
};

class ListLog final : public Log {
 public:
  class Reader final : public LogReader {
   public:
    Reader(const std::vector<Bytes>& groups, uint64_t from) : groups_(groups), at_(from) {}
    Result<std::optional<LogGroup>> next() override {
      if (at_ > groups_.size()) return std::optional<LogGroup>();
      uint64_t position = at_++;
      return std::optional(LogGroup{position, 1, groups_[position - 1]});
    }
    std::string place() const override { return "segment 1 at offset 77"; }

   private:
    const std::vector<Bytes>& groups_;
    uint64_t at_;
  };
  Result<uint64_t> take_over() override { return 1; }
  uint64_t first() const override { return 1; }
  uint64_t tail() const override { return groups.size(); }
  void append(uint64_t, Bytes group, AppendMode) override { groups.push_back(std::move(group)); }
  std::optional<AppendDone> poll() override { return std::nullopt; }
  Result<std::unique_ptr<LogReader>> read(uint64_t from) override {
    return std::unique_ptr<LogReader>(new Reader(groups, from));
  }
  Status trim(uint64_t) override { return {}; }
  uint64_t bytes() const override { return 0; }
  Durability durability() const override { return Durability::volatile_; }

  std::vector<Bytes> groups;
};

class Quiet final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};

// Two executions of one node each, both granted to one worker; then the worker is lost.
class ReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    Workflow workflow;
    workflow.name = "one";
    Node node;
    node.id = "only";
    node.type = NodeType::function;
    node.function = "f";
    workflow.nodes = {node};
    WorkflowId id = rig_.add(workflow);
    first_ = rig_.submit(id);
    second_ = rig_.submit(id);
    SessionId worker = rig_.worker(4, {"f"});
    rig_.succeed({first_, 0, 0, 1});
    rig_.command(CloseSession{worker, "it is gone"});
    for (const Group& group : rig_.groups()) log_.groups.push_back(encode(group));
  }

  // Where the first event stands of this kind that is about `execution`.
  template <class Kind>
  void poison(ExecutionId execution) {
    for (const Group& group : rig_.groups()) {
      for (uint32_t index = 0; index < group.events.size(); ++index) {
        const Event& event = group.events[index];
        if (!std::holds_alternative<Kind>(event) || execution_of(event) != execution) continue;
        note_.group = group.position;
        note_.event = index + 1;
        return;
      }
    }
    FAIL() << "the rig made no such event";
  }

  // One process; false: it died.
  bool start(ReplayNote& note) {
    partition_ = std::make_unique<Partition>(Limits{});
    history_.clear();
    replay_ =
        std::make_unique<Replay>(Replay::Ports{log_, note, telemetry_}, *partition_, history_);
    outcome_ = replay_->run(1);
    return outcome_.ok() || outcome_.error().code != Code::unavailable;
  }
  ExecutionStatus status_of(ExecutionId id) const {
    return partition_->state().executions.find(id)->status;
  }

  PartitionRig rig_;
  ListLog log_;
  DyingNote note_;
  Quiet telemetry_;
  HistoryTail history_;
  std::unique_ptr<Partition> partition_;
  std::unique_ptr<Replay> replay_;
  Status outcome_;
  ExecutionId first_;
  ExecutionId second_;
};

TEST_F(ReplayTest, TheThirdProcessLeavesThePoisonedEventOut) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  ASSERT_TRUE(start(note_));
  ASSERT_TRUE(outcome_.ok()) << outcome_.error().message;
  ASSERT_EQ(replay_->found().size(), 1u);
  EXPECT_EQ(replay_->found().front().execution, second_);
  EXPECT_EQ(status_of(second_), ExecutionStatus::quarantined);
  EXPECT_EQ(status_of(first_), ExecutionStatus::succeeded);
  EXPECT_EQ(partition_->state().counts.quarantined, 1u);
  EXPECT_EQ(partition_->state().counts.open(), 0u);
  EXPECT_EQ(inconsistency(partition_->state()), "");
}

TEST_F(ReplayTest, OnceRecordedEveryReplayLeavesItOutAtTheSamePlace) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  ASSERT_TRUE(start(note_));
  StepOutput out;
  partition_->resume(out);
  partition_->begin_group(partition_->state().now, partition_->state().wall);
  partition_->start_epoch(7, {7, 7}, out);
  partition_->record(replay_->found().front(), out);
  log_.groups.push_back(encode(
      Group{log_.tail() + 1, 7, partition_->state().now, partition_->state().wall, out.events}));
  Hash128 live = state_hash(partition_->state());
  StepOutput refused;
  partition_->step(CancelExecution{second_, "why not"}, 1, 1, refused);
  EXPECT_TRUE(refused.events.empty());
  EXPECT_NE(std::get<Answer>(refused.effects.front()).reply.message.find("quarantined"),
            std::string::npos);
  MemoryReplayNote other;
  ASSERT_TRUE(start(other));
  EXPECT_TRUE(replay_->found().empty());
  EXPECT_EQ(state_hash(partition_->state()), live);
}

TEST_F(ReplayTest, WhatIsFoundSurvivesADeathBeforeItIsRecorded) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  ASSERT_TRUE(start(note_));
  ASSERT_TRUE(start(note_)) << "it died after its replay, before anything was durable";
  ASSERT_EQ(replay_->found().size(), 1u);
  EXPECT_EQ(status_of(second_), ExecutionStatus::quarantined);
}

TEST_F(ReplayTest, AnEventOfNoExecutionStopsThePartitionAndSaysWhere) {
  for (const Group& group : rig_.groups()) {
    for (uint32_t index = 0; index < group.events.size(); ++index) {
      if (!std::holds_alternative<SessionClosed>(group.events[index])) continue;
      note_.group = group.position;
      note_.event = index + 1;
    }
  }
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(start(note_));
    ASSERT_FALSE(outcome_.ok());
    EXPECT_NE(outcome_.error().message.find("segment 1 at offset 77"), std::string::npos);
    EXPECT_NE(outcome_.error().message.find("SessionClosed"), std::string::npos);
  }
}

TEST_F(ReplayTest, WhoIsKilledAtOneEventTimeAndAgainAccusesNobody) {
  poison<AttemptsGranted>(second_);
  note_.killed = true;
  for (int time = 0; time < 5; ++time) EXPECT_FALSE(start(note_));
  note_.group = 0;
  ASSERT_TRUE(start(note_));
  EXPECT_TRUE(replay_->found().empty());
  EXPECT_EQ(partition_->state().counts.quarantined, 0u);
}

TEST_F(ReplayTest, AKillBetweenTwoDeathsOnlyBeginsTheSuspicionAnew) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  note_.killed = true;
  EXPECT_FALSE(start(note_));
  note_.killed = false;
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  ASSERT_TRUE(start(note_));
  EXPECT_EQ(status_of(second_), ExecutionStatus::quarantined);
}

TEST_F(ReplayTest, AKillForgetsNothingThatWasFound) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  DyingNote killed;
  killed.kept = note_.kept;
  killed.killed = true;
  killed.group = 1;
  killed.event = 1;
  EXPECT_FALSE(start(killed));
  killed.group = 0;
  ASSERT_TRUE(start(killed));
  EXPECT_EQ(status_of(second_), ExecutionStatus::quarantined);
}

TEST_F(ReplayTest, DeathsInDifferentGroupsAccuseNobody) {
  note_.event = 1;
  for (uint64_t group : {2, 3, 4}) {
    note_.group = group;
    EXPECT_FALSE(start(note_));
  }
  note_.group = 0;
  ASSERT_TRUE(start(note_));
  EXPECT_TRUE(replay_->found().empty());
  EXPECT_EQ(partition_->state().counts.quarantined, 0u);
}

TEST_F(ReplayTest, ANoteOfAnotherTailIsIgnored) {
  poison<AttemptsGranted>(second_);
  EXPECT_FALSE(start(note_));
  EXPECT_FALSE(start(note_));
  log_.groups.push_back(encode(Group{log_.tail() + 1, 1, rig_.state().now, rig_.state().wall, {}}));
  EXPECT_FALSE(start(note_)) << "a new suspicion begins with the group";
  EXPECT_TRUE(decode_replay_place(note_.kept.read().note).group == note_.group);
  EXPECT_FALSE(decode_replay_place(note_.kept.read().note).careful);
}

}  // namespace
}  // namespace pawl
