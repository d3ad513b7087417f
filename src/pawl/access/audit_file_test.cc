#include "pawl/access/audit_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pawl/access/audit_journal.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/base/random.h"

namespace pawl {
namespace {

struct AuditFileTest : testing::Test {
  AuditFileTest() : loop(LinuxLoop::create(clock).value()) {
    std::string name = testing::TempDir() + "pawl_audit_XXXXXX";
    directory = mkdtemp(name.data());
    path = directory + "/" + audit_file_name;
    disk = open_linux_disk(directory).value();
  }
  ~AuditFileTest() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<AuditFile> open() {
    return std::move(AuditFile::open(path, *disk, *loop).value());
  }
  void wait(AuditFile& trail, uint64_t number) {
    while (trail.durable().value() < number) loop->run_once(Duration::seconds(1));
  }
  // Three records, on disk.
  void fill() {
    auto trail = open();
    for (int i = 0; i < 3; ++i)
      trail->add({{1'700'000'000'000'000'000}, "ci", "team-a", "cancel", "e" + std::to_string(i)});
    wait(*trail, 3);
  }
  std::string content() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  AuditReport verify() const { return verify_audit(path).value(); }
  std::string problem_of(const std::string& text) const {
    write(text);
    std::string problem = verify().problem.value_or("");
    return problem.starts_with("audit.log: ") ? problem.substr(11) : problem;
  }

  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop;
  std::string directory;
  std::string path;
  std::unique_ptr<Disk> disk;
};

TEST_F(AuditFileTest, RecordsAreLinesThatFollowEachOther) {
  fill();
  AuditReport report = verify();
  EXPECT_EQ(report.records, 3u);
  EXPECT_FALSE(report.problem);
  EXPECT_EQ(report.newest.size(), 64u);
  EXPECT_NE(content().find(R"( {"number":2,"at":"2023-11-14T22:13:20Z","caller":"ci",)"
                           R"("namespace":"team-a","call":"cancel","subject":"e1","result":"OK"})"
                           "\n"),
            std::string::npos)
      << content();
}

TEST_F(AuditFileTest, ItGoesOnWhereItStopped) {
  fill();
  auto trail = open();
  EXPECT_EQ(trail->durable().value(), 3u);
  EXPECT_EQ(trail->add({{}, "ann", "default", "forget", "e7", Code::not_found, 12}), 4u);
  wait(*trail, 4);
  EXPECT_EQ(verify().records, 4u);
  EXPECT_NE(content().find(R"("result":"NOT_FOUND","unrecorded":12})"), std::string::npos);
}

TEST_F(AuditFileTest, ClosingWritesWhatWasAdded) {
  {
    auto trail = open();
    for (int i = 0; i < 1000; ++i) trail->add({{}, "ci", "default", "submit", ""});
  }
  EXPECT_EQ(verify().records, 1000u);
}

TEST_F(AuditFileTest, ALineThatACrashCutOffIsRemoved) {
  fill();
  std::string whole = content();
  for (size_t size = whole.size() - 1; size > 0; size -= 7) {
    write(whole.substr(0, size));
    bool at_end = whole[size - 1] == '\n';
    EXPECT_EQ(verify().cut_off, !at_end);
    EXPECT_FALSE(verify().problem);
    uint64_t left = verify().records;
    { EXPECT_EQ(open()->durable().value(), left); }
    EXPECT_EQ(verify().records, left);
    EXPECT_FALSE(verify().cut_off);
    if (size < 8) break;
  }
}

TEST_F(AuditFileTest, EveryChangedByteIsFound) {
  fill();
  const std::string whole = content();
  for (size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(problem_of(changed), "") << at;
  }
}

TEST_F(AuditFileTest, RemovedMovedAndAddedLinesAreFound) {
  fill();
  const std::string whole = content();
  size_t second = whole.find('\n') + 1;
  size_t third = whole.find('\n', second) + 1;
  std::string one = whole.substr(0, second);
  std::string two = whole.substr(second, third - second);
  std::string three = whole.substr(third);
  EXPECT_TRUE(problem_of(one + three).starts_with("line 2: "));
  EXPECT_TRUE(problem_of(two + three).starts_with("line 1: "));
  EXPECT_TRUE(problem_of(one + three + two).starts_with("line 2: "));
  EXPECT_TRUE(problem_of(one + one + two + three).starts_with("line 2: "));
  EXPECT_TRUE(problem_of(one + "\n" + two + three).starts_with("line 2: it is no record"));
  EXPECT_EQ(problem_of(one + two), "");  // the newest lines cut off whole: see audit_file.h
}

TEST_F(AuditFileTest, WhatCannotBeWrittenStopsItForGood) {
  auto trail = open();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto ignored = signal(SIGXFSZ, SIG_IGN);
  rlimit small{10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  trail->add({{}, "ci", "default", "submit", ""});
  while (trail->durable().ok()) loop->run_once(Duration::seconds(1));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, ignored);
  trail->add({{}, "ci", "default", "submit", ""});
  EXPECT_EQ(trail->durable().error().code, Code::unavailable);
  EXPECT_NE(trail->durable().error().message.find("File too large"), std::string::npos);
  trail.reset();
  EXPECT_EQ(verify().records, 0u);
  EXPECT_TRUE(verify().cut_off);
}

// A directory as a power cut leaves it: of the file nothing is sure that was written since it was last synced.
class AuditPowerCut : public AuditFileTest {
 protected:
  void add(AuditFile& trail, int records) {
    uint64_t last = 0;
    for (int i = 0; i < records; ++i)
      last = trail.add({{}, "ci", "team-a", "cancel", std::string(dice.below(40), 'x')});
    wait(trail, last);
    acknowledged = last;
  }
  void cut(uint64_t segment_bytes) {
    const std::string left = directory + "/left";
    std::filesystem::create_directory(left);
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      if (entry.path().filename().string().starts_with("audit"))
        std::filesystem::copy_file(entry.path(),
                                   std::filesystem::path(left) / entry.path().filename());
    const std::string file = left + "/" + audit_file_name;
    damage(file);
    {
      auto left_disk = open_linux_disk(left).value();
      auto trail = AuditFile::open(file, *left_disk, *loop, segment_bytes);
      ASSERT_TRUE(trail.ok()) << trail.error().message;
      EXPECT_EQ((*trail)->durable().value(), acknowledged);
      wait(**trail, (*trail)->add({{}, "ci", "team-a", "cancel", "after"}));
    }
    AuditReport report = verify_audit(file).value();
    EXPECT_EQ(report.problem, std::nullopt);
    EXPECT_FALSE(report.cut_off);
    EXPECT_EQ(report.newest_number(), acknowledged + 1);
    std::filesystem::remove_all(left);
  }
  void damage(const std::string& file) {
    std::string head(20, '\0');
    std::ifstream(directory + "/" + audit_journal_name, std::ios::binary).read(head.data(), 20);
    const uint64_t size = std::filesystem::file_size(file);
    const uint64_t synced = std::strtoull(head.c_str(), nullptr, 10);
    if (synced >= size) return;
    if (dice.chance(300)) return leave_hole(file);
    const uint64_t from = dice.between(synced, size);
    if (dice.chance(500)) return std::filesystem::resize_file(file, from);
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(from));
    out << std::string(dice.between(1, size - from + 1), '\0');
  }

  // Of what came later and was not acknowledged, the end is there, and not what stands before it.
  void leave_hole(const std::string& file) {
    const std::string whole = content();
    const std::string last = whole.substr(whole.rfind('\n', whole.size() - 2) + 1);
    std::ofstream(file, std::ios::binary | std::ios::app) << std::string(100, '\0') << "\n" << last;
  }

  Random dice{7};
  uint64_t acknowledged = 0;
};

TEST_F(AuditPowerCut, WhatItTakesFromTheFileIsPutBack) {
  auto trail = open();
  for (int round = 0; round < 90; ++round) {
    add(*trail, static_cast<int>(dice.between(1, dice.chance(300) ? 1500 : 20)));
    cut(audit_segment_bytes);
  }
  EXPECT_GT(std::filesystem::file_size(path), 2 * audit_journal_bytes) << "it began anew";
}

TEST_F(AuditPowerCut, BetweenSegmentsAsWell) {
  constexpr uint64_t small = 2000;
  auto trail = std::move(AuditFile::open(path, *disk, *loop, small).value());
  for (int round = 0; round < 30; ++round) {
    add(*trail, static_cast<int>(dice.between(1, 12)));
    cut(small);
  }
}

TEST_F(AuditPowerCut, AFileThatWasClosedSpeaksForItself) {
  fill();
  const std::string whole = content();
  write(whole.substr(0, whole.find('\n') + 1));
  EXPECT_EQ(open()->durable().value(), 1u) << "what is removed later is not put back";
}

TEST_F(AuditPowerCut, TheJournalOfAnotherFileIsNotUsed) {
  auto trail = open();
  add(*trail, 5);
  std::filesystem::copy_file(directory + "/" + audit_journal_name, directory + "/kept");
  trail.reset();
  std::filesystem::remove(path);
  trail = open();
  add(*trail, 2);
  trail.reset();
  const std::string whole = content();
  std::filesystem::rename(directory + "/kept", directory + "/" + audit_journal_name);
  EXPECT_EQ(open()->durable().value(), 2u);
  EXPECT_EQ(content(), whole);
}

// Files of about two records each.
struct AuditSegmentsTest : AuditFileTest {
  static constexpr uint64_t small = 300;

  void add(int records) {
    auto trail = std::move(AuditFile::open(path, *disk, *loop, small).value());
    for (int i = 0; i < records; ++i)
      wait(*trail, trail->add({{}, "ci", "team-a", "cancel", "e" + std::to_string(i)}));
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      if (entry.path().filename().string().starts_with("audit-"))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(AuditSegmentsTest, OneChainGoesThroughAllFiles) {
  add(5);
  EXPECT_EQ(segments(),
            (std::vector<std::string>{"audit-000000000001.log", "audit-000000000003.log"}));
  add(4);  // goes on
  ASSERT_EQ(segments().size(), 4u);
  AuditReport report = verify();
  EXPECT_EQ(report.problem, std::nullopt);
  EXPECT_EQ(report.records, 9u);
  EXPECT_EQ(report.segments, 4u);
  EXPECT_EQ(report.newest_number(), 9u);
  std::filesystem::remove(path);  // a crash between two files
  add(1);
  EXPECT_EQ(verify().problem, std::nullopt);
  EXPECT_EQ(verify().newest_number(), 9u) << "number 9 was removed with its file";
}

TEST_F(AuditSegmentsTest, WhatIsMissingOrChangedInAnyFileIsFound) {
  add(7);
  ASSERT_EQ(segments().size(), 3u);
  const std::string second = directory + "/" + segments()[1];
  std::filesystem::rename(second, directory + "/elsewhere");
  EXPECT_NE(verify().problem.value_or("").find(segments()[1] + ": line 1: it, or a line before it"),
            std::string::npos)
      << verify().problem.value_or("nothing");
  std::filesystem::rename(directory + "/elsewhere", second);
  ASSERT_EQ(verify().problem, std::nullopt);
  std::fstream file(second);
  file.seekp(70);
  file.put('?');
  file.close();
  EXPECT_NE(verify().problem.value_or("").find("audit-000000000003.log: line 2"),
            std::string::npos);
}

TEST_F(AuditSegmentsTest, TheOldestMayBeMovedAway) {
  add(7);
  std::filesystem::remove(directory + "/" + segments()[0]);
  AuditReport report = verify();
  EXPECT_EQ(report.problem, std::nullopt);
  EXPECT_EQ(report.first, 3u);
  EXPECT_EQ(report.records, 5u);
  EXPECT_EQ(report.newest_number(), 7u);
  add(1);
  EXPECT_EQ(verify().newest_number(), 8u);
}

TEST_F(AuditSegmentsTest, AllButTheNewestMayBeMovedAway) {
  add(5);
  for (const std::string& one : segments()) std::filesystem::remove(directory + "/" + one);
  AuditReport report = verify();
  EXPECT_EQ(report.problem, std::nullopt);
  EXPECT_EQ(report.first, 5u);
  EXPECT_EQ(report.newest_number(), 5u);
  add(1);
  EXPECT_EQ(verify().problem, std::nullopt);
  EXPECT_EQ(verify().newest_number(), 6u);
}

// Also in the first record of what remains.
TEST_F(AuditSegmentsTest, EveryChangedByteIsFoundWhenTheOldestWereMovedAway) {
  add(4);
  ASSERT_EQ(segments().size(), 1u);
  std::filesystem::remove(directory + "/" + segments()[0]);
  const std::string whole = content();
  for (size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(problem_of(changed), "") << at;
  }
  size_t second = whole.find('\n') + 1;
  size_t third = whole.find('\n', second) + 1;
  EXPECT_TRUE(problem_of(whole.substr(second)).starts_with("line 1: "));
  EXPECT_TRUE(problem_of(whole.substr(0, second) + whole.substr(third)).starts_with("line 2: "));
}

TEST_F(AuditSegmentsTest, ANewFileThatACrashCutOffIsBegunAgain) {
  add(3);
  const std::string whole = content();
  size_t record = whole.find('\n') + 1;
  for (size_t size : {size_t{10}, record - 1, record, record + 10}) {
    write(whole.substr(0, size));
    add(1);
    EXPECT_EQ(verify().problem, std::nullopt) << size;
    EXPECT_EQ(verify().newest_number(), 3u) << size;
  }
}

TEST_F(AuditFileTest, AFileThatIsNoTrailIsNotGoneOnWith) {
  write("hello\n");
  EXPECT_EQ(AuditFile::open(path, *disk, *loop).error().code, Code::data_loss);
  EXPECT_EQ(AuditFile::open(directory + "/no/where", *disk, *loop).error().code, Code::unavailable);
  EXPECT_EQ(verify_audit(directory + "/none").error().code, Code::not_found);
}

}  // namespace
}  // namespace pawl
