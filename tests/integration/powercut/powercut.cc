// Real power cuts under a real log: a child process appends and says what has been acknowledged;
// its file system loses power at a random moment; the log is then opened again and must hold all
// that was acknowledged, and nothing that was not sent.
//
//   powercut [CYCLES] [SEED]          exit code 77: skipped, with the reason
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "loop_image.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/adapter/wal/wal_verify.h"
#include "pawl/base/random.h"

namespace pawl {
namespace {

constexpr int exit_skipped = 77;
constexpr uint64_t image_bytes = 96ULL << 20;

class SteadyClock final : public Clock {
 public:
  Instant monotonic() override {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
  }
  WallTime wall() override { return {}; }
};

WalOptions options(uint64_t seed) {
  WalOptions options;
  options.log_id = {seed, 1};
  options.segment_bytes = 1 << 20;
  options.ballast_bytes = 1 << 20;
  options.rewrite_bytes_max = 256 << 10;
  return options;
}

Bytes payload(uint64_t position, uint64_t cycle) {
  Random dice(position * 7919 + cycle);
  Bytes bytes = std::to_string(position) + "/" + std::to_string(cycle) + "/";
  bytes.append(dice.below(dice.chance(100) ? 60'000 : 3'000),
               static_cast<char>('a' + position % 26));
  return bytes;
}

// What the writer tells before it sends a group and after it is acknowledged.
struct Report {
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
};

// The child: appends until its disk dies. Never returns.
[[noreturn]] void write_until_power_fails(const std::string& root, uint64_t seed, uint64_t cycle,
                                          int pipe) {
  SteadyClock clock;
  auto disk = open_linux_disk(root);
  if (!disk.ok()) ::_exit(1);
  auto log = Wal::open(**disk, clock, options(seed));
  if (!log.ok() || !(*log)->take_over().ok()) ::_exit(1);
  Report report;
  while (true) {
    uint64_t position = (*log)->tail() + 1;
    report.sent = position;
    if (::write(pipe, &report, sizeof report) != sizeof report) ::_exit(1);
    AppendMode mode = position % 2 == 0 ? AppendMode::overlapped : AppendMode::blocking;
    (*log)->append(position, payload(position, cycle), mode);
    std::optional<AppendDone> done;
    while (!(done = (*log)->poll())) ::poll(nullptr, 0, 0);
    if (done->outcome != AppendOutcome::ok) ::_exit(0);
    report.acknowledged = position;
    if (::write(pipe, &report, sizeof report) != sizeof report) ::_exit(1);
    if (position % 300 == 0 && !(*log)->trim(position - 100).ok()) ::_exit(0);
  }
}

// A few microseconds more or less, so that the cut meets every stage of a write.
void spend(uint64_t rounds) {
  uint64_t value = rounds;
  for (uint64_t i = 0; i < rounds; ++i) {
    value = mix64(value);
    asm volatile("" : "+r"(value));
  }
}

struct Tally {
  uint64_t cycles = 0;
  uint64_t acknowledged = 0;
  uint64_t unacknowledged_found = 0;
  uint64_t unacknowledged_lost = 0;
};

class PowerCuts {
 public:
  PowerCuts(LoopImage& image, uint64_t seed) : image_(image), seed_(seed), dice_(seed) {}

  Status cycle(uint64_t number) {
    PAWL_ASSIGN(Report report, write_and_cut(number));
    PAWL_TRY(image_.unmount());
    PAWL_TRY(image_.mount());
    PAWL_TRY(check(number, report));
    ++tally.cycles;
    return {};
  }
  Tally tally;

 private:
  Result<Report> write_and_cut(uint64_t number) {
    int pipe[2];
    if (::pipe(pipe) != 0) return Error{Code::internal, "no pipe"};
    pid_t child = ::fork();
    if (child < 0) return Error{Code::internal, "cannot fork"};
    if (child == 0) {
      ::close(pipe[0]);
      write_until_power_fails(image_.path(), seed_, number, pipe[1]);
    }
    ::close(pipe[1]);
    Report report{last_tail_, last_tail_};
    Report next;
    // The first cuts fall into the opening of the log, the others among its appends.
    uint64_t groups = dice_.below(40);
    auto read_one = [&] { return ::read(pipe[0], &next, sizeof next) == sizeof next; };
    auto take = [&] {
      report.sent = next.sent;
      if (next.acknowledged != 0) report.acknowledged = next.acknowledged;
    };
    for (uint64_t i = 0; i < groups && read_one(); ++i) take();
    spend(dice_.below(100'000));
    Status cut = image_.cut_power();
    ::kill(child, SIGKILL);
    int ignored = 0;
    while (::waitpid(child, &ignored, 0) < 0 && errno == EINTR) {
    }
    while (read_one()) take();
    ::close(pipe[0]);
    if (!cut.ok()) return std::move(cut.error());
    return report;
  }

  Status check(uint64_t number, const Report& report) {
    auto wrong = [&](const std::string& what) {
      return Error{Code::data_loss, "cycle " + std::to_string(number) + ": " + what + " (sent " +
                                        std::to_string(report.sent) + ", acknowledged " +
                                        std::to_string(report.acknowledged) + ")"};
    };
    SteadyClock clock;
    PAWL_ASSIGN(std::unique_ptr<Disk> disk, open_linux_disk(image_.path()));
    PAWL_ASSIGN(std::unique_ptr<Wal> log, Wal::open(*disk, clock, options(seed_)));
    if (log->tail() < report.acknowledged)
      return wrong("only " + std::to_string(log->tail()) + " recovered");
    if (log->tail() > report.sent) return wrong("more recovered than sent");
    tally.acknowledged += report.acknowledged - last_tail_;
    if (report.sent > report.acknowledged)
      ++(log->tail() == report.sent ? tally.unacknowledged_found : tally.unacknowledged_lost);
    PAWL_ASSIGN(std::unique_ptr<LogReader> reader,
                log->read(std::max(log->first(), last_tail_ + 1)));
    for (uint64_t p = std::max(log->first(), last_tail_ + 1); p <= log->tail(); ++p) {
      PAWL_ASSIGN(std::optional<LogGroup> group, reader->next());
      if (!group || group->position != p) return wrong("a hole at " + std::to_string(p));
      if (group->payload != payload(p, number))
        return wrong("another payload at " + std::to_string(p));
    }
    last_tail_ = log->tail();
    log.reset();
    WalReport proof = verify_wal(*disk, "log");
    if (proof.problem) return wrong(proof.problem->where + ": " + proof.problem->what);
    return {};
  }

  LoopImage& image_;
  uint64_t seed_;
  Random dice_;
  uint64_t last_tail_ = 0;
};

int run(uint64_t cycles, uint64_t seed) {
  std::string pattern = (std::filesystem::temp_directory_path() / "pawl_powercut_XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  struct Remove {
    std::string path;
    ~Remove() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } remove{pattern};
  auto image = LoopImage::make(pattern, image_bytes);
  Status mounted = image.ok() ? image->mount() : Status(image.error());
  if (!mounted.ok()) {
    std::printf("SKIPPED: no power was cut: %s\n", mounted.error().message.c_str());
    return exit_skipped;
  }
  PowerCuts cuts(*image, seed);
  for (uint64_t i = 1; i <= cycles; ++i) {
    if (Status status = cuts.cycle(i); !status.ok()) {
      std::printf("FAILED: %s\nagain with: powercut %llu %llu\n", status.error().message.c_str(),
                  static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(seed));
      return 1;
    }
  }
  const Tally& t = cuts.tally;
  std::printf(
      "%llu power cuts, %llu groups acknowledged and none lost; of the groups in flight %llu "
      "survived, %llu did not\n",
      static_cast<unsigned long long>(t.cycles), static_cast<unsigned long long>(t.acknowledged),
      static_cast<unsigned long long>(t.unacknowledged_found),
      static_cast<unsigned long long>(t.unacknowledged_lost));
  // A run in which nothing happened proves nothing.
  return t.acknowledged >= cycles ? 0 : 1;
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  uint64_t cycles = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200;
  uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  return pawl::run(cycles, seed);
}
