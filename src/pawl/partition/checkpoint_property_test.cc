// The proof of the checkpoint, on a model of the log and the view: whatever operation a crash comes
// between, restoring the newest checkpoint and replaying the log from there gives the state that
// was never crashed. Checkpoints come together in slices of random size, with groups in between.
//
//   PAWL_CHECKPOINT_RUNS=100000 partition_test --gtest_filter='Checkpoint*'

#include <gtest/gtest.h>

#include <cstdlib>

#include "pawl/partition/checkpoint.h"
#include "pawl/partition/snapshot.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/testing/scenario/random_life.h"

namespace pawl {
namespace {

// What happened when nothing ever crashed.
struct Reference {
  std::vector<Group> groups;
  std::vector<Hash128> hashes;  // after 0, 1, 2 ... groups
};

Reference reference_of(uint64_t seed) {
  RandomLife life(seed, {.executions_max = 3, .nodes_max = 5, .items_max = 8});
  PartitionRig rig({}, seed, any_slot(seed));
  while (rig.groups().size() < 40) {
    rig.advance(life.pause());
    rig.command(life.next(rig.state()));
  }
  Reference reference{rig.groups(), {}};
  Partition partition(Limits{});
  reference.hashes.push_back(state_hash(partition.state()));
  for (const Group& group : reference.groups) {
    partition.replay(group);
    reference.hashes.push_back(state_hash(partition.state()));
  }
  return reference;
}

// One life with crashes. The log holds [trimmed, durable) and loses the rest in a crash, or some
// of it; the partition has applied more than is durable.
class CrashingLife {
 public:
  CrashingLife(const Reference& reference, uint64_t seed) : reference_(reference), dice_(seed) {}

  std::string run() {
    for (int operation = 0; operation < 160 && wrong_.empty(); ++operation) {
      switch (dice_.below(10)) {
        case 0:
        case 1:
        case 2:
          append();
          break;
        case 3:
          durable_ = dice_.between(durable_, applied_);
          break;
        case 4:
          begin_checkpoint();
          break;
        case 5:
        case 6:
          take_slice();
          break;
        case 7:
          submit_checkpoint();
          break;
        case 8:
          complete();
          break;
        default:
          if (dice_.chance(400)) crash();
          break;
      }
    }
    crash();
    return wrong_;
  }
  uint64_t crashes() const { return crashes_; }
  uint64_t restored() const { return restored_; }
  uint64_t stretched() const { return stretched_; }

 private:
  // Decided and applied in memory; the log has it in flight.
  void append() {
    if (applied_ < reference_.groups.size()) partition_->replay(reference_.groups[applied_++]);
  }

  void begin_checkpoint() {
    if (checkpoint_ || failed_ || view_.busy() || applied_ <= view_.position()) return;
    checkpoint_ = std::make_unique<Checkpoint>(partition_->restoring(), applied_);
    checkpoint_->batch().seal = dice_.chance(500);
  }

  void take_slice() {
    if (!checkpoint_) return;
    uint64_t bytes_max = dice_.chance(500) ? UINT64_MAX : dice_.below(400);
    whole_ = checkpoint_->slice(dice_.between(1, 4), bytes_max);
  }

  // Only what is durable may reach the view.
  void submit_checkpoint() {
    if (view_.busy()) return;
    if (std::exchange(failed_, false)) return view_.submit_again();
    if (!checkpoint_ || !whole_ || durable_ < checkpoint_->batch().position) return;
    if (applied_ > checkpoint_->batch().position) ++stretched_;
    view_.submit(checkpoint_->take());
    drop_checkpoint();
  }

  void drop_checkpoint() {
    checkpoint_.reset();
    whole_ = false;
  }

  void complete() {
    if (!view_.busy()) return;
    if (dice_.chance(100)) {
      view_.fail_one({Code::resource_exhausted, "the disk is full"});
      view_.poll();
      failed_ = true;
      return;
    }
    view_.complete_one();
    view_.poll();
    partition_->checkpoint_applied();
    partition_->evict();
    trimmed_ = std::max(trimmed_, view_.trim_position());
  }

  void crash() {
    ++crashes_;
    bool two = view_.trim_position() > 0;
    if (two && dice_.chance(100)) view_.corrupt_newest();
    view_.crash(dice_.chance(500) ? MapView::InFlight::lost : MapView::InFlight::done);
    drop_checkpoint();
    failed_ = false;
    applied_ = durable_ = dice_.between(durable_, applied_);
    limits_.ended_executions_kept_max = dice_.below(3);
    partition_ = std::make_unique<Partition>(limits_);
    if (Status status = restore(partition_->restoring(), view_); !status.ok())
      return fail("the checkpoint cannot be read: " + status.error().message);
    uint64_t position = view_.position();
    if (position > 0) ++restored_;
    if (position < trimmed_) return fail("the log was trimmed beyond the checkpoint");
    if (position > durable_) return fail("the checkpoint is ahead of the log");
    for (uint64_t i = position; i < durable_; ++i) partition_->replay(reference_.groups[i]);
    if (state_hash(partition_->state()) != reference_.hashes[durable_])
      return fail("the recovered state is another one");
    if (std::string bad = inconsistency(partition_->state()); !bad.empty()) return fail(bad);
  }

  void fail(const std::string& what) {
    if (wrong_.empty())
      wrong_ = what + " (checkpoint " + std::to_string(view_.position()) + ", log " +
               std::to_string(durable_) + ")";
  }

  const Reference& reference_;
  Random dice_;
  Limits limits_;
  std::unique_ptr<Partition> partition_ = std::make_unique<Partition>(limits_);
  MapView view_;
  std::unique_ptr<Checkpoint> checkpoint_;
  bool whole_ = false;
  bool failed_ = false;  // submitted, and refused
  uint64_t applied_ = 0;
  uint64_t durable_ = 0;
  uint64_t trimmed_ = 0;
  uint64_t crashes_ = 0;
  uint64_t restored_ = 0;
  uint64_t stretched_ = 0;  // checkpoints during which the state went on changing
  std::string wrong_;
};

uint64_t runs_wanted() {
  const char* text = std::getenv("PAWL_CHECKPOINT_RUNS");
  return text == nullptr ? 2000 : std::strtoull(text, nullptr, 10);
}

TEST(Checkpoint, SurvivesACrashBetweenAnyTwoOperations) {
  constexpr uint64_t runs_per_reference = 20;
  uint64_t crashes = 0;
  uint64_t restored = 0;
  uint64_t stretched = 0;
  Reference reference;
  for (uint64_t seed = 0; seed < runs_wanted(); ++seed) {
    if (seed % runs_per_reference == 0) reference = reference_of(seed + 1);
    CrashingLife life(reference, seed);
    ASSERT_EQ(life.run(), "") << "seed " << seed;
    crashes += life.crashes();
    restored += life.restored();
    stretched += life.stretched();
  }
  // A run in which nothing happened proves nothing.
  EXPECT_GT(crashes, 2 * runs_wanted());
  EXPECT_GT(restored, runs_wanted());
  EXPECT_GT(stretched, runs_wanted());
  std::printf(
      "%llu crashes, %llu of them with a checkpoint to restore; %llu checkpoints changed under "
      "way\n",
      static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(restored),
      static_cast<unsigned long long>(stretched));
}

}  // namespace
}  // namespace pawl
