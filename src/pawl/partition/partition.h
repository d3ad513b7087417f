// The state machine of one partition: pure, single-threaded, deterministic.
//
//   Partition partition(limits);
//   for (group : log) partition.replay(group);          // recovery: events only
//   StepOutput out;
//   partition.resume(out);                              // effects that must be repeated
//   partition.begin_group(now, wall);                   // then, for each group commit:
//   partition.step(command, ticket, dice, out);         //   any number of commands
//   partition.schedule(dice, out);                      //   grants join the same group
//   log.append(encode(out.events)); ... durable ...     //   then release out.effects
//
// A refused command leaves no events and answers with the reason. If the append fails, throw the
// partition away and replay: there is no undo.
//
// Time comes with begin_group and is the same for the whole group, live and in replay. Events, not
// commands, are replayed, so what step() decides may change with every release; what evolve() makes
// of an event that was released may not.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "pawl/model/limits.h"
#include "pawl/partition/state.h"
#include "pawl/partition/step.h"

namespace pawl {

class Partition {
 public:
  explicit Partition(const Limits& limits, Slot slot = {}) : state_(limits, slot) {}
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  // Recovery: first snapshot rows if there are any (snapshot.h), then every later group in order.
  State& restoring() { return state_; }
  // DATA_LOSS when the group begins an epoch that cannot follow this state: its log and the snapshot
  // are not of one partition, or not of one life of it. Ask before replay().
  Status follows(const Group& group) const;
  // The same of a whole log, before any of its groups is replayed: one of another state directory may
  // happen to join, and contradict this state long before its next epoch.
  Status belongs_to(Hash128 cluster) const;
  void replay(const Group& group);
  // The same in parts: its events one by one, in order.
  void begin_replay(const Group& group);
  void replay_event(const Group& group, uint32_t index);
  // Before the replay: the event that it names is not applied, nor any later one of its execution;
  // the execution ends there. Needed for all quarantines of the log (wire's quarantines_in()).
  void expect(const ExecutionQuarantined& quarantine);
  void resume(StepOutput& out);
  // After resume(), where workers may have outlived the engine: none is granted anything before it has
  // said that it goes on with its session.
  void workers_away();

  // Whether it has had its effect before: a submission whose request id is taken, a workflow that is
  // registered. step() then answers without adding anything.
  bool known(const Command& command) const;
  // By which it is admitted (admission.h); of an unknown workflow the highest, so that it is told.
  uint8_t priority_of(const SubmitExecution& submit) const;

  void begin_group(Instant now, WallTime wall);
  void start_epoch(uint64_t epoch, Hash128 cluster, StepOutput& out);
  void record(const ExecutionQuarantined& quarantine, StepOutput& out);  // right after it
  void step(const Command& command, Ticket ticket, uint64_t dice, StepOutput& out);
  void schedule(uint64_t dice, StepOutput& out);

  // Where several partitions share the workers (schedule/broker.h): what the others make of them, before
  // schedule(), and what is to be told to them after it. `clock_offset_ns`: what this partition's time
  // lacks of theirs.
  void take_elsewhere(SessionId session, Elsewhere others, int64_t clock_offset_ns);
  void take_elsewhere(const std::string& queue, uint64_t granted);
  std::vector<WaitingLane> waiting(int64_t clock_offset_ns) const;

  // What was cancelled or parked may still stand in the ready queue, and whoever looks for the longest
  // waiting task has to pass it. Each entry is dropped once; nothing else changes.
  void drop_stale();

  // When a Tick has something to do, or lateness would count; Instant::never() if nothing is due by itself.
  Instant next_timer() const;
  const State& state() const { return state_; }

  // The checkpoint (checkpoint.h) is applied to the view: ended executions in it may leave memory.
  // Those beyond limits.ended_executions_kept_max do with the next calls of evict(). A call takes the
  // larger of 1,000 and a part of them, so that no turn is long and no crowd stays: true while there
  // are more.
  void checkpoint_applied();
  bool evict();

  // Executions changed or forgotten since the last checkpoint.
  uint64_t changed() const { return state_.dirty.size() + state_.new_forgotten.size(); }

 private:
  void forget_recalled();
  Instant next_by_rate() const;
  bool is_void(const Event& event) const;

  State state_;
  std::map<std::pair<uint64_t, uint32_t>, ExecutionQuarantined> expected_;  // by place
};

}  // namespace pawl
