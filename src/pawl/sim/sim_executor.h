// Runs attempts as the dice say: well, badly, for ever, twice told, or with the
// death of its worker.
//
// What an attempt does follows from (seed, task, attempt) alone. An attempt that hangs ends when it
// is stopped, when one of its timeouts is up, or when the world is healed. Launches beyond the worker's slots wait in
// the order of their start. Like the shipped executors it waits for payloads that are on their way.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/port/executor.h"
#include "pawl/port/payload_store.h"
#include "pawl/sim/judged_news.h"
#include "pawl/sim/judges.h"
#include "pawl/sim/plan.h"
#include "pawl/sim/sim_process.h"

namespace pawl::sim {

class SimExecutor final : public Executor, public Actor {
 public:
  struct World {
    Universe& universe;
    SimProcess& process;
    Judges* judges;  // null: nobody granted what it runs, and nobody judges
    PayloadStore& payloads;
    const Plan& plan;
    const bool& healed;
    Callback<void(ExecutionId)> wrote;  // something, to what is kept of programs
  };
  // `news` leads to `judged`, at once or after a while.
  SimExecutor(World world, Sink<ExecutorNews>& news, JudgedNews& judged, Random dice,
              Callback<void()> crash_worker);
  ~SimExecutor() override;

  uint32_t max_range() const override { return world_.plan.launch_items_max; }
  uint32_t ahead() const override { return world_.plan.launches_ahead; }
  void start(Launch launch) override;
  void stop(uint64_t launch, StopMode mode) override;
  bool withdraw(uint64_t launch) override;
  bool turn() override;
  Instant deadline() const override { return Instant::never(); }
  // What hangs ends soon.
  void heal();
  // What begins before takes `slowness` times as long.
  void slow_until(Instant until) { slow_until_ = until; }

 private:
  struct Running {
    Launch launch;
    bool hangs = false;
    bool stopped = false;
    ItemIndex ahead = 0;  // items before it have been reported
    Instant since;        // began, or was last reported
  };
  std::optional<Launch> take_back(uint64_t launch);
  void work_on(Launch launch);
  void tell_begun(uint64_t launch);
  void read_on(uint64_t launch);
  void go_on(uint64_t launch);
  void finish_in(uint64_t launch, Duration delay, std::optional<FailureKind> failure);
  void report_ahead(uint64_t launch);
  void finish(uint64_t launch, std::optional<FailureKind> failure);
  void progress(uint64_t launch);
  Status read(const Grant& grant);
  bool at_hand(const Grant& grant, ItemIndex begin, ItemIndex end);
  Status store_output(const Grant& grant, ItemIndex item, std::string text, AttemptReport& report);
  std::vector<AttemptReport> reports_of(const Grant& grant, ItemIndex begin, ItemIndex end,
                                        std::optional<FailureKind> failure);
  bool hangs(const Grant& grant) const;
  FailureKind unreadable(const Error& error) const;
  // As its file says; a transform is evaluated.
  Result<std::string> play(const Grant& grant, ItemIndex item, AttemptReport& report);
  AttemptReport report_of(const Grant& grant, ItemIndex item, std::optional<FailureKind> failure,
                          std::string& output);

  World world_;
  Sink<ExecutorNews>& news_;
  JudgedNews& judged_;
  Random dice_;
  Callback<void()> crash_worker_;
  static constexpr int64_t slowness = 20;
  Instant slow_until_;
  std::map<uint64_t, Running> running_;
  std::deque<Launch> waiting_;
  std::map<uint64_t, Callback<void()>> waits_for_payloads_;  // by launch: how it goes on
  uint64_t arrivals_seen_ = 0;
};

}  // namespace pawl::sim
