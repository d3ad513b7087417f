// Payloads too large for an event.
//
// Contract (testing/contract/blob_contract.h): put() returns when the bytes are durable; the same
// reference may be put again with the same content. get() checks size and hash and answers DATA_LOSS
// rather than other bytes; NOT_FOUND if it was never put or was dropped. part() reads without the
// hash check and is for callers that have checked once. drop_owner() removes all blobs of an
// execution. Any thread.
#pragma once

#include <cstdint>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/model/payload.h"

namespace pawl {

class Blob {
 public:
  virtual ~Blob() = default;
  virtual Status put(const BlobRef& ref, ByteView bytes) = 0;
  virtual Result<Bytes> get(const BlobRef& ref) = 0;
  virtual Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) = 0;
  virtual Status drop_owner(ExecutionId owner) = 0;
};

}  // namespace pawl
