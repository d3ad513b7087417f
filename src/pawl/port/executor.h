// Runs one kind of node's attempts.
//
// Contract (testing/contract/executor_contract.h):
//  * start() returns at once; the work may begin in the loop's next turn. Exactly one Finished per
//    started launch reaches the sink, also after stop(); progress and Reported may come before it,
//    never after.
//  * stop(terminate) asks politely (SIGTERM), stop(kill) does not; both are safe for a launch that has
//    just finished. Nothing of the attempt is left running when Finished is put.
//  * A launch covers `range`, at most max_range() items, all with the same grant; the reports cover
//    the same items, each once. Those of items that ended early may come ahead, in Reported, so that
//    they become durable while others still run.
//  * Launches that it works on later wait in the order of their start. withdraw() takes one back on which
//    nothing has begun: then there is no Finished. Where that may be (ahead() is not 0), `worked` of its first
//    news says that a launch has begun: of its end, or of a Reported, perhaps without reports, when it takes long.
//  * The executor enforces the node's run timeout, and the heartbeat timeout where what it runs can tell progress.
// Threading: start/stop/withdraw on the worker's thread; the sink is put from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/port/sink.h"

namespace pawl {

struct Launch {
  uint64_t id = 0;  // chosen by the worker, unique in its life
  Grant grant;      // grant.range: what to run now (a part of what was granted)
};

// When the items of a report ran.
struct Worked {
  Instant begin;
  Instant end;
};

struct Reported {
  uint64_t launch = 0;
  std::vector<AttemptReport> reports;
  std::optional<Worked> worked{};  // nothing: since the launch, or the last report, until now
};  // what of it has ended; no reports: nothing yet, but it has begun
struct Finished {
  uint64_t launch = 0;
  std::vector<AttemptReport> reports;  // of the items not reported yet; perhaps none
  std::optional<Worked> worked{};      // as above
};
struct Progressed {
  uint64_t launch = 0;
  AttemptProgress progress;
};
using ExecutorNews = std::variant<Finished, Reported, Progressed>;

// Of the processes of a launch.
struct LaunchUsage {
  Duration cpu;               // so far, with that of those that have ended
  uint64_t memory_bytes = 0;  // resident now, together
};

enum class StopMode : uint8_t { terminate, kill };

class Executor {
 public:
  virtual ~Executor() = default;
  virtual uint32_t max_range() const = 0;
  // How many launches for each of the worker's slots may wait in it, where the work is short.
  virtual uint32_t ahead() const { return 0; }
  virtual void start(Launch launch) = 0;
  virtual void stop(uint64_t launch, StopMode mode) = 0;
  // False: it has begun, or is over; it goes on.
  virtual bool withdraw(uint64_t launch) {
    (void)launch;
    return false;
  }
  // What it uses now. Nothing: it has no process of its own, or none any more.
  virtual std::optional<LaunchUsage> usage(uint64_t launch) const {
    (void)launch;
    return std::nullopt;
  }
};

}  // namespace pawl
