// port/blob.h in memory, for tests and the simulator. put() is durable when it returns, so the
// object simply lives on when the simulated process dies: crash nothing, keep the MemoryBlob.
//
//   MemoryBlob blobs;
//   blobs.put({ExecutionId{3}, 1, 5, hash128("hello")}, "hello");
//   blobs.corrupt(ref);              // a later get() answers DATA_LOSS
//
// Any thread.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "pawl/port/blob.h"

namespace pawl {

class MemoryBlob final : public Blob {
 public:
  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  Status adopt(const BlobRef& from, const BlobRef& to) override;
  Status drop(const BlobRef& ref) override;
  Result<std::vector<ExecutionId>> owners() override;
  Status drop_owner(ExecutionId owner) override;

  void corrupt(const BlobRef& ref);  // flips one bit of the content, if it is there and not empty
  uint64_t count() const;            // blobs kept, for finding those nobody refers to

 private:
  using Key = std::pair<ExecutionId, uint64_t>;
  mutable std::mutex mutex_;
  std::map<Key, Bytes> blobs_;
};

}  // namespace pawl
