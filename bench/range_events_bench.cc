// What range events make reachable: the smallest loop that is still an engine. One thread owns the
// state and writes the log (one group commit for all that arrived meanwhile), one runs no-op tasks;
// grants and results travel and are logged as ranges, yet every task has its own attempt number,
// nonce, call and result, and a result is accepted only from the current attempt.
//
//   range_events_bench [DIRECTORY] [TASKS]
//
// Written before the event format was fixed; it stays as the ceiling that the real engine is
// compared with. It knows the log and nothing else of Pawl.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/base/random.h"

namespace pawl {
namespace {

using SteadyTime = std::chrono::steady_clock;

constexpr uint64_t credit = 32'768;  // tasks granted and not yet reported

class BenchClock final : public Clock {
 public:
  Instant monotonic() override {
    auto now = SteadyTime::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
  }
  WallTime wall() override { return {}; }
};

// Attempt `attempt` of tasks [begin, end); the nonce of each follows from the seed and its number.
struct RangeGrant {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint32_t attempt = 0;
  uint64_t nonce_seed = 0;
};

// The results of one grant, task by task: a length and so many bytes each.
struct RangeReport {
  RangeGrant grant;
  Bytes results;
};

template <class T>
class Mailbox {
 public:
  void put(std::vector<T> values) {
    {
      std::lock_guard lock(mutex_);
      for (T& value : values) values_.push_back(std::move(value));
    }
    arrived_.notify_one();
  }
  // Everything that is there; waits for the first. Empty: closed.
  std::deque<T> take() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return closed_ || !values_.empty(); });
    return std::exchange(values_, {});
  }
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> values_;
  bool closed_ = false;
};

// The user's function. Not inlined: a call is what is measured.
__attribute__((noinline)) uint64_t no_op(uint64_t task, uint32_t attempt, uint64_t nonce) {
  asm volatile("" ::: "memory");
  return mix64(task + attempt) ^ nonce;
}

void run_worker(Mailbox<RangeGrant>& grants, Mailbox<RangeReport>& reports, uint64_t result_bytes) {
  while (true) {
    std::deque<RangeGrant> taken = grants.take();
    if (taken.empty()) return;
    for (const RangeGrant& grant : taken) {
      ByteWriter out;
      for (uint64_t task = grant.begin; task < grant.end; ++task) {
        uint64_t value = no_op(task, grant.attempt, mix64(grant.nonce_seed + task));
        out.varint(result_bytes);
        out.raw(&value, result_bytes);
      }
      std::vector<RangeReport> one;
      one.push_back({grant, out.take()});
      reports.put(std::move(one));
    }
  }
}

// State: per task one byte of attempts and one of state, changed by events alone.
class Partition {
 public:
  Partition(Wal& log, uint64_t tasks, uint64_t range)
      : log_(log), range_(range), attempts_(tasks, 0), done_(tasks, 0) {}

  bool finished() const { return completed_ == done_.size(); }
  uint64_t commits() const { return commits_; }
  uint64_t log_bytes() const { return log_bytes_; }

  // A turn: what the reports decide and what can be granted now becomes one group; when that is
  // durable the grants go out.
  std::vector<RangeGrant> turn(const std::deque<RangeReport>& reports) {
    ByteWriter group;
    for (const RangeReport& report : reports) on_report(report, group);
    std::vector<RangeGrant> grants = grant_more(group);
    if (group.size() > 0) commit(group.take());
    return grants;
  }

 private:
  void on_report(const RangeReport& report, ByteWriter& group) {
    const RangeGrant& grant = report.grant;
    group.u8('R');
    group.varint(grant.begin);
    group.varint(grant.end - grant.begin);
    group.varint(grant.attempt);
    group.text(report.results);
    ByteReader in(report.results);
    for (uint64_t task = grant.begin; task < grant.end; ++task) {
      (void)in.text();
      bool current = attempts_[task] == grant.attempt && done_[task] == 0;
      PAWL_CHECK(current, "a result that is not of the current attempt");
      done_[task] = 1;
    }
    PAWL_CHECK(in.ok() && in.at_end(), "a report with another number of results");
    completed_ += grant.end - grant.begin;
    granted_ -= grant.end - grant.begin;
  }

  std::vector<RangeGrant> grant_more(ByteWriter& group) {
    std::vector<RangeGrant> grants;
    while (granted_ + range_ <= std::max(credit, range_) && next_ < done_.size()) {
      uint64_t end = std::min<uint64_t>(next_ + range_, done_.size());
      RangeGrant grant{next_, end, 1, dice_.next()};
      group.u8('G');
      group.varint(grant.begin);
      group.varint(grant.end - grant.begin);
      group.varint(grant.attempt);
      group.u64(grant.nonce_seed);
      for (uint64_t task = grant.begin; task < grant.end; ++task) ++attempts_[task];
      granted_ += end - next_;
      next_ = end;
      grants.push_back(grant);
    }
    return grants;
  }

  void commit(Bytes group) {
    ++commits_;
    log_bytes_ += group.size();
    log_.append(log_.tail() + 1, std::move(group), AppendMode::blocking);
    auto done = log_.poll();
    PAWL_CHECK(done && done->outcome == AppendOutcome::ok, "the commit failed");
  }

  Wal& log_;
  uint64_t range_;
  Random dice_{1};
  std::vector<uint8_t> attempts_;
  std::vector<uint8_t> done_;
  uint64_t next_ = 0;
  uint64_t granted_ = 0;
  uint64_t completed_ = 0;
  uint64_t commits_ = 0;
  uint64_t log_bytes_ = 0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(Wal& log, uint64_t tasks, uint64_t range, uint64_t result_bytes) {
  Mailbox<RangeGrant> grants;
  Mailbox<RangeReport> reports;
  Partition partition(log, tasks, range);
  double cpu = cpu_seconds();
  auto begin = SteadyTime::now();
  std::thread worker([&] { run_worker(grants, reports, result_bytes); });
  grants.put(partition.turn({}));
  while (!partition.finished()) grants.put(partition.turn(reports.take()));
  double taken = std::chrono::duration<double>(SteadyTime::now() - begin).count();
  cpu = cpu_seconds() - cpu;
  grants.close();
  worker.join();
  PAWL_CHECK(log.trim(log.tail()).ok(), "the trim failed");
  double n = static_cast<double>(tasks);
  std::printf("%8llu %8llu  %10.2f  %10.0f  %10.0f  %8.1f\n",
              static_cast<unsigned long long>(range), static_cast<unsigned long long>(result_bytes),
              n / taken / 1e6, cpu / n * 1e9, n / static_cast<double>(partition.commits()),
              static_cast<double>(partition.log_bytes()) / n);
}

void run(const std::string& directory, uint64_t tasks) {
  BenchClock clock;
  auto disk = open_linux_disk(directory).value();
  WalOptions options;
  options.log_id = {5, 5};
  auto log = Wal::open(*disk, clock, options).value();
  PAWL_CHECK(log->take_over().ok(), "take_over failed");
  std::printf("   range   result     M tasks/s   CPU ns/task  tasks/commit  log B/task\n");
  for (uint64_t range : {1, 16, 256, 1024, 8192})
    for (uint64_t result_bytes : {0, 8})
      measure(*log, range == 1 ? tasks / 10 : tasks, range, result_bytes);
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  std::string base = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  std::string directory = base + "/pawl_range_events_XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  pawl::run(directory, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000);
  std::filesystem::remove_all(directory);
}
