#include "pawl/adapter/rocksdb/rocksdb_view.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "pawl/testing/contract/view_contract.h"
#include "pawl/testing/wake_loop.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;

// The contract asks for hundreds of syncs, which are free in memory; what is said of files is
// tested on the real file system.
enum class Place : uint8_t { memory, disk };

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(Place place) {
    const fs::path memory = "/dev/shm";
    const bool in_memory = place == Place::memory && ::access(memory.c_str(), W_OK) == 0;
    const fs::path parent = in_memory ? memory : fs::temp_directory_path();
    std::string name = (parent / "pawl-view-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class LineTelemetry final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override {
    std::lock_guard lock(mutex_);
    lines_ += line.message + "\n";
  }
  std::string lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::string lines_;
};

class RocksdbHarness final : public ViewHarness {
 public:
  explicit RocksdbHarness(Place place) : directory_(place) { open(); }
  View& view() override { return *view_; }
  void finish() override { loop_.wait(); }

  // live/ is what a power cut damages: here it becomes nonsense every time.
  void power_cut() override {
    close();
    open();
  }
  void power_cut_with_damage() override {
    close();
    for (const std::string& table : newest_tables()) flip_a_bit(table);
    open();
  }

  void close() {
    view_.reset();
    if (!fs::exists(root() + "/live")) return;
    fs::remove_all(root() + "/live");
    fs::create_directory(root() + "/live");
    std::ofstream(root() + "/live/CURRENT") << "nonsense\n";
  }
  void open() {
    auto view = reopen();
    ASSERT_TRUE(view.ok()) << view.error().message;
    view_ = std::move(*view);
  }
  Result<std::unique_ptr<RocksdbView>> reopen() {
    return RocksdbView::open({.directory = root()}, loop_, telemetry_);
  }

  std::string root() const { return directory_.path() + "/view"; }
  std::string log() { return telemetry_.lines(); }
  std::vector<std::string> generations() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(root())) {
      if (entry.path().filename().string().starts_with("gen-")) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::string in_newest(const std::string& beginning) const {
    for (const auto& entry : fs::directory_iterator(generations().back())) {
      if (entry.path().filename().string().starts_with(beginning)) return entry.path();
    }
    ADD_FAILURE() << "no " << beginning << " in " << generations().back();
    return "";
  }
  // Tables that only the newest generation holds: an older one shares its files by hard link.
  std::vector<std::string> newest_tables() const {
    const auto all = generations();
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(all.back())) {
      const std::string name = entry.path().filename();
      const bool shared = all.size() > 1 && fs::exists(all[all.size() - 2] + "/" + name);
      if (name.ends_with(".sst") && !shared) found.push_back(entry.path());
    }
    EXPECT_FALSE(found.empty());
    return found;
  }
  static void flip_a_bit(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(0);
    file.put(byte);
  }

 private:
  TemporaryDirectory directory_;
  WakeLoop loop_;
  LineTelemetry telemetry_;
  std::unique_ptr<RocksdbView> view_;
};

std::unique_ptr<ViewHarness> make() {
  return std::make_unique<RocksdbHarness>(Place::memory);
}
INSTANTIATE_TEST_SUITE_P(Rocksdb, ViewContract, testing::Values(&make));

class RocksdbViewTest : public testing::Test {
 protected:
  void SetUp() override {
    seal(3);
    seal(5);
  }
  void seal(uint64_t position) {
    ViewBatch batch;
    batch.position = position;
    batch.puts = {{"k" + std::to_string(position), Bytes(2000, 'v')}};
    batch.seal = true;
    harness_.view().submit(std::move(batch));
    harness_.finish();
    auto answer = harness_.view().poll();
    ASSERT_TRUE(answer->ok()) << answer->error().message;
  }
  void expect_fallback(const std::string& named) {
    harness_.open();
    EXPECT_EQ(harness_.view().position(), 3u);
    EXPECT_NE(harness_.log().find(named), std::string::npos) << harness_.log();
  }
  RocksdbHarness harness_{Place::disk};
};

TEST_F(RocksdbViewTest, KeepsTwoGenerationsAndNothingElse) {
  seal(8);
  ASSERT_EQ(harness_.generations().size(), 2u);
  EXPECT_TRUE(harness_.generations().back().ends_with("gen-00000000000000000008"));
  EXPECT_FALSE(fs::exists(harness_.root() + "/making"));
  for (const auto& entry : fs::directory_iterator(harness_.root() + "/live")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG")) << entry.path();
  }
}

TEST(VerifyGenerations, AMissingDirectoryIsNotMade) {
  TemporaryDirectory place(Place::memory);
  std::string nowhere = place.path() + "/view";
  auto reports = verify_generations(nowhere);
  ASSERT_TRUE(reports.ok()) << reports.error().message;
  EXPECT_TRUE(reports->empty());
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(RocksdbViewTest, AFlippedBitInATableIsNamed) {
  harness_.close();
  const std::string table = harness_.newest_tables().front();
  RocksdbHarness::flip_a_bit(table);
  expect_fallback(table);
}

TEST_F(RocksdbViewTest, ATruncatedManifestFallsBack) {
  harness_.close();
  fs::resize_file(harness_.in_newest("MANIFEST"), 20);
  expect_fallback(harness_.generations().back());
}

TEST_F(RocksdbViewTest, AMissingTableFallsBack) {
  harness_.close();
  fs::remove(harness_.newest_tables().front());
  expect_fallback(harness_.generations().back());
}

TEST_F(RocksdbViewTest, ATruncatedTableFallsBack) {
  harness_.close();
  const std::string table = harness_.newest_tables().front();
  fs::resize_file(table, fs::file_size(table) / 2);
  expect_fallback(table);
}

TEST_F(RocksdbViewTest, AGenerationUnderAWrongNameFallsBack) {
  harness_.close();
  fs::rename(harness_.generations().back(), harness_.root() + "/gen-00000000000000000099");
  expect_fallback("holds position 5 instead");
}

TEST_F(RocksdbViewTest, AGenerationWithoutItsFormatFallsBack) {
  harness_.close();
  fs::remove(harness_.generations().back() + "/FORMAT");
  expect_fallback("FORMAT");
}

TEST_F(RocksdbViewTest, ANewerFormatIsRefusedAndLeftAlone) {
  harness_.close();
  std::ofstream(harness_.generations().back() + "/FORMAT") << "pawl-view 2\n";
  auto opened = harness_.reopen();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::failed_precondition);
  EXPECT_NE(opened.error().message.find("format 2"), std::string::npos);
  EXPECT_EQ(harness_.generations().size(), 2u);
}

TEST_F(RocksdbViewTest, LeftoversOfACrashWhileSealingAreReplaced) {
  fs::create_directory(harness_.root() + "/making");
  std::ofstream(harness_.root() + "/making/CURRENT") << "half\n";
  fs::create_directory(harness_.root() + "/making.tmp");
  harness_.power_cut();
  seal(6);
  EXPECT_FALSE(fs::exists(harness_.root() + "/making"));
  EXPECT_EQ(harness_.view().trim_position(), 5u);
}

TEST_F(RocksdbViewTest, AFailedSealKeepsTheBatchAndMayBeTriedAgain) {
  const std::string elsewhere = harness_.root() + ".elsewhere";
  fs::rename(harness_.root(), elsewhere);
  ViewBatch batch;
  batch.position = 7;
  batch.puts = {{"k7", "v"}};
  batch.seal = true;
  harness_.view().submit(batch);
  harness_.finish();
  EXPECT_FALSE(harness_.view().poll()->ok());
  EXPECT_EQ(harness_.view().position(), 7u);
  EXPECT_EQ(harness_.view().trim_position(), 3u);
  fs::rename(elsewhere, harness_.root());
  harness_.view().submit_again();
  harness_.finish();
  auto answer = harness_.view().poll();
  EXPECT_TRUE(answer->ok()) << answer->error().message;
  harness_.power_cut();
  EXPECT_EQ(harness_.view().position(), 7u);
  EXPECT_EQ(*harness_.view().get("k7").value(), "v");
}

TEST_F(RocksdbViewTest, VerifyReportsEveryGeneration) {
  harness_.close();
  RocksdbHarness::flip_a_bit(harness_.newest_tables().front());
  auto reports = verify_generations(harness_.root());
  ASSERT_TRUE(reports.ok());
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_TRUE(reports->at(0).verdict.ok());
  EXPECT_EQ(reports->at(0).position, 3u);
  EXPECT_EQ(reports->at(1).verdict.error().code, Code::data_loss);
}

TEST(RocksdbView, AnEmptyViewAnswersWithoutADatabase) {
  RocksdbHarness harness{Place::disk};
  EXPECT_EQ(harness.view().position(), 0u);
  EXPECT_FALSE(harness.view().get("k").value().has_value());
  EXPECT_FALSE(fs::exists(harness.root() + "/live"));
}

TEST(RocksdbView, AFileInPlaceOfTheDirectoryIsAClearError) {
  TemporaryDirectory directory{Place::disk};
  std::ofstream(directory.path() + "/view") << "a file";
  WakeLoop loop;
  LineTelemetry telemetry;
  auto opened = RocksdbView::open({.directory = directory.path() + "/view"}, loop, telemetry);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find(directory.path()), std::string::npos);
}

}  // namespace
}  // namespace pawl
