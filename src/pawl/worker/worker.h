// The worker's shell: takes grants into local queues, runs them through executors, reports how they
// ended. It decides nothing about tasks: that is the partition's business. With each partition of its
// coordinator it has a session of its own (engine_session.h); it greets the first, and learns from its
// Welcome how many there are. Slots are shared by all.
//
//   Mailbox<ExecutorNews> news(loop);
//   ProcessExecutor processes(news, ...);
//   Worker worker({.spec = spec, .address = 2}, {{NodeType::process, &processes}},
//                 clock, loop, transport, news, telemetry);
//   ... loop runs ...
//   worker.drain();                        // then until worker.gone()
//
// Rules:
//  * At most spec.slots launches run. What is queued is started in priority order, among partitions in
//    turn, then in order of arrival, in parts of at most executor.max_range() items, shared evenly between free slots.
//  * An executor that works ahead (functions) is handed more launches than there are slots, so that its threads need
//    not wait for the next one: as much as the slots work off within `stretch`, going by what such items
//    took lately (pace.h). The first spec.slots of what has been handed over count as running.
//  * Granted items beyond spec.credit (of one session), or of a type without an executor, come back as `declined`.
//    Credit is free again once an item is reported or stopped.
//  * What finished travels in one Reports message. It is held back, at most report_hold, while every
//    slot runs and more than half of the credit is still queued: nobody here waits for the answer
//    then, and what gathers becomes durable together. Progress: each word that was said, in its
//    order and before the report of its attempt, and how many attempts run of each node; at most once per
//    progress_interval, but with reports. Of more than words_waiting_max that wait the oldest are left out.
//  * Every look_interval what has run that long is looked at, and how long it has run and what it uses is
//    told as its progress: of at most launches_looked_at, those that have run longest.
//  * A stopped item that is still queued is dropped. A launch whose items are all stopped is asked
//    to terminate, and killed stop_grace later; neither is reported. A launch of which only some
//    items are stopped goes on: the engine refuses their results.
//  * What a Recall names and is still queued, or waits in an executor, is not started any more and comes back
//    (Returned); what has begun goes on. Each is answered, if only with nothing.
//  * A Heartbeat goes out every third of the lease. When the last one that the engine acknowledged
//    was sent longer than the lease ago, the session is over for us as it is for the engine.
//  * When the engine has come back, the worker says Hello with its session and what it holds of it, goes on
//    running, and reports again what the old engine may not have kept; nothing is started meanwhile.
//  * When a session is over (lease, Closed) every attempt is killed unreported; once all have ended,
//    Hello is said again.
//  * A Hello that arrived and is not answered within a lease is said again.
//  * drain(): starts nothing more, lets what runs finish, says Goodbye. What was granted
//    and not started goes back to the engine with the Goodbye. abandon(): the same, but
//    ends what runs, unreported: asked first, killed stop_grace later.
//  * A lease of Duration::forever() means no heartbeats and no self-stop (worker inside the
//    engine's process: they live and pause together).
// Threading: the loop's thread only. It registers itself with loop and transport for its lifetime.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/port/clock.h"
#include "pawl/port/executor.h"
#include "pawl/port/link.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/transport.h"
#include "pawl/port/usage_meter.h"
#include "pawl/worker/engine_session.h"
#include "pawl/worker/pace.h"
#include "pawl/worker/worker_figures.h"

namespace pawl {

constexpr size_t launches_looked_at = 256;

struct WorkerOptions {
  WorkerSpec spec;
  Address address = 2;
  uint64_t incarnation = 1;  // of this life of `address`; see link.h
  Duration stop_grace = Duration::seconds(5);
  Duration progress_interval = Duration::milliseconds(100);
  Duration report_hold = Duration::milliseconds(2);
  Duration stretch = Duration::milliseconds(4);    // of work, handed over at once for each slot
  Duration hello_interval = Duration::seconds(1);  // after a refused Hello
  Duration look_interval = Duration::seconds(1);   // between looks at what runs
  UsageMeter* meter = nullptr;                     // null: heartbeats say only what runs
  LinkOptions link;                                // its ends and incarnation are those above
};

using Executors = std::map<NodeType, Executor*>;

// One launch, for display.
struct RunningLaunch {
  TaskRange range;
  AttemptNumber attempt = 1;
  RunContextRef context;
  Instant since;
  bool stopping = false;
  std::vector<AttemptProgress> progress;  // newest per task, by item
};

class Worker final : public Actor, private EngineSession::Owner {
 public:
  Worker(WorkerOptions options, Executors executors, Clock& clock, Loop& loop, Transport& transport,
         Mailbox<ExecutorNews>& news, Telemetry& telemetry);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool turn() override;
  Instant deadline() const override;

  void drain();
  void abandon();
  bool gone() const;

  bool connected() const;  // to every partition that it knows of
  SessionId session() const { return sessions_.front()->id(); }  // with the first
  std::vector<RunningLaunch> running() const;
  size_t running_launches() const;
  uint64_t queued_items() const;
  uint64_t held_items() const;  // queued or running, of what was granted
  const WorkerSpec& spec() const { return options_.spec; }
  const WorkerFigures& figures() const { return figures_; }

 private:
  struct Run {
    Grant grant;
    EngineSession* session = nullptr;
    std::vector<TaskRange> live;  // neither stopped nor reported
    Instant since;
    Instant next_since;     // since when the first item runs that has not ended
    bool stopping = false;  // terminate has been asked
    bool orphaned = false;  // its session is over: nobody wants its report
    std::map<ItemIndex, AttemptProgress> progress;
    LaunchUsage used;   // when it was last looked at
    Duration expected;  // how much work it was held for; at most options.stretch
    bool began = false;
  };
  using Runs = std::map<uint64_t, Run>;

  // What the sessions ask.
  bool can_run(NodeType type) const override { return executors_.contains(type); }
  bool draining() const override { return draining_; }
  bool reports_can_wait() const override;
  bool runs_any(const EngineSession& of) const override;
  std::vector<HeldAttempts> running(const EngineSession& of) const override;
  std::vector<RunningAttempts> counted(const EngineSession& of) const override;
  WorkerUsage usage(Instant now) override;
  void stop_running(EngineSession& of, const StopAttempts& stop, Instant now) override;
  std::vector<TaskRange> withdraw(EngineSession& of, const StopAttempts& named) override;
  void disown(EngineSession& of) override;
  void serve(uint32_t partitions) override;

  void receive(Instant now);
  void hear_news();
  void begin(Run& run);
  void hear(Reported reported);
  void hear(Finished finished);
  void hear(Progressed progressed);
  void look(Instant now);
  static void measure(const Run& run, AttemptProgress& progress, Instant now);
  void measure(Run& run, std::vector<AttemptReport>& reports, const std::optional<Worked>& worked);
  void report(const Run& run, std::vector<AttemptReport>& reports);
  void let_go(Run& run, const TaskRange& items);
  void stop_run(uint64_t launch, Run& run, Instant now);
  void kill_overdue(Instant now);
  bool launch(Instant now);
  uint32_t portion(const Executor& executor, const Node& node) const;
  void forget(Runs::iterator run);
  Runs::const_iterator end_of_running() const;
  Executor& executor_of(const Run& run) const;
  EngineSession* most_urgent();
  bool waits_for_a_slot() const;

  WorkerOptions options_;
  Executors executors_;
  Clock& clock_;
  Loop& loop_;
  Transport& transport_;
  Mailbox<ExecutorNews>& news_;
  Telemetry& telemetry_;
  Mailbox<Message> messages_;
  std::vector<Message> message_batch_;
  std::vector<ExecutorNews> news_batch_;

  std::vector<std::unique_ptr<EngineSession>> sessions_;  // by partition; never fewer
  size_t turn_of_ = 0;  // the session that is asked first, among equals
  bool draining_ = false;
  WorkerFigures figures_;
  Runs runs_;
  Pace pace_;
  Duration expected_;  // of work in runs_
  uint64_t next_launch_ = 1;
  Instant look_at_ = Instant::never();        // at what runs
  std::multimap<Instant, uint64_t> kill_at_;  // launches asked to terminate
};

}  // namespace pawl
