// One thread's waiting place, on epoll: actors (port/loop.h), descriptors and signals.
//
//   LinuxClock clock;
//   auto loop = LinuxLoop::create(clock).value();
//   loop->add(engine);
//   loop->watch(socket, EPOLLIN, connection);
//   loop->run();                       // until somebody calls stop()
//
// Fairness: one round gives each ready descriptor (at most 64 per round) one ready() and then
// each actor that is due one turn(); nobody runs twice in a round. Without work the loop
// sleeps until the earliest deadline; it spins for about 20 us first when sleeping has lately
// been cut short by wake(). Threading: wake() and stop() from any thread; everything else on
// the thread that calls run().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/port/clock.h"
#include "pawl/port/loop.h"

namespace pawl {

// `events` are epoll's (EPOLLIN, EPOLLHUP, ...). Level-triggered: what was left is told again.
class FdWatcher {
 public:
  virtual ~FdWatcher() = default;
  virtual void ready(uint32_t events) = 0;
};

class SignalWatcher {
 public:
  virtual ~SignalWatcher() = default;
  virtual void signalled(int signal) = 0;
};

class LinuxLoop final : public Loop {
 public:
  static Result<std::unique_ptr<LinuxLoop>> create(Clock& clock);
  ~LinuxLoop() override;
  LinuxLoop(const LinuxLoop&) = delete;
  LinuxLoop& operator=(const LinuxLoop&) = delete;

  void add(Actor& actor) override;
  void remove(Actor& actor) override;  // also from inside a turn
  void wake() override;

  // One watcher per descriptor. unwatch() before closing it; no ready() comes after unwatch(), not
  // even for an event of the same round.
  Status watch(int fd, uint32_t events, FdWatcher& watcher);
  void unwatch(int fd);

  // SIGINT, SIGTERM and SIGWINCH become calls on the loop's thread; SIGPIPE is ignored.
  // Call it before other threads start: it blocks the signals in the calling thread,
  // and threads inherit that.
  Status watch_signals(SignalWatcher& watcher);

  void run_once(Duration wait_max);
  void run();  // returns after stop(); a stop() that came before is honoured
  void stop();

 private:
  class Wakeup;
  class Signals;
  struct Slot {
    FdWatcher* watcher = nullptr;
    uint32_t generation = 0;
  };
  enum State : uint32_t { awake = 0, woken = 1, asleep = 2 };

  explicit LinuxLoop(Clock& clock);
  Status open();
  Instant earliest_deadline() const;
  bool spin(Instant until);
  void sleep(Duration wait_max);
  void poll(Duration wait);
  void take_turns(bool everybody);

  Clock& clock_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::unique_ptr<Wakeup> wakeup_;
  std::unique_ptr<Signals> signals_;
  std::vector<Slot> slots_;  // by descriptor
  struct Registration {
    Actor* actor = nullptr;  // null: removed during this round
    bool busy = false;       // its last turn said there is more to do
  };
  std::vector<Registration> actors_;
  bool any_busy_ = false;
  bool any_removed_ = false;
  uint32_t spin_credit_ = 8;  // 0..16; spinning pays off, or it stops
  uint32_t rounds_ = 0;
  std::atomic<uint32_t> state_{awake};
  std::atomic<bool> stopping_{false};
};

}  // namespace pawl
