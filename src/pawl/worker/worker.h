// The worker's shell: says Hello, takes grants into a local queue, runs them through executors,
// reports how they ended. It decides nothing about tasks: that is the partition's business.
//
//   Mailbox<ExecutorNews> news(loop);
//   ProcessExecutor processes(news, ...);
//   Worker worker({.spec = spec, .address = 2}, {{NodeType::process, &processes}},
//                 clock, loop, transport, news, telemetry);
//   ... loop runs ...
//   worker.drain();                        // then until worker.gone()
//
// Rules:
//  * At most spec.slots launches run. What is queued is started in priority order, then in order of
//    arrival, in parts of at most executor.max_range() items, shared evenly between free slots.
//  * Granted items beyond spec.credit, or of a type without an executor, come back as `declined`.
//    Credit is free again once an item is reported or stopped.
//  * What finished travels in one Reports message. It is held back, at most report_hold, while every
//    slot runs and more than half of the credit is still queued: nobody here waits for the answer
//    then, and what gathers becomes durable together. Progress: the newest per task, and how many
//    attempts run of each node; at most once per progress_interval.
//  * A stopped item that is still queued is dropped. A launch whose items are all stopped is asked
//    to terminate, and killed stop_grace later; neither is reported. A launch of which only some
//    items are stopped goes on: the engine refuses their results.
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
#include "pawl/worker/grant_queue.h"

namespace pawl {

struct WorkerOptions {
  WorkerSpec spec;
  Address address = 2;
  Address engine = 1;
  uint64_t incarnation = 1;  // of this life of `address`; see link.h
  Duration stop_grace = Duration::seconds(5);
  Duration progress_interval = Duration::milliseconds(100);
  Duration report_hold = Duration::milliseconds(2);
  Duration hello_interval = Duration::seconds(1);  // after a refused Hello
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

class Worker final : public Actor {
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
  bool gone() const { return phase_ == Phase::gone; }

  bool connected() const { return phase_ == Phase::serving; }
  SessionId session() const { return session_; }
  std::vector<RunningLaunch> running() const;
  uint64_t queued_items() const { return queue_.items(); }

 private:
  enum class Phase : uint8_t {
    apart,     // Hello when hello_at_ has come, and nothing runs or there is a session to resume
    greeting,  // Hello sent
    serving,
    leaving,  // Goodbye sent
    gone,
  };
  struct Run {
    Grant grant;
    std::vector<TaskRange> live;  // neither stopped nor reported
    Instant since;
    bool stopping = false;  // terminate has been asked
    bool orphaned = false;  // its session is over: nobody wants its report
    std::map<ItemIndex, AttemptProgress> progress;
  };
  using Runs = std::map<uint64_t, Run>;

  void receive(Instant now);
  void take(Welcome welcome, Instant now);
  void take(Grants grants);
  void take(const Stops& stops, Instant now);
  void take(const Closed& closed, Instant now);
  void hear_news();
  void hear(Reported reported);
  void hear(Finished finished);
  void hear(Progressed progressed);
  void keep_session(Instant now);
  bool greeted_in_vain(Instant now) const;
  void end_session(Instant hello_at);
  void resume_session(std::vector<MessageBody> unkept, Instant now);
  std::vector<HeldAttempts> held() const;
  bool holds_session() const { return session_.value != 0; }
  void let_go(Run& run, const TaskRange& items);
  void forget_progress(const TaskRange& range);
  void stop_run(uint64_t launch, Run& run, Instant now);
  void kill_overdue(Instant now);
  void greet_or_leave(Instant now);
  void launch(Instant now);
  bool reports_can_wait() const;
  void flush(Instant now);
  std::vector<RunningAttempts> counted() const;
  void say_progress(Instant now);
  void decline(const Grant& grant, const std::string& why);
  void append(AttemptReport report);
  WorkerUsage usage(Instant now);
  Duration heartbeat_interval() const;

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
  Link link_;

  Phase phase_ = Phase::apart;
  bool draining_ = false;
  SessionId session_;
  Instant hello_at_;    // apart: not before
  Instant greeted_at_;  // greeting: since
  Instant lease_from_;  // of the session: sending time of what was last acknowledged
  Instant heartbeat_at_ = Instant::never();  // next one
  uint64_t heartbeat_sequence_ = 0;          // in flight; 0: none
  Instant heartbeat_sent_;

  GrantQueue queue_;
  Runs runs_;
  uint64_t next_launch_ = 1;
  uint64_t held_items_ = 0;                   // queued or running, not stopped
  std::multimap<Instant, uint64_t> kill_at_;  // launches asked to terminate
  std::vector<AttemptReport> reports_;        // held back, or waiting for the link
  Instant report_at_;                         // the oldest of them: not later
  std::map<TaskKey, AttemptProgress> fresh_progress_;
  std::vector<RunningAttempts> said_running_;  // in this session
  bool running_changed_ = false;               // perhaps, since then
  Instant progress_at_;                        // not before
};

}  // namespace pawl
