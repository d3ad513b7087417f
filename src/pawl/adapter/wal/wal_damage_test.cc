// Damage at rest: whatever is flipped, misdirected, lost, cut off or taken away in a log, it is
// either harmless or found, and named by file and offset. It is never served.
#include <gtest/gtest.h>

#include "pawl/adapter/wal/wal_script.h"
#include "pawl/adapter/wal/wal_verify.h"

namespace pawl {
namespace {

constexpr uint64_t block = 4096;

std::vector<Bytes> read_all(SimDisk& disk, std::string& error) {
  std::vector<Bytes> groups;
  StillClock clock;
  auto log = Wal::open(disk, clock, small_wal_options());
  if (!log.ok()) {
    error = log.error().message;
    return groups;
  }
  auto reader = (*log)->read((*log)->first());
  while (reader.ok()) {
    auto group = (*reader)->next();
    if (!group.ok()) {
      error = group.error().message;
      break;
    }
    if (!*group) break;
    groups.push_back((*group)->payload);
  }
  return groups;
}

// A log of several segments; `ending` says whether its last group is known to be acknowledged.
class WalDamage : public ::testing::Test {
 protected:
  void build(Ending ending) {
    WalScript script(disk_);
    script.run(150);
    ASSERT_EQ(script.verdict(), "");
    script.finish(ending);
    image_ = disk_.image();
    std::string error;
    intact_ = read_all(disk_, error);
    ASSERT_EQ(error, "");
    ASSERT_GT(intact_.size(), 50u);
    for (const auto& [name, content] : image_)
      if (name.starts_with("log/segment-")) segments_.push_back(name);
    ASSERT_GE(segments_.size(), 2u);
  }

  enum class Seen { nothing, reported, tail_lost, lie };
  // What a reader gets from the damaged disk; the damage is undone afterwards.
  Seen look() {
    std::string error;
    std::vector<Bytes> groups = read_all(disk_, error);
    for (size_t i = 0; i < groups.size(); ++i)
      if (i >= intact_.size() || groups[i] != intact_[i]) return Seen::lie;
    if (!error.empty()) {
      EXPECT_NE(error.find("log/"), std::string::npos) << error;
      EXPECT_NE(error.find("offset"), std::string::npos) << error;
      return Seen::reported;
    }
    return groups.size() == intact_.size() ? Seen::nothing : Seen::tail_lost;
  }

  SimDisk disk_{5};
  SimDisk::Image image_;
  std::vector<Bytes> intact_;
  std::vector<std::string> segments_;
};

TEST_F(WalDamage, ten_thousand_flipped_bits_never_lie) {
  build(Ending::clean);
  Random dice(1);
  uint64_t reported = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string& name = segments_[dice.below(segments_.size())];
    uint64_t offset = dice.below(disk_.file_size(name));
    uint32_t bit = static_cast<uint32_t>(dice.below(8));
    disk_.flip_bit(name, offset, bit);
    Seen seen = look();
    disk_.flip_bit(name, offset, bit);  // opening a cleanly closed log changes nothing
    ASSERT_TRUE(seen == Seen::nothing || seen == Seen::reported)
        << i;  // behind the end is harmless
    if (seen == Seen::reported) ++reported;
  }
  EXPECT_GT(reported, 6'000u);
}

TEST_F(WalDamage, every_flip_in_a_record_is_reported_with_its_offset) {
  build(Ending::clean);
  const std::string& name = segments_.front();
  for (uint64_t offset = 0; offset < 2 * block; offset += 3) {
    disk_.restore(image_);
    disk_.flip_bit(name, offset, static_cast<uint32_t>(offset % 8));
    WalReport report = verify_wal(disk_, "log");
    ASSERT_TRUE(report.problem) << offset;
    EXPECT_EQ(report.problem->code, Code::data_loss);
    uint64_t at = offset / block * block;
    EXPECT_EQ(report.problem->where, name + " at offset " + std::to_string(at));
  }
}

TEST_F(WalDamage, any_superblock_copy_may_be_lost) {
  build(Ending::clean);
  for (uint64_t copy = 0; copy < 4; ++copy) {
    for (uint64_t other = 0; other < 4; ++other) {
      disk_.restore(image_);
      disk_.overwrite("log/superblock", copy * block, Bytes(block, 'x'));
      disk_.overwrite("log/superblock", other * block, Bytes(block, 'x'));
      EXPECT_EQ(look(), Seen::nothing);
    }
  }
  disk_.overwrite("log/superblock", 0, Bytes(3 * block, 'x'));
  EXPECT_EQ(look(), Seen::reported);
}

TEST_F(WalDamage, misdirected_and_recycled_blocks_are_not_records) {
  build(Ending::clean);
  Random dice(2);
  for (int i = 0; i < 2'000; ++i) {
    disk_.restore(image_);
    const std::string& from = segments_[dice.below(segments_.size())];
    const std::string& to = segments_[dice.below(segments_.size())];
    uint64_t source = dice.below(disk_.file_size(from) / block) * block;
    uint64_t target = dice.below(disk_.file_size(to) / block) * block;
    disk_.overwrite(to, target, disk_.content(from, source, block));
    Seen seen = look();
    ASSERT_TRUE(seen == Seen::nothing || seen == Seen::reported) << i;
  }
}

TEST_F(WalDamage, a_lost_write_is_reported) {
  build(Ending::clean);
  for (uint64_t at = 0; at < 8 * block; at += block) {
    disk_.restore(image_);
    disk_.overwrite(segments_.front(), at, Bytes(block, '\0'));
    EXPECT_EQ(look(), Seen::reported) << at;
  }
}

TEST_F(WalDamage, truncated_and_missing_files_are_reported) {
  build(Ending::clean);
  Random dice(3);
  for (const std::string& name : segments_) {
    for (int i = 0; i < 40; ++i) {
      disk_.restore(image_);
      disk_.truncate(name, dice.below(disk_.file_size(name)));
      ASSERT_EQ(look(), Seen::reported) << name;
    }
    disk_.restore(image_);
    disk_.erase(name);
    EXPECT_EQ(look(), Seen::reported) << name;
  }
  disk_.restore(image_);
  disk_.erase("log/superblock");
  EXPECT_EQ(look(), Seen::reported);
  disk_.restore(image_);
  disk_.truncate("log/superblock", block);
  EXPECT_EQ(look(), Seen::reported);
}

TEST_F(WalDamage, an_old_segment_does_not_pass_for_the_new_one) {
  WalScript script(disk_);
  script.run(100);
  script.finish(Ending::clean);
  SimDisk::Image before = disk_.image();
  ASSERT_TRUE(script.reopen());
  script.run(150);
  script.finish(Ending::clean);
  uint64_t swapped = 0;
  SimDisk::Image after = disk_.image();
  for (const auto& [name, content] : before) {
    if (!name.starts_with("log/segment-") || !after.contains(name)) continue;
    if (content.pages == after[name].pages) continue;
    SimDisk::Image mixed = after;
    mixed[name] = content;
    disk_.restore(mixed);
    EXPECT_TRUE(verify_wal(disk_, "log").problem) << name;
    ++swapped;
  }
  EXPECT_GT(swapped, 0u);
}

// The one undecidable case of a single node: the last group, written less than an idle mark ago.
TEST_F(WalDamage, after_a_crash_only_the_last_group_is_in_doubt) {
  WalScript script(disk_);
  script.run(149);  // no mark behind the last group
  script.finish(Ending::abrupt);
  image_ = disk_.image();
  std::string error;
  intact_ = read_all(disk_, error);
  ASSERT_EQ(error, "");
  uint64_t lost = 0;
  for (const auto& [name, content] : image_) {
    if (!name.starts_with("log/segment-")) continue;
    for (uint64_t at = 0; at < content.size; at += block) {
      disk_.restore(image_);
      disk_.flip_bit(name, at + 7, 3);
      Seen seen = look();
      ASSERT_NE(seen, Seen::lie);
      if (seen != Seen::tail_lost) continue;
      ++lost;
      disk_.restore(image_);
      disk_.flip_bit(name, at + 7, 3);
      EXPECT_EQ(read_all(disk_, error).size() + 1, intact_.size());
    }
  }
  EXPECT_EQ(lost, 1u);
}

TEST_F(WalDamage, a_newer_format_names_the_program_that_wrote_it) {
  WalScript script(disk_);
  script.run(20);
  script.finish(Ending::clean);
  // A superblock as a later program would write it: same magic, place of format and checksum.
  Bytes newer = disk_.content("log/superblock", 0, block);
  newer[8] = 9;
  newer.replace(12, 32, Bytes("pawl 7.1.0") + Bytes(22, '\0'));
  uint32_t crc = crc32c(ByteView(newer).substr(0, block - 4));
  newer.replace(block - 4, 4, ByteView(reinterpret_cast<const char*>(&crc), 4));
  for (uint64_t copy = 0; copy < 4; ++copy) disk_.overwrite("log/superblock", copy * block, newer);
  StillClock clock;
  auto log = Wal::open(disk_, clock, small_wal_options());
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, Code::failed_precondition);
  EXPECT_NE(log.error().message.find("pawl 7.1.0"), std::string::npos) << log.error().message;
  EXPECT_NE(log.error().message.find("format 9"), std::string::npos);
}

}  // namespace
}  // namespace pawl
