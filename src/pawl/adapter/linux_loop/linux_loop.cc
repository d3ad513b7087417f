#include "pawl/adapter/linux_loop/linux_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace pawl {
namespace {

constexpr int batch_events = 64;
constexpr Duration spin_time = Duration::microseconds(20);
constexpr uint32_t spin_credit_max = 16;
constexpr uint32_t spin_retry_rounds =
    256;  // how often a loop that gave spinning up tries it again

Error failed(const std::string& what) {
  return Error{Code::unavailable, "event loop: " + what + ": " + std::strerror(errno)};
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

class LinuxLoop::Wakeup final : public FdWatcher {
 public:
  explicit Wakeup(int fd) : fd_(fd) {}
  void ready(uint32_t) override {
    uint64_t count = 0;
    [[maybe_unused]] ssize_t n = read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

class LinuxLoop::Signals final : public FdWatcher {
 public:
  Signals(int fd, SignalWatcher& watcher) : fd_(fd), watcher_(watcher) {}
  ~Signals() override { close(fd_); }
  void ready(uint32_t) override {
    signalfd_siginfo info{};
    while (read(fd_, &info, sizeof info) == sizeof info) {
      watcher_.signalled(static_cast<int>(info.ssi_signo));
    }
  }
  int fd() const { return fd_; }

 private:
  int fd_;
  SignalWatcher& watcher_;
};

LinuxLoop::LinuxLoop(Clock& clock) : clock_(clock) {}

Result<std::unique_ptr<LinuxLoop>> LinuxLoop::create(Clock& clock) {
  std::unique_ptr<LinuxLoop> loop(new LinuxLoop(clock));
  PAWL_TRY(loop->open());
  return loop;
}

Status LinuxLoop::open() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return failed("epoll_create1");
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return failed("eventfd");
  wakeup_ = std::make_unique<Wakeup>(wake_fd_);
  return watch(wake_fd_, EPOLLIN, *wakeup_);
}

LinuxLoop::~LinuxLoop() {
  if (wake_fd_ >= 0) close(wake_fd_);
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

void LinuxLoop::add(Actor& actor) {
  actors_.push_back({&actor, true});
  any_busy_ = true;
}

void LinuxLoop::remove(Actor& actor) {
  for (Registration& r : actors_) {
    if (r.actor == &actor) r = {};
  }
  any_removed_ = true;
}

void LinuxLoop::wake() {
  if (state_.exchange(woken, std::memory_order_acq_rel) != asleep) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(wake_fd_, &one, sizeof one);
}

Status LinuxLoop::watch(int fd, uint32_t events, FdWatcher& watcher) {
  auto index = static_cast<size_t>(fd);
  if (slots_.size() <= index) slots_.resize(std::max(index + 1, slots_.size() * 2));
  Slot& slot = slots_[index];
  PAWL_CHECK(slot.watcher == nullptr, "a descriptor is watched twice");
  epoll_event event{};
  event.events = events;
  event.data.u64 = (static_cast<uint64_t>(slot.generation) << 32) | static_cast<uint32_t>(fd);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return failed("epoll_ctl");
  slot.watcher = &watcher;
  return {};
}

void LinuxLoop::unwatch(int fd) {
  Slot& slot = slots_[static_cast<size_t>(fd)];
  if (slot.watcher == nullptr) return;
  slot.watcher = nullptr;
  slot.generation++;
  epoll_event unused{};
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &unused);
}

Status LinuxLoop::watch_signals(SignalWatcher& watcher) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGWINCH}) sigaddset(&set, signal);
  if (int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    errno = error;
    return failed("pthread_sigmask");
  }
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return failed("signalfd");
  signals_ = std::make_unique<Signals>(fd, watcher);
  return watch(fd, EPOLLIN, *signals_);
}

Instant LinuxLoop::earliest_deadline() const {
  Instant earliest = Instant::never();
  for (const Registration& r : actors_) {
    if (r.actor != nullptr) earliest = std::min(earliest, r.actor->deadline());
  }
  return earliest;
}

// Watches for a wake-up without sleeping: a hand-off between two threads then costs no system call
// and no scheduling. True when one came.
bool LinuxLoop::spin(Instant until) {
  bool allowed = spin_credit_ > 0 || rounds_ % spin_retry_rounds == 0;
  if (!allowed) return false;
  Instant end = std::min(until, clock_.monotonic() + spin_time);
  do {
    for (int i = 0; i < 32; i++) {
      if (state_.load(std::memory_order_acquire) == woken) {
        spin_credit_ = std::min(spin_credit_ + 1, spin_credit_max);
        return true;
      }
      relax();
    }
  } while (clock_.monotonic() < end);
  if (spin_credit_ > 0) spin_credit_--;
  return false;
}

void LinuxLoop::poll(Duration wait) {
  epoll_event events[batch_events];
  timespec timeout{wait.ns / 1'000'000'000, wait.ns % 1'000'000'000};
  int count = epoll_pwait2(epoll_fd_, events, batch_events,
                           wait == Duration::forever() ? nullptr : &timeout, nullptr);
  for (int i = 0; i < count; i++) {
    uint64_t data = events[i].data.u64;
    auto fd = static_cast<uint32_t>(data);
    Slot slot = slots_[fd];
    if (slot.watcher != nullptr && slot.generation == data >> 32) {
      slot.watcher->ready(events[i].events);
    }
  }
}

void LinuxLoop::sleep(Duration wait_max) {
  Instant now = clock_.monotonic();
  Instant until = std::min(earliest_deadline(), now + wait_max);
  if (until <= now || spin(until)) return poll({});
  uint32_t expected = awake;
  if (!state_.compare_exchange_strong(expected, asleep, std::memory_order_acq_rel)) return poll({});
  if (until == Instant::never()) return poll(Duration::forever());
  poll(std::max(until - clock_.monotonic(), Duration{}));
}

void LinuxLoop::run_once(Duration wait_max) {
  rounds_++;
  if (any_busy_ || state_.load(std::memory_order_acquire) == woken) {
    poll({});
  } else {
    sleep(wait_max);
  }
  bool everybody = state_.exchange(awake, std::memory_order_acq_rel) == woken;
  take_turns(everybody);
}

void LinuxLoop::take_turns(bool everybody) {
  any_busy_ = false;
  Instant now = clock_.monotonic();
  for (size_t i = 0; i < actors_.size(); i++) {  // a turn may add actors: no iterators
    Registration r = actors_[i];
    if (r.actor == nullptr) continue;
    if (!everybody && !r.busy && r.actor->deadline() > now) continue;
    bool busy = r.actor->turn();
    if (actors_[i].actor != r.actor) continue;  // removed itself
    actors_[i].busy = busy;
    any_busy_ = any_busy_ || busy;
  }
  if (any_removed_) {
    std::erase_if(actors_, [](const Registration& r) { return r.actor == nullptr; });
    any_removed_ = false;
  }
  for (const Registration& r : actors_) any_busy_ = any_busy_ || r.busy;
}

void LinuxLoop::run() {
  while (!stopping_.exchange(false, std::memory_order_acq_rel)) run_once(Duration::forever());
}

void LinuxLoop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

}  // namespace pawl
