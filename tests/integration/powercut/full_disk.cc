// A real file system that fills up under the log, and one that is read-only: new work is refused
// while results still fit, the log waits when even its reserves are used, and goes on by itself.
//
//   full_disk          exit code 77: skipped, with the reason
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "loop_image.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/wal/wal.h"

namespace pawl {
namespace {

constexpr int exit_skipped = 77;
constexpr uint64_t segment_bytes = 1 << 20;

class HandClock final : public Clock {
 public:
  Instant monotonic() override { return now_ = now_ + Duration::milliseconds(1); }
  WallTime wall() override { return {}; }
  void advance() { now_ = now_ + Duration::seconds(1); }

 private:
  Instant now_{1};
};

#define EXPECT(condition)                                                       \
  do {                                                                          \
    if (!(condition)) {                                                         \
      std::printf("FAILED: %s, line %d: %s\n", __FILE__, __LINE__, #condition); \
      return 1;                                                                 \
    }                                                                           \
  } while (false)

void fill_up(const std::string& path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  Bytes chunk(4096, 'f');
  while (::write(fd, chunk.data(), chunk.size()) > 0) {
  }
  ::fsync(fd);
  ::close(fd);
}

bool append(Wal& log, HandClock& clock, int turns) {
  log.append(log.tail() + 1, Bytes(60'000, 'r'), AppendMode::blocking);
  for (int i = 0; i < turns; ++i) {
    if (auto done = log.poll()) return done->outcome == AppendOutcome::ok;
    clock.advance();
  }
  return false;
}

int fills_and_recovers(const std::string& root) {
  HandClock clock;
  WalOptions options;
  options.log_id = {3, 4};
  options.segment_bytes = options.ballast_bytes = segment_bytes;
  options.soft_free_bytes = 4 * segment_bytes;
  options.hard_free_bytes = 2 * segment_bytes;
  auto disk = open_linux_disk(root + "/state").value();
  auto log = Wal::open(*disk, clock, options).value();
  EXPECT(log->take_over().ok());
  EXPECT(append(*log, clock, 1));
  clock.advance();
  EXPECT(log->space() == DiskSpace::plenty);

  fill_up(root + "/filler");
  clock.advance();
  EXPECT(log->space() == DiskSpace::hard);
  auto refused = disk->create("more", segment_bytes);
  EXPECT(!refused.ok() && refused.error().code == Code::resource_exhausted);
  EXPECT(refused.error().message.find("free some space") != std::string::npos);

  // What was allocated before still takes results: the segment, its spare, the ballast.
  uint64_t taken = 0;
  while (taken < 100 && append(*log, clock, 2)) ++taken;
  EXPECT(taken >= 2 * segment_bytes / 65'536);
  EXPECT(taken < 100);
  std::printf("a full disk took %llu more groups of 60 kB, then the log waited\n",
              static_cast<unsigned long long>(taken));
  EXPECT(!log->poll().has_value());

  std::filesystem::remove(root + "/filler");
  clock.advance();
  auto done = log->poll();
  EXPECT(done && done->outcome == AppendOutcome::ok);
  clock.advance();
  EXPECT(log->space() == DiskSpace::plenty);
  EXPECT(append(*log, clock, 1));
  uint64_t tail = log->tail();
  log.reset();
  log = Wal::open(*disk, clock, options).value();
  EXPECT(log->tail() == tail);
  return 0;
}

int says_read_only(const std::string& root) {
  auto disk = open_linux_disk(root + "/state");
  EXPECT(!disk.ok());
  EXPECT(disk.error().code == Code::permission_denied);
  EXPECT(disk.error().message.find(root + "/state") != std::string::npos);
  EXPECT(disk.error().message.find("Read-only file system") != std::string::npos);
  EXPECT(open_linux_disk(root + "/state", {.access = DiskAccess::read_only}).ok());
  return 0;
}

int run() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pawl_full_disk_XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  struct Remove {
    std::string path;
    ~Remove() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } remove{pattern};
  auto image = LoopImage::make(pattern, 24ULL << 20);
  Status mounted = image.ok() ? image->mount() : Status(image.error());
  if (!mounted.ok()) {
    std::printf("SKIPPED: no disk was filled: %s\n", mounted.error().message.c_str());
    return exit_skipped;
  }
  if (int code = fills_and_recovers(image->path()); code != 0) return code;
  if (!image->remount_read_only().ok()) return 1;
  return says_read_only(image->path());
}

}  // namespace
}  // namespace pawl

int main() {
  return pawl::run();
}
