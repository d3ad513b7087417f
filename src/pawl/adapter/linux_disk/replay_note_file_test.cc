#include "pawl/adapter/linux_disk/replay_note_file.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "pawl/testing/contract/replay_note_contract.h"

namespace pawl {
namespace {

class FileHarness final : public ReplayNoteHarness {
 public:
  FileHarness() {
    std::string pattern = std::filesystem::temp_directory_path() / "pawl-note-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    reopen();
  }
  ~FileHarness() override { std::filesystem::remove_all(directory_); }
  ReplayNote& note() override { return *note_; }
  void reopen() override { note_ = std::make_unique<ReplayNoteFile>(path()); }
  std::string path() const { return directory_ + "/note"; }

 private:
  std::string directory_;
  std::unique_ptr<ReplayNoteFile> note_;
};

std::unique_ptr<ReplayNoteHarness> make() {
  return std::make_unique<FileHarness>();
}
INSTANTIATE_TEST_SUITE_P(File, ReplayNoteContract, testing::Values(&make));

TEST(ReplayNoteFile, ADamagedNoteIsNone) {
  FileHarness harness;
  EXPECT_TRUE(harness.note().write("group 7").ok());
  std::fstream(harness.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(10).put('?');
  harness.reopen();
  EXPECT_EQ(harness.note().read(), "");
}

TEST(ReplayNoteFile, ReadingMakesNoFile) {
  FileHarness harness;
  EXPECT_EQ(harness.note().read(), "");
  EXPECT_FALSE(std::filesystem::exists(harness.path()));
}

}  // namespace
}  // namespace pawl
