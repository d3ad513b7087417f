#include "pawl/testing/memory_replay_note.h"

#include "pawl/testing/contract/replay_note_contract.h"

namespace pawl {
namespace {

class MemoryHarness final : public ReplayNoteHarness {
 public:
  ReplayNote& note() override { return note_; }
  void die() override { note_.die(); }
  void reopen() override {}

 private:
  MemoryReplayNote note_;
};

std::unique_ptr<ReplayNoteHarness> make() {
  return std::make_unique<MemoryHarness>();
}
INSTANTIATE_TEST_SUITE_P(Memory, ReplayNoteContract, testing::Values(&make));

}  // namespace
}  // namespace pawl
