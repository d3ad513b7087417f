// The contract suite of port/replay_note.h; used like view_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "pawl/port/replay_note.h"

namespace pawl {

class ReplayNoteHarness {
 public:
  virtual ~ReplayNoteHarness() = default;
  virtual ReplayNote& note() = 0;
  virtual void die() = 0;     // of a failed check; the test goes on in another process
  virtual void reopen() = 0;  // by another process, or as good as one
};

using ReplayNoteHarnessFactory = std::unique_ptr<ReplayNoteHarness> (*)();

class ReplayNoteContract : public testing::TestWithParam<ReplayNoteHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  std::unique_ptr<ReplayNoteHarness> harness_;
};

TEST_P(ReplayNoteContract, IsEmptyAtFirst) {
  EXPECT_EQ(harness_->note().read().note, "");
  EXPECT_FALSE(harness_->note().read().died);
}

TEST_P(ReplayNoteContract, TheNextProcessReadsTheNewestWrite) {
  for (const Bytes& bytes : {Bytes(300, 'x'), Bytes("short"), Bytes("\0any\xff", 5), Bytes()}) {
    EXPECT_TRUE(harness_->note().write("older").ok());
    EXPECT_TRUE(harness_->note().write(bytes).ok());
    harness_->reopen();
    EXPECT_EQ(harness_->note().read().note, bytes);
    EXPECT_FALSE(harness_->note().read().died);
  }
}

TEST_P(ReplayNoteContract, HoldsTheLargest) {
  Bytes largest(replay_note_bytes_max, 'y');
  EXPECT_TRUE(harness_->note().write(largest).ok());
  harness_->reopen();
  EXPECT_EQ(harness_->note().read().note, largest);
}

TEST_P(ReplayNoteContract, ADeathIsOfTheWriteBeforeIt) {
  EXPECT_TRUE(harness_->note().write("group 7").ok());
  harness_->die();
  harness_->reopen();
  EXPECT_EQ(harness_->note().read().note, "group 7");
  EXPECT_TRUE(harness_->note().read().died);
  EXPECT_TRUE(harness_->note().write("group 8").ok());
  EXPECT_FALSE(harness_->note().read().died);
}

TEST_P(ReplayNoteContract, ADeathAfterTheReplayIsNotOfIt) {
  EXPECT_TRUE(harness_->note().write("group 7").ok());
  harness_->note().done();
  harness_->die();
  harness_->reopen();
  EXPECT_EQ(harness_->note().read().note, "group 7");
  EXPECT_FALSE(harness_->note().read().died);
}

}  // namespace pawl
