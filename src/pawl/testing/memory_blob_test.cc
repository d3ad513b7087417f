#include "pawl/testing/memory_blob.h"

#include "pawl/testing/contract/blob_contract.h"

namespace pawl {
namespace {

class MemoryBlobHarness final : public BlobHarness {
 public:
  Blob& blob() override { return blob_; }
  void power_cut() override {}
  void flip_a_bit(const BlobRef& ref) override { blob_.corrupt(ref); }

 private:
  MemoryBlob blob_;
};

std::unique_ptr<BlobHarness> make() {
  return std::make_unique<MemoryBlobHarness>();
}
INSTANTIATE_TEST_SUITE_P(Memory, BlobContract, testing::Values(&make));

TEST(MemoryBlob, CountsWhatItKeeps) {
  MemoryBlob blobs;
  const BlobRef ref{ExecutionId{1}, 1, 2, hash128("ab")};
  ASSERT_TRUE(blobs.put(ref, "ab").ok());
  EXPECT_EQ(blobs.count(), 1u);
  ASSERT_TRUE(blobs.drop_owner(ref.owner).ok());
  EXPECT_EQ(blobs.count(), 0u);
}

}  // namespace
}  // namespace pawl
