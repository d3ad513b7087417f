// Payloads too large for a message, for whoever runs attempts: reads what an attempt needs, keeps what
// it made.
//
//   PAWL_TRY(payloads.put({execution, output_blob_sequence(task, attempt), n, hash128(bytes)}, bytes));
//   ... the report that refers to it is sent ...
//
// Contract (testing/contract/blob_contract.h): put() returns when the bytes are durable; the same
// reference may be put again, with the same content or (after a crash) with other content. get() checks
// size and hash and answers DATA_LOSS rather than other bytes; NOT_FOUND if it was never put or was
// dropped; RESOURCE_EXHAUSTED where put() finds no room now. part() reads without the hash check, for callers that have
// checked once. UNAVAILABLE where the store is behind a network that fails: the attempt is declined, and granted again.
// A store that blocks nobody (worker/payload_desk.h) answers a read with on_its_way(), and arrivals() says when to ask
// again. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/model/payload.h"

namespace pawl {

class PayloadStore {
 public:
  virtual ~PayloadStore() = default;
  virtual Status put(const BlobRef& ref, ByteView bytes) = 0;
  virtual Result<Bytes> get(const BlobRef& ref) = 0;
  virtual Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) = 0;
  // Of what was on its way: how many have come, or will not. Nothing: it never is, reads wait.
  virtual std::optional<uint64_t> arrivals() const { return std::nullopt; }
};

inline Error on_its_way(const BlobRef& ref) {
  return {Code::unavailable, "a payload of " + to_text(ref.owner) + " is on its way",
          Duration::forever()};
}
inline bool is_on_its_way(const Error& error) {
  return error.retry_after == Duration::forever();
}

}  // namespace pawl
