#include "pawl/adapter/file_blob/file_blob.h"

#include <mutex>

#include "pawl/testing/contract/blob_contract.h"
#include "pawl/testing/sim_disk.h"

namespace pawl {
namespace {

// The simulated disk is single-threaded; the real one is not.
class OneAtATimeFile final : public File {
 public:
  OneAtATimeFile(std::unique_ptr<File> file, std::mutex& mutex)
      : file_(std::move(file)), mutex_(mutex) {}
  ~OneAtATimeFile() override {
    std::lock_guard lock(mutex_);
    file_.reset();
  }
  Status write(uint64_t offset, ByteView bytes) override {
    std::lock_guard lock(mutex_);
    return file_->write(offset, bytes);
  }
  void start_write(uint64_t offset, ByteView bytes) override { file_->start_write(offset, bytes); }
  std::optional<Status> poll_write() override { return file_->poll_write(); }
  Result<Bytes> read(uint64_t offset, uint64_t size) override {
    std::lock_guard lock(mutex_);
    return file_->read(offset, size);
  }
  uint64_t size() const override { return file_->size(); }

 private:
  std::unique_ptr<File> file_;
  std::mutex& mutex_;
};

class OneAtATimeDisk final : public Disk {
 public:
  explicit OneAtATimeDisk(Disk& disk) : disk_(disk) {}
  Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override {
    std::lock_guard lock(mutex_);
    return wrap(disk_.create(path, size));
  }
  Result<std::unique_ptr<File>> open(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return wrap(disk_.open(path));
  }
  Status publish(const std::string& temporary, const std::string& final_name) override {
    std::lock_guard lock(mutex_);
    return disk_.publish(temporary, final_name);
  }
  Status remove(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return disk_.remove(path);
  }
  Status make_directory(const std::string& path) override {
    std::lock_guard lock(mutex_);
    return disk_.make_directory(path);
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::lock_guard lock(mutex_);
    return disk_.list(directory);
  }
  Result<uint64_t> free_bytes() override { return disk_.free_bytes(); }

 private:
  Result<std::unique_ptr<File>> wrap(Result<std::unique_ptr<File>> file) {
    if (!file.ok()) return file;
    return std::unique_ptr<File>(std::make_unique<OneAtATimeFile>(std::move(*file), mutex_));
  }
  Disk& disk_;
  std::mutex mutex_;
};

class FileBlobHarness final : public BlobHarness {
 public:
  Blob& blob() override { return *blob_; }
  void power_cut() override {
    disk_.crash();
    disk_.restart();
    blob_ = std::make_unique<FileBlob>(locked_);
  }
  void flip_a_bit(const BlobRef& ref) override {
    disk_.flip_bit("blob/" + std::to_string(ref.owner.value) + "/" + std::to_string(ref.sequence),
                   3, 1);
  }

 private:
  SimDisk disk_{7};
  OneAtATimeDisk locked_{disk_};
  std::unique_ptr<FileBlob> blob_ = std::make_unique<FileBlob>(locked_);
};

std::unique_ptr<BlobHarness> make() {
  return std::make_unique<FileBlobHarness>();
}
INSTANTIATE_TEST_SUITE_P(File, BlobContract, testing::Values(&make));

BlobRef reference(ByteView bytes) {
  return {ExecutionId{4}, 2, bytes.size(), hash128(bytes)};
}

// The machine stops within each call of a put in turn: afterwards the blob is whole or not there,
// and it is there if put() said so.
TEST(FileBlob, ACrashAtAnyCallLeavesNoHalfBlob) {
  const Bytes content(100'000, 'c');
  bool finished = false;
  for (uint64_t call = 1; !finished; ++call) {
    ASSERT_LT(call, 50u);
    SimDisk disk(call);
    disk.plan(call, SimFault::crash);
    const Status put = FileBlob(disk).put(reference(content), content);
    finished = put.ok();
    disk.plan(call, SimFault::none);  // not reached if put() needs fewer calls
    disk.crash();
    disk.restart();
    FileBlob blobs(disk);
    auto found = blobs.get(reference(content));
    if (found.ok()) {
      EXPECT_EQ(*found, content);
    } else {
      EXPECT_FALSE(put.ok());
      EXPECT_EQ(found.error().code, Code::not_found) << found.error().message;
    }
    ASSERT_TRUE(blobs.put(reference(content), content).ok());
    ASSERT_TRUE(blobs.drop_owner(ExecutionId{4}).ok());
    EXPECT_TRUE(disk.files().empty()) << disk.files().front();
  }
}

// As above, of adopt(): it has one of its two names, and the new one if adopt() said so.
TEST(FileBlob, ACrashAtAnyCallOfAdoptingLeavesOneOwner) {
  bool finished = false;
  for (uint64_t call = 1; !finished; ++call) {
    ASSERT_LT(call, 50u);
    SimDisk disk(call);
    const BlobRef staged{ExecutionId{}, 1, 7, hash128("content")};
    const BlobRef adopted{ExecutionId{4}, 0, 7, hash128("content")};
    ASSERT_TRUE(FileBlob(disk).put(staged, "content").ok());
    const uint64_t stops_at = disk.calls() + call;
    disk.plan(stops_at, SimFault::crash);
    const Status done = FileBlob(disk).adopt(staged, adopted);
    finished = done.ok();
    disk.plan(stops_at, SimFault::none);  // not reached if adopt() needs fewer calls
    disk.crash();
    disk.restart();
    FileBlob blobs(disk);
    bool here = blobs.get(adopted).ok();
    EXPECT_NE(here, blobs.get(staged).ok());
    EXPECT_TRUE(here || !done.ok());
  }
}

TEST(FileBlob, AFullDiskKeepsNothingOfTheRefused) {
  SimDisk disk(1);
  disk.set_capacity(50'000);
  const Bytes content(100'000, 'c');
  EXPECT_EQ(FileBlob(disk).put(reference(content), content).error().code, Code::resource_exhausted);
  EXPECT_TRUE(disk.files().empty());
}

TEST(FileBlob, DamageNamesTheFile) {
  SimDisk disk(1);
  FileBlob blobs(disk);
  ASSERT_TRUE(blobs.put(reference("content"), "content").ok());
  disk.truncate("blob/4/2", 3);
  auto found = blobs.get(reference("content"));
  EXPECT_EQ(found.error().code, Code::data_loss);
  EXPECT_NE(found.error().message.find("blob/4/2"), std::string::npos);
}

}  // namespace
}  // namespace pawl
