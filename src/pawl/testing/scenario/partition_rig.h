// A partition with all that an engine puts around it, in memory and one call at a time: groups are
// recorded, checkpoints go to a MapView, time moves when told to.
//
//   PartitionRig rig;
//   SessionId worker = rig.worker(4);
//   ExecutionId id = rig.submit(rig.add(workflow));
//   rig.succeed({id, 0, 0, 1});              // whatever attempt of it is open
//   EXPECT_EQ(rig.problem(), "");            // three partitions agree: see there
//
// Every call that gives a command is one group, with schedule() at its end. Deterministic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pawl/partition/partition.h"
#include "pawl/partition/query.h"
#include "pawl/testing/map_view.h"

namespace pawl {

// The only one, or one of several.
constexpr Slot any_slot(uint64_t seed) {
  uint32_t slots = static_cast<uint32_t>(seed % 4) + 1;
  return {static_cast<uint32_t>(seed / 4 % slots), slots};
}

class PartitionRig {
 public:
  explicit PartitionRig(const Limits& limits = {}, uint64_t seed = 1, Slot slot = {});

  Reply command(const Command& command);
  std::vector<Reply> group(const std::vector<Command>& commands);
  void advance(Duration duration);  // and a Tick
  // Forgets everything in memory: restores the newest checkpoint, replays what came after.
  void restart();
  void checkpoint();

  WorkflowId add(Workflow workflow);
  SessionId worker(uint32_t credit, std::vector<std::string> functions = {});
  ExecutionId submit(WorkflowId workflow, std::string input = "{}");

  QueryResult ask(const Query& query);  // as an engine does

  // The open attempts of tasks in `range`, as grants (without contexts).
  std::vector<Grant> open(const TaskRange& range) const;
  // Ends the open attempts of `range`; ABORTED if there are none.
  Reply succeed(const TaskRange& range, const std::vector<Payload>& outputs = {});
  Reply fail(const TaskRange& range, FailureKind kind = FailureKind::exit_code, int32_t code = 1,
             const std::string& error = "broken");

  // Its worker had not begun it. Each session that has some of `range` open gives it back at once.
  Reply give_back(const TaskRange& range);

  // What contradicts itself: the state's cross-indexes, the replay of all groups, or the newest
  // checkpoint with the groups after it. Empty when all is well.
  std::string problem();

  std::vector<Effect> take_effects();
  const State& state() const { return partition_->state(); }
  Instant next_timer() const { return partition_->next_timer(); }
  MapView& view() { return view_; }
  const std::vector<Group>& groups() const { return groups_; }
  Random& dice() { return dice_; }

 private:
  Reply report(const TaskRange& range, const AttemptReport& how,
               const std::vector<Payload>& outputs);
  StepOutput commit(StepOutput out);
  std::unique_ptr<Partition> recovered(bool from_checkpoint);
  void start();

  Limits limits_;
  Slot slot_;
  Random dice_;
  std::unique_ptr<Partition> partition_;
  std::vector<Group> groups_;
  MapView view_;
  std::vector<Effect> effects_;
  Instant now_;
  WallTime wall_;
  uint64_t epoch_ = 0;
};

}  // namespace pawl
