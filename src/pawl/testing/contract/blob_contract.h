// The contract suite of port/blob.h; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pawl/port/blob.h"

namespace pawl {

class BlobHarness {
 public:
  virtual ~BlobHarness() = default;
  virtual Blob& blob() = 0;
  virtual void power_cut() = 0;  // and opened again; blob() may be another object
  virtual void flip_a_bit(const BlobRef& ref) = 0;  // of the stored content
};

using BlobHarnessFactory = std::unique_ptr<BlobHarness> (*)();

class BlobContract : public testing::TestWithParam<BlobHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  Blob& blob() { return harness_->blob(); }

  static BlobRef reference(uint64_t owner, uint64_t sequence, ByteView bytes) {
    return {ExecutionId{owner}, sequence, bytes.size(), hash128(bytes)};
  }
  BlobRef put(uint64_t owner, uint64_t sequence, ByteView bytes) {
    BlobRef ref = reference(owner, sequence, bytes);
    Status done = blob().put(ref, bytes);
    EXPECT_TRUE(done.ok()) << done.error().message;
    return ref;
  }
  void expect_content(const BlobRef& ref, ByteView bytes) {
    auto got = blob().get(ref);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(*got, bytes);
  }
  Code failure(const BlobRef& ref) {
    auto got = blob().get(ref);
    return got.ok() ? Code::ok : got.error().code;
  }

  std::unique_ptr<BlobHarness> harness_;
};

TEST_P(BlobContract, GivesBackWhatWasPut) {
  const Bytes large(200'000, 'x');
  BlobRef first = put(1, 1, "hello");
  BlobRef second = put(1, 2, large);
  BlobRef empty = put(2, 1, "");
  expect_content(first, "hello");
  expect_content(second, large);
  expect_content(empty, "");
}

TEST_P(BlobContract, TheSameReferenceMayBePutAgain) {
  put(7, 1, "same");
  expect_content(put(7, 1, "same"), "same");
}

TEST_P(BlobContract, RefusesContentThatIsNotTheReferences) {
  BlobRef ref = reference(1, 1, "right");
  EXPECT_EQ(blob().put(ref, "wrong").error().code, Code::invalid_argument);
  EXPECT_EQ(blob().put(ref, "right and more").error().code, Code::invalid_argument);
  EXPECT_EQ(failure(ref), Code::not_found);
}

TEST_P(BlobContract, WhatWasPutSurvivesAPowerCut) {
  BlobRef ref = put(3, 9, "durable");
  harness_->power_cut();
  expect_content(ref, "durable");
}

TEST_P(BlobContract, OtherBytesAreDataLoss) {
  BlobRef ref = put(3, 1, "precious");
  BlobRef other = ref;
  other.hash = hash128("else");
  EXPECT_EQ(failure(other), Code::data_loss);
  other = ref;
  other.size += 1;
  EXPECT_EQ(failure(other), Code::data_loss);
  harness_->flip_a_bit(ref);
  EXPECT_EQ(failure(ref), Code::data_loss);
  put(3, 1, "precious");
  expect_content(ref, "precious");
}

TEST_P(BlobContract, WhatWasNeverPutIsNotFound) {
  BlobRef ref = reference(4, 4, "none");
  EXPECT_EQ(failure(ref), Code::not_found);
  EXPECT_EQ(blob().part(ref, 0, 1).error().code, Code::not_found);
}

TEST_P(BlobContract, PartsAreBounded) {
  BlobRef ref = put(5, 1, "0123456789");
  EXPECT_EQ(blob().part(ref, 3, 4).value(), "3456");
  EXPECT_EQ(blob().part(ref, 0, 10).value(), "0123456789");
  EXPECT_EQ(blob().part(ref, 10, 0).value(), "");
  EXPECT_EQ(blob().part(ref, 3, 8).error().code, Code::out_of_range);
  EXPECT_EQ(blob().part(ref, 11, 0).error().code, Code::out_of_range);
  EXPECT_EQ(blob().part(ref, UINT64_MAX, 2).error().code, Code::out_of_range);
}

TEST_P(BlobContract, DroppingAnOwnerTakesAllItsBlobsAndNoOthers) {
  BlobRef a = put(6, 1, "a");
  BlobRef b = put(6, 2, "b");
  BlobRef kept = put(60, 1, "kept");
  ASSERT_TRUE(blob().drop_owner(ExecutionId{6}).ok());
  ASSERT_TRUE(blob().drop_owner(ExecutionId{6}).ok()) << "nothing left to drop is fine";
  EXPECT_EQ(failure(a), Code::not_found);
  EXPECT_EQ(failure(b), Code::not_found);
  expect_content(kept, "kept");
  harness_->power_cut();
  EXPECT_EQ(failure(a), Code::not_found);
  expect_content(put(6, 1, "a"), "a");
}

TEST_P(BlobContract, AnAdoptedBlobHasOneOwner) {
  BlobRef staged = put(0, 77, "input");
  BlobRef adopted = reference(12, 0, "input");
  ASSERT_TRUE(blob().adopt(staged, adopted).ok());
  EXPECT_EQ(failure(staged), Code::not_found);
  expect_content(adopted, "input");
  EXPECT_EQ(blob().adopt(staged, reference(13, 0, "input")).error().code, Code::not_found);
  EXPECT_EQ(failure(reference(13, 0, "input")), Code::not_found);
  harness_->power_cut();
  expect_content(adopted, "input");
  EXPECT_EQ(failure(staged), Code::not_found);
}

TEST_P(BlobContract, AdoptingReplacesWhatACrashLeftThere) {
  put(12, 0, "left over");
  BlobRef staged = put(0, 78, "input");
  ASSERT_TRUE(blob().adopt(staged, reference(12, 0, "input")).ok());
  expect_content(reference(12, 0, "input"), "input");
}

TEST_P(BlobContract, DroppingOneLeavesTheOthers) {
  BlobRef a = put(6, 1, "a");
  BlobRef b = put(6, 2, "b");
  ASSERT_TRUE(blob().drop(a).ok());
  ASSERT_TRUE(blob().drop(a).ok()) << "nothing left to drop is fine";
  ASSERT_TRUE(blob().drop(reference(99, 1, "")).ok());
  EXPECT_EQ(failure(a), Code::not_found);
  expect_content(b, "b");
}

TEST_P(BlobContract, OwnersAreNamedInTheirOrder) {
  using Owners = std::vector<ExecutionId>;
  EXPECT_EQ(blob().owners().value(), Owners{});
  put(100, 1, "a");
  put(9, 1, "b");
  put(9, 2, "c");
  put(UINT64_MAX, 1, "d");
  EXPECT_EQ(blob().owners().value(),
            (Owners{ExecutionId{9}, ExecutionId{100}, ExecutionId{UINT64_MAX}}));
  ASSERT_TRUE(blob().drop_owner(ExecutionId{100}).ok());
  harness_->power_cut();
  EXPECT_EQ(blob().owners().value(), (Owners{ExecutionId{9}, ExecutionId{UINT64_MAX}}));
}

TEST_P(BlobContract, AnyThreadMayCall) {
  std::vector<std::thread> threads;
  for (uint64_t owner = 1; owner <= 4; ++owner) {
    threads.emplace_back([this, owner] {
      for (uint64_t sequence = 1; sequence <= 8; ++sequence) {
        const Bytes content = std::to_string(owner * 100 + sequence);
        expect_content(put(owner, sequence, content), content);
        put(99, 1, "shared by all");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_content(reference(99, 1, "shared by all"), "shared by all");
}

}  // namespace pawl
