#include "pawl/adapter/linux_disk/linux_disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "pawl/testing/contract/disk_contract.h"

namespace pawl {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = ::testing::TempDir() + "pawl_disk_XXXXXX";
    PAWL_CHECK(::mkdtemp(pattern.data()) != nullptr, "no temporary directory");
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Bell final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {
    rung_.store(true);
    rung_.notify_all();
  }
  void wait() {
    rung_.wait(false);
    rung_.store(false);
  }

 private:
  std::atomic<bool> rung_ = false;
};

struct LinuxFixture {
  TemporaryDirectory directory;
  Bell bell;
  std::unique_ptr<Disk> opened = open_linux_disk(directory.path(), {.wake = &bell}).value();
  Disk& disk() { return *opened; }
  void settle(File&) { bell.wait(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Linux, DiskContract, LinuxFixture);

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(LinuxDisk, a_directory_that_it_makes_is_its_owners_alone) {
  TemporaryDirectory around;
  std::string below = around.path() + "/below";
  std::string made = below + "/state";
  mode_t before = ::umask(022);
  {
    auto disk = open_linux_disk(made);
    ASSERT_TRUE(disk.ok());
    ASSERT_TRUE((*disk)->make_directory("log").ok());
  }
  EXPECT_EQ(mode_of(made), 0700u);
  EXPECT_EQ(mode_of(below), 0755u) << "what leads there is nobody's secret";
  ASSERT_EQ(::chmod(made.c_str(), 0750), 0);
  EXPECT_TRUE(open_linux_disk(made).ok());
  EXPECT_EQ(mode_of(made), 0750u) << "it stays as somebody has made it";
  ::umask(before);
}

TEST(LinuxDisk, the_second_opener_learns_who_holds_the_directory) {
  TemporaryDirectory directory;
  auto first = open_linux_disk(directory.path());
  ASSERT_TRUE(first.ok());
  auto second = open_linux_disk(directory.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::aborted);
  EXPECT_EQ(second.error().message, "state directory " + directory.path() +
                                        " is in use by process " + std::to_string(::getpid()));
  EXPECT_TRUE(open_linux_disk(directory.path(), {.access = DiskAccess::read_only}).ok());
  first.value().reset();
  EXPECT_TRUE(open_linux_disk(directory.path()).ok());
}

TEST(LinuxDisk, a_read_only_opener_changes_nothing) {
  TemporaryDirectory directory;
  ASSERT_TRUE(open_linux_disk(directory.path()).value()->create("f", 4096).ok());
  auto disk = open_linux_disk(directory.path(), {.access = DiskAccess::read_only}).value();
  EXPECT_EQ(disk->create("g", 0).error().code, Code::permission_denied);
  EXPECT_EQ(disk->remove("f").error().code, Code::permission_denied);
  EXPECT_EQ(disk->open("f").value()->write(0, "x").error().code, Code::permission_denied);
}

TEST(LinuxDisk, a_path_that_is_a_file_gets_a_clear_error) {
  TemporaryDirectory directory;
  ASSERT_TRUE(open_linux_disk(directory.path()).value()->create("f", 0).ok());
  auto disk = open_linux_disk(directory.path() + "/f");
  ASSERT_FALSE(disk.ok());
  EXPECT_NE(disk.error().message.find("/f"), std::string::npos);
}

TEST(LinuxDisk, an_allocation_beyond_the_disk_leaves_nothing_behind) {
  TemporaryDirectory directory;
  auto disk = open_linux_disk(directory.path()).value();
  auto huge = disk->create("huge", uint64_t{1} << 46);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().code, Code::resource_exhausted) << huge.error().message;
  EXPECT_TRUE(disk->list("").value().empty());
}

TEST(LinuxDisk, closing_waits_for_a_started_write) {
  TemporaryDirectory directory;
  auto disk = open_linux_disk(directory.path()).value();
  Bytes block(1 << 20, 'z');
  {
    auto file = disk->create("f", block.size()).value();
    file->start_write(0, block);
  }
  EXPECT_EQ(disk->open("f").value()->read(0, block.size()).value(), block);
}

}  // namespace
}  // namespace pawl
