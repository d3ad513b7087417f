// The machine's blob store: the shipped one (adapter/file_blob) on a simulated disk of its own, which
// fails on demand. And the judge of what it gives: no bytes but those that were put, and no error
// unless something was done to it; of what it loses: nothing that the durable log refers to; and of what
// it keeps: nothing of an execution that is nowhere.
//
//   SimBlob blob(universe, dice);
//   blob.fail_write(SimFault::lost_write, 3);   // one of the next calls
//   blob.damage(dice);                          // something stored
//   blob.get(ref)                               // the bytes, or an error with a name
#pragma once

#include <map>
#include <optional>
#include <set>

#include "pawl/adapter/file_blob/file_blob.h"
#include "pawl/base/random.h"
#include "pawl/sim/log_model.h"
#include "pawl/sim/universe.h"
#include "pawl/testing/sim_disk.h"

namespace pawl::sim {

class SimBlob final : public Blob {
 public:
  SimBlob(Universe& universe, const LogModel& log, Random dice)
      : universe_(universe), log_(log), disk_(dice.next()), files_(disk_) {}

  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  Status adopt(const BlobRef& from, const BlobRef& to) override;
  Status drop(const BlobRef& ref) override;
  Result<std::vector<ExecutionId>> owners() override { return files_.owners(); }
  Status drop_owner(ExecutionId owner) override;

  // The machine stops and comes back.
  void crash() { disk_.crash(); }
  bool crashed() const { return disk_.crashed(); }
  void restart();

  void crash_in_call(uint64_t calls_from_now) {
    disk_.plan(disk_.calls() + calls_from_now, SimFault::crash);
  }
  void fail_write(SimFault fault, uint64_t calls_from_now);
  void damage(Random& dice);
  void fill(bool full);
  void heal();
  // At rest: what the log refers to can be read.
  void check_payloads();
  // At rest, after a start: something is kept for this one, which does not exist.
  std::optional<ExecutionId> left_behind();
  // Whether something is kept that a forgetting should have taken along.
  bool keeps_forgotten();

  // Whether anything was ever done to it, so that errors are to be expected.
  bool spoiled() const { return spoiled_; }

 private:
  using Key = std::pair<ExecutionId, uint64_t>;
  void judge_error(const BlobRef& ref, const Error& error);
  void judge_drop(const BlobRef& ref);
  bool referred_to(const BlobRef& ref) const;

  Universe& universe_;
  const LogModel& log_;
  SimDisk disk_;
  FileBlob files_;
  std::map<Key, BlobRef> acknowledged_;
  std::set<Key> dropped_;
  bool spoiled_ = false;
};

}  // namespace pawl::sim
