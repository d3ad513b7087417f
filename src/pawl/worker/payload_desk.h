// A payload store that blocks nobody, before one that does: what is not at hand is sent for, what is put is on its
// way, and both happen in the background. For the loop's thread, which keeps the lease.
//
//   PayloadDesk desk(remote_payloads, loop, std::make_unique<LinuxBackground>(4));
//   auto bytes = desk.get(ref);               // is_on_its_way(bytes.error()): ask again when desk.arrivals() has changed
//   PAWL_TRY(desk.put(ref, bytes));           // taken on; the report that refers to it waits (HeldNews) for
//   desk.outcome(ref);                        // nothing yet; or how it ended, told once if it failed
//
// What finds no room in the store stays on its way until there is some: a full disk loses no result.
//
// What was read is kept, up to kept_bytes_max, for many attempts read the same input; what has come and nobody has
// asked for again is kept beyond that. Of a large payload that is read in parts, blocks of block_bytes are kept.
// Threading: any thread; nothing blocks but the destructor, which waits for the calls under way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pawl/port/background.h"
#include "pawl/port/loop.h"
#include "pawl/port/payload_store.h"

namespace pawl {

struct PayloadDeskOptions {
  uint64_t kept_bytes_max = 64 << 20;
  uint64_t block_bytes = 1 << 20;
  Duration room_pause = Duration::seconds(1);  // before a store that had no room is asked again
};

struct PayloadReads {
  uint64_t from_memory = 0;
  uint64_t from_store = 0;
};

class PayloadDesk final : public PayloadStore {
 public:
  // The store and the loop must outlive it.
  PayloadDesk(PayloadStore& store, Loop& loop, std::unique_ptr<Background> background,
              PayloadDeskOptions options = {});
  ~PayloadDesk() override;

  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  std::optional<uint64_t> arrivals() const override;

  bool all_settled() const;  // nothing that was put is on its way, or has failed and not been told
  std::optional<Status> outcome(const BlobRef& ref);
  uint64_t settlements() const;  // of what was put, so far; the loop is woken for each
  PayloadReads reads() const;    // answered so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
