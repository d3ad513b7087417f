// What the log costs over the bare medium: groups of 1,024 records of 216 bytes, appended to the
// log, against the same bytes written by a bare O_DSYNC loop into a preallocated file, alternating
// in one run. Target: at least 0.7 of the bare loop. Also the time of one small commit, and of so
// many groups in a row that the hash chain, which is not counted else, has to keep up.
//
//   wal_bench [DIRECTORY] [REPETITIONS]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/wal/wal.h"

namespace pawl {
namespace {

using SteadyTime = std::chrono::steady_clock;

constexpr uint64_t records = 1024;
constexpr uint64_t record_bytes = 216;
constexpr uint64_t group_bytes = records * record_bytes;
constexpr uint64_t bare_span = (group_bytes + 4095) / 4096 * 4096;
constexpr uint64_t groups = 20;  // short turns, so that a stall of the medium meets both sides
constexpr uint64_t small_commits = 40;
constexpr int row_turns = 20;  // in a row: several times what the chain may be behind
constexpr int turns_per_row = 12;
constexpr uint64_t file_bytes = 64ULL << 20;

class BenchClock final : public Clock {
 public:
  Instant monotonic() override {
    return {
        std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyTime::now().time_since_epoch())
            .count()};
  }
  WallTime wall() override { return {}; }
};

class Bell final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {
    rung_.store(1);
    rung_.notify_one();
  }
  void wait() {
    rung_.wait(0);
    rung_.store(0);
  }

 private:
  std::atomic<uint32_t> rung_ = 0;
};

double seconds_since(SteadyTime::time_point begin) {
  return std::chrono::duration<double>(SteadyTime::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class BareFile {
 public:
  explicit BareFile(const std::string& path) : memory_(std::aligned_alloc(4096, bare_span)) {
    std::fill_n(static_cast<char*>(memory_), bare_span, 'r');
    int plain = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    Bytes zeros(1 << 20, '\0');
    for (uint64_t at = 0; at < file_bytes; at += zeros.size())
      PAWL_CHECK(::pwrite(plain, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0, "write");
    ::fsync(plain);
    ::close(plain);
    direct_ = ::open(path.c_str(), O_WRONLY | O_DSYNC | O_DIRECT | O_CLOEXEC);
    buffered_ = ::open(path.c_str(), O_WRONLY | O_DSYNC | O_CLOEXEC);
  }
  ~BareFile() {
    ::close(direct_);
    ::close(buffered_);
    std::free(memory_);
  }
  double run(int fd, uint64_t size, uint64_t count) {
    auto begin = SteadyTime::now();
    for (uint64_t i = 0; i < count; ++i) {
      off_t at = static_cast<off_t>(i * size % (file_bytes - size) / 4096 * 4096);
      PAWL_CHECK(::pwrite(fd, memory_, size, at) == static_cast<ssize_t>(size), "write");
    }
    return seconds_since(begin);
  }
  int direct() const { return direct_; }
  int buffered() const { return buffered_; }

 private:
  void* memory_;
  int direct_ = -1;
  int buffered_ = -1;
};

// Seconds from append() to its answer. Making the group is the caller's work, not the log's.
double append_one(Wal& log, Bell& bell, Bytes group, AppendMode mode) {
  auto begin = SteadyTime::now();
  log.append(log.tail() + 1, std::move(group), mode);
  while (true) {
    if (auto done = log.poll()) {
      PAWL_CHECK(done->outcome == AppendOutcome::ok, "the append failed");
      return seconds_since(begin);
    }
    bell.wait();
  }
}

double run_log(Wal& log, Bell& bell, uint64_t size, uint64_t count, AppendMode mode) {
  Bytes source(size, 'r');
  double taken = 0;
  for (uint64_t i = 0; i < count; ++i) taken += append_one(log, bell, source, mode);
  PAWL_CHECK(log.trim(log.tail()).ok(), "the trim failed");
  return taken;
}

void run(const std::string& directory, int repetitions) {
  BenchClock clock;
  Bell bell;
  auto disk = open_linux_disk(directory + "/state", {.wake = &bell}).value();
  WalOptions options;
  options.log_id = {7, 7};
  auto log = Wal::open(*disk, clock, options).value();
  PAWL_CHECK(log->take_over().ok(), "take_over failed");
  BareFile bare(directory + "/bare");
  // Once through all segments, so that neither side pays for blocks that were never written.
  for (int i = 0; i < 40; ++i) run_log(*log, bell, group_bytes, groups, AppendMode::blocking);

  std::vector<double> plain, direct, blocking, overlapped, small_bare, small_blocking;
  std::vector<double> small_overlapped, row, row_direct;
  for (int i = 0; i < repetitions; ++i) {
    plain.push_back(bare.run(bare.buffered(), bare_span, groups));
    blocking.push_back(run_log(*log, bell, group_bytes, groups, AppendMode::blocking));
    direct.push_back(bare.run(bare.direct(), bare_span, groups));
    overlapped.push_back(run_log(*log, bell, group_bytes, groups, AppendMode::overlapped));
    small_bare.push_back(bare.run(bare.direct(), 4096, small_commits));
    small_blocking.push_back(
        run_log(*log, bell, record_bytes, small_commits, AppendMode::blocking));
    small_overlapped.push_back(
        run_log(*log, bell, record_bytes, small_commits, AppendMode::overlapped));
    if (i % turns_per_row != 0) continue;
    row_direct.push_back(0);
    row.push_back(0);
    for (int turn = 0; turn < row_turns; ++turn)
      row_direct.back() += bare.run(bare.direct(), bare_span, groups) / row_turns;
    for (int turn = 0; turn < row_turns; ++turn)
      row.back() += run_log(*log, bell, group_bytes, groups, AppendMode::overlapped) / row_turns;
  }
  double n = static_cast<double>(groups * records);
  auto rate = [&](double seconds) { return n / seconds / 1e6; };
  auto each = [](double seconds) { return seconds / static_cast<double>(small_commits) * 1e6; };
  std::printf(
      "1,024 records of 216 B per commit    M records/s   of bare O_DSYNC   of O_DIRECT too\n");
  std::printf("  bare, O_DSYNC                      %8.2f\n", rate(median(plain)));
  std::printf("  bare, O_DSYNC + O_DIRECT           %8.2f\n", rate(median(direct)));
  auto ratios = [&](const char* name, double seconds) {
    std::printf("  %-32s   %8.2f      %5.2f             %5.2f\n", name, rate(seconds),
                median(plain) / seconds, median(direct) / seconds);
  };
  ratios("log, blocking", median(blocking));
  ratios("log, overlapped", median(overlapped));
  std::printf("  %-32s   %8.2f                        %5.2f\n", "log, overlapped, 400 in a row",
              rate(median(row)), median(row_direct) / median(row));
  std::printf("one record per commit                us\n");
  std::printf("  bare, O_DSYNC + O_DIRECT, 4 KiB    %8.1f\n", each(median(small_bare)));
  std::printf("  log, blocking                      %8.1f      %5.2f\n",
              each(median(small_blocking)), median(small_bare) / median(small_blocking));
  std::printf("  log, overlapped                    %8.1f      %5.2f\n",
              each(median(small_overlapped)), median(small_bare) / median(small_overlapped));
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  std::string base = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  std::string directory = base + "/pawl_wal_bench_XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  pawl::run(directory, argc > 2 ? std::atoi(argv[2]) : 61);
  std::filesystem::remove_all(directory);
}
