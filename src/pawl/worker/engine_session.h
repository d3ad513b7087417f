// The worker's side of its session with one partition's engine: greets, keeps the lease alive, takes
// grants in and carries reports out. A worker has one per partition of the coordinator that it serves,
// all over one connection.
//
//   EngineSession session(options, engine_address(2), clock, transport, telemetry, worker);
//   session.deliver(message, now);                   // what came from that engine
//   session.keep(now); ... launch what waits in session.queue() ... session.flush(now);
//
// The rules are the worker's (worker.h); what a session cannot know it asks its owner.
// Threading: the worker's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pawl/port/clock.h"
#include "pawl/port/link.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/transport.h"
#include "pawl/worker/grant_queue.h"

namespace pawl {

struct WorkerOptions;

constexpr size_t words_waiting_max = 16'384;  // about progress, of one session

class EngineSession {
 public:
  // The worker, as its sessions see it.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual bool can_run(NodeType type) const = 0;
    virtual bool draining() const = 0;
    virtual bool reports_can_wait() const = 0;
    virtual bool runs_any(const EngineSession& of) const = 0;  // wanted or not
    virtual std::vector<HeldAttempts> running(const EngineSession& of) const = 0;
    virtual std::vector<RunningAttempts> counted(const EngineSession& of) const = 0;
    virtual WorkerUsage usage(Instant now) = 0;
    virtual void stop_running(EngineSession& of, const StopAttempts& stop, Instant now) = 0;
    // Takes back what was handed to an executor and has not begun: what it took.
    virtual std::vector<TaskRange> withdraw(EngineSession& of, const StopAttempts& named) = 0;
    // The session is over: nobody wants what still runs of it.
    virtual void disown(EngineSession& of) = 0;
    // So many partitions share this worker; engine_address() of each is its address.
    virtual void serve(uint32_t partitions) = 0;
  };

  EngineSession(const WorkerOptions& options, Address engine, Clock& clock, Transport& transport,
                Telemetry& telemetry, Owner& owner);

  void deliver(Message message, Instant now);
  // Sees to the lease and to Hellos that were in vain.
  void keep(Instant now);
  // Sends what is due: reports, progress, heartbeats, Hello or Goodbye.
  void flush(Instant now);
  Instant deadline() const;

  bool serving() const { return phase_ == Phase::serving; }
  bool gone() const { return phase_ == Phase::gone; }
  SessionId id() const { return id_; }
  Address engine() const { return engine_; }

  GrantQueue& queue() { return queue_; }
  const GrantQueue& queue() const { return queue_; }
  // Items that run come out of the queue and stay held, until they are reported or stopped.
  void let_go(uint64_t items) { held_items_ -= items; }
  void hold(uint64_t items) { held_items_ += items; }
  uint64_t held_items() const { return held_items_; }

  void report(AttemptReport report);
  void say(AttemptProgress word);
  // What it has said before, if anything, and what it uses by now.
  void say_again(AttemptProgress newest);
  void running_changed() { running_changed_ = true; }
  void forget_progress(const TaskRange& range);

 private:
  enum class Phase : uint8_t {
    apart,     // Hello when hello_at_ has come, and nothing runs or there is a session to resume
    greeting,  // Hello sent
    serving,
    leaving,  // Goodbye sent
    gone,
  };

  void take(Welcome welcome, Instant now);
  void take(Grants grants, Instant now);
  void take(const Stops& stops, Instant now);
  void take(const Recall& recall);
  void take(const Closed& closed, Instant now);
  bool greeted_in_vain(Instant now) const;
  void end(Instant hello_at);
  void resume(std::vector<MessageBody> unkept, Instant now);
  std::vector<HeldAttempts> held() const;
  bool has_session() const { return id_.value != 0; }
  bool may_greet() const { return has_session() || !owner_.runs_any(*this); }
  void decline(const Grant& grant, const std::string& why);
  void warn(const char* event, const std::string& message);
  void send_what_is_due(Instant now);
  void say_heartbeat(Instant now);
  void give_back(Instant now);
  void say_reports();
  void say_progress(Instant now);
  void send_progress(Instant now);
  void greet_or_leave(Instant now);
  Duration heartbeat_interval() const;

  const WorkerOptions& options_;
  const Address engine_;
  Clock& clock_;
  Transport& transport_;
  Telemetry& telemetry_;
  Owner& owner_;
  Link link_;

  Phase phase_ = Phase::apart;
  SessionId id_;
  Instant hello_at_;                         // apart: not before
  Instant greeted_at_;                       // greeting: since
  Instant lease_from_;                       // sending time of what was last acknowledged
  Instant heartbeat_at_ = Instant::never();  // next one
  uint64_t heartbeat_sequence_ = 0;          // in flight; 0: none
  Instant heartbeat_sent_;
  bool said_leaving_ = false;

  GrantQueue queue_;
  uint64_t held_items_ = 0;             // queued or handed over, not stopped
  std::optional<Returned> returned_;    // the answer to a Recall, waiting for the link
  std::vector<AttemptReport> reports_;  // held back, or waiting for the link
  Instant report_at_;                   // the oldest of them: not later
  std::deque<AttemptProgress> words_;   // to be said
  std::map<TaskKey, AttemptProgress> again_;
  std::vector<RunningAttempts> said_running_;  // in this session
  bool running_changed_ = false;               // perhaps, since then
  Instant progress_at_;                        // not before
};

}  // namespace pawl
