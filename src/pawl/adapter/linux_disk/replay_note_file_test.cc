#include "pawl/adapter/linux_disk/replay_note_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "pawl/base/check.h"
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
  void die() override {
    die_in_child([] { PAWL_CHECK(false, "on purpose"); });
  }
  // A copy of this process does it, in the thread that wrote. The signal that ended it.
  template <class Deed>
  int die_in_child(Deed deed) {
    pid_t child = fork();
    if (child == 0) {
      rlimit none{0, 0};
      setrlimit(RLIMIT_CORE, &none);
      dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
      [&]() noexcept { deed(); }();  // past the framework, which catches what is thrown
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
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
  EXPECT_EQ(harness.note().read().note, "");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool signals_are_ours = false;
#else
constexpr bool signals_are_ours = true;
#endif

int deeper(int depth) {
  volatile char page[4096] = {};
  return depth < 0 ? page[0] : deeper(depth + 1) + page[1];
}

TEST(ReplayNoteFile, WhateverAProcessDiesOfByItselfLeavesAMark) {
  if (!signals_are_ours) GTEST_SKIP() << "the sanitizer handles deadly signals itself";
  FileHarness harness;
  auto marked = [&](int signal, auto deed) {
    EXPECT_TRUE(harness.note().write("group 7").ok());
    EXPECT_EQ(harness.die_in_child(deed), signal) << "the mark must not keep it from dying";
    EXPECT_EQ(harness.note().read().note, "group 7");
    return harness.note().read().died;
  };
  EXPECT_TRUE(marked(SIGABRT, [] { throw 7; }));
  EXPECT_TRUE(marked(SIGSEGV, [] { *static_cast<volatile int*>(nullptr) = 7; }));
  EXPECT_TRUE(marked(SIGSEGV, [] { deeper(0); })) << "there is no stack left for a handler";
  EXPECT_TRUE(marked(SIGILL, [] { __builtin_trap(); }));
  EXPECT_TRUE(marked(SIGFPE, [] { raise(SIGFPE); }));
  EXPECT_TRUE(marked(SIGBUS, [] { raise(SIGBUS); }));
}

TEST(ReplayNoteFile, WhatComesFromOutsideLeavesNone) {
  if (!signals_are_ours) GTEST_SKIP() << "the sanitizer handles deadly signals itself";
  FileHarness harness;
  auto marked = [&](int signal, auto deed) {
    EXPECT_TRUE(harness.note().write("group 7").ok());
    EXPECT_EQ(harness.die_in_child(deed), signal);
    EXPECT_EQ(harness.note().read().note, "group 7");
    return harness.note().read().died;
  };
  EXPECT_FALSE(marked(SIGKILL, [] { raise(SIGKILL); }));
  EXPECT_FALSE(marked(SIGTERM, [] { raise(SIGTERM); }));
  EXPECT_FALSE(marked(SIGABRT, [] {
    [[maybe_unused]] char* volatile kept = new char[size_t{1} << 60];
  })) << "memory that is refused is not the event's fault";
  EXPECT_FALSE(marked(SIGABRT, [] { std::thread([] { abort(); }).join(); }))
      << "another thread replays nothing";
}

TEST(ReplayNoteFile, TheProgramsOwnHandlersStandAgainAfterwards) {
  struct sigaction before = {};
  struct sigaction after = {};
  ASSERT_EQ(sigaction(SIGSEGV, nullptr, &before), 0);
  {
    FileHarness harness;
    EXPECT_TRUE(harness.note().write("group 7").ok());
    ASSERT_EQ(sigaction(SIGSEGV, nullptr, &after), 0);
    EXPECT_NE(after.sa_sigaction, before.sa_sigaction);
  }
  ASSERT_EQ(sigaction(SIGSEGV, nullptr, &after), 0);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
}

TEST(ReplayNoteFile, ReadingMakesNoFile) {
  FileHarness harness;
  EXPECT_EQ(harness.note().read().note, "");
  EXPECT_FALSE(std::filesystem::exists(harness.path()));
}

}  // namespace
}  // namespace pawl
