// port/blob.h in files: `blob/<owner>/<sequence>` below the disk's root, holding the bare
// content, so that a person can look at it. Size and hash stand in the reference, and the
// reference in the log.
//
//   FileBlob blobs(disk);
//   PAWL_TRY(blobs.put(ref, bytes));    // written beside, synced, then named: durable, never half
//
// A crash may leave an unnamed file (`<sequence>.making-<n>`); it goes with its owner.
// Any thread, provided the disk may be called from any (one file is used by one thread at a time).
// Errors: the disk's own, and those of the port; each names the file.
#pragma once

#include <atomic>
#include <string>

#include "pawl/port/blob.h"
#include "pawl/port/disk.h"

namespace pawl {

class FileBlob final : public Blob {
 public:
  explicit FileBlob(Disk& disk) : disk_(disk) {}

  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  Status adopt(const BlobRef& from, const BlobRef& to) override;
  Status drop(const BlobRef& ref) override;
  Result<std::vector<ExecutionId>> owners() override;
  Status drop_owner(ExecutionId owner) override;

 private:
  Result<std::unique_ptr<File>> open(const BlobRef& ref);

  Disk& disk_;
  std::atomic<uint64_t> making_ = 0;  // tells apart two threads that put the same reference
};

}  // namespace pawl
