// The engine's blob store as a worker on another machine reaches it: some calls fail on their way, before they have
// done anything or after.
//
//   SimPayloads payloads(blob, dice, per_mille, healed);
#pragma once

#include <cstdint>

#include "pawl/base/random.h"
#include "pawl/port/payload_store.h"

namespace pawl::sim {

class SimPayloads final : public PayloadStore {
 public:
  // `lost`: per mille of the calls, until `healed`. The store and `healed` must outlive it.
  SimPayloads(PayloadStore& store, Random dice, uint32_t lost, const bool& healed)
      : store_(store), dice_(dice), lost_(lost), healed_(healed) {}

  Status put(const BlobRef& ref, ByteView bytes) override {
    const bool late = dice_.chance(500);
    if (is_lost()) {
      if (late) (void)store_.put(ref, bytes);
      return lost_on_its_way();
    }
    return store_.put(ref, bytes);
  }
  Result<Bytes> get(const BlobRef& ref) override {
    if (is_lost()) return lost_on_its_way();
    return store_.get(ref);
  }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    if (is_lost()) return lost_on_its_way();
    return store_.part(ref, offset, size);
  }

 private:
  bool is_lost() { return dice_.chance(lost_) && !healed_; }
  static Error lost_on_its_way() { return {Code::unavailable, "the call was lost on its way"}; }

  PayloadStore& store_;
  Random dice_;
  const uint32_t lost_;
  const bool& healed_;
};

}  // namespace pawl::sim
