// The shell of a partition: gathers commands into groups, makes them durable, and only then lets
// anything be seen.
//
//   Engine engine({loop, clock, log, view, blob, evaluator, evaluations, transport, telemetry,
//                  clients}, options);
//   PAWL_TRY(engine.recover());                   // checkpoint + log -> state, ownership
//   loop.add(engine);
//   engine.put({ticket, SubmitExecution{...}});   // any thread; the answer arrives at `clients`
//
// One group is in flight at the log while the next one gathers; answers, grants, evaluations and
// everything else that leaves wait for the group that decided them (the commit gate). A command
// that changes nothing waits too: what it saw may not be durable yet.
//
// When the log answers `conflict` or `unknown` the engine stops for good: failure() says
// why, waiting clients get UNKNOWN. Whoever owns it throws it away and builds a new one,
// which recovers by reading.
//
// Threading: put() and ask() from any thread; everything else on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "pawl/engine/evaluations.h"
#include "pawl/engine/event_lines.h"
#include "pawl/engine/history.h"
#include "pawl/engine/peers.h"
#include "pawl/engine/sweeper.h"
#include "pawl/partition/checkpoint.h"
#include "pawl/partition/figures.h"
#include "pawl/partition/partition.h"
#include "pawl/partition/request.h"
#include "pawl/port/blob.h"
#include "pawl/port/clock.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/grant_gate.h"
#include "pawl/port/log.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/replay_note.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/transport.h"
#include "pawl/port/view.h"

namespace pawl {

class SharedCapacity;

struct EnginePorts {
  Loop& loop;
  Clock& clock;
  Log& log;
  View& view;
  Blob& blob;
  Evaluator& evaluator;
  Mailbox<Evaluation>& evaluations;  // of `evaluator`, and of nobody else
  Transport& transport;
  Telemetry& telemetry;
  Sink<Response>& clients;
  ReplayNote& replay_note;
  std::vector<Belongings*> belongings = {};  // beside the blobs
  SharedCapacity* capacity = nullptr;        // null: no other partition has the same workers
};

struct EngineOptions {
  Limits limits;
  uint64_t seed = 1;  // of all dice
  Slot slot;          // which executions are its own, if there are several partitions
  Hash128 cluster;    // identity of a new log; an existing one has its own
  Address address = 1;
  LinkOptions link;  // to the workers; its ends and incarnation are set by the engine
  Duration reconnect_grace = Duration::milliseconds(1500);  // for a worker whose connection broke
  bool sweep = true;                                        // look for what belongs to nobody, once
  bool workers_died = true;                  // in-process workers: their attempts died with us
  uint64_t checkpoint_log_bytes = 32 << 20;  // log written since the last checkpoint
  uint64_t checkpoint_executions = 20'000;   // executions changed since
};

class Engine final : public Actor, public Sink<Request> {
 public:
  // `background` is for what takes time with evaluations; without one, that is done on the loop's thread.
  Engine(EnginePorts ports, EngineOptions options,
         std::unique_ptr<Background> background = nullptr);
  ~Engine() override;

  Status recover();
  void put(Request request) override { requests_.put(std::move(request)); }
  // Any thread. Answered at once, whatever else waits.
  void ask(GrantQuestion question) { grant_questions_.put(std::move(question)); }

  bool turn() override;
  Instant deadline() const override;

  bool idle() const;  // nothing gathering, in flight or waiting, nothing forgotten left to remove
  bool swept() const { return !sweeper_.sweeping(); }
  const std::optional<Error>& failure() const { return failure_; }
  uint64_t durable_position() const { return durable_; }
  uint64_t epoch() const { return epoch_; }
  // O(queues x workers + kinds of nodes), whatever waits.
  Figures figures();
  // Why it takes no new work: it has stopped, or its disk is almost full.
  std::optional<Error> refuses_work() const;
  // For checkers and benchmarks; may run ahead of what is durable.
  const Partition& partition() const { return *partition_; }

 private:
  bool work();
  struct Waiter {
    Ticket ticket = 0;
    bool detail = false;  // wants the ExecutionDetail at the end, not only the status
  };
  struct Listener {
    Ticket ticket = 0;
    ReadHistory query;
  };
  // A group on its way: its effects and answers are held until it is durable.
  struct Gathering {
    uint64_t position = 0;
    uint64_t commands = 0;
    uint64_t queries = 0;
    uint64_t bytes = 0;  // that the commands bring along
    Instant opened;      // on the clock, as `handed`
    Instant handed;      // to the log
    StepOutput out;
    std::vector<Response> responses;
    std::vector<std::pair<Waiter, ExecutionId>> awaits;
    std::vector<Listener> listeners;
    std::vector<Peers::Heard> heard;  // to be acknowledged to workers
    std::vector<LogLine> lines;       // for the operator
    bool open = false;

    bool empty() const { return !open; }
  };

  Instant now() const;
  void open_group();
  bool group_full() const;
  void take_log_answers();
  void take_messages();
  void run_wishes();
  void take_requests();
  void take_grant_questions();
  GrantHeld held_by(const GrantParty& party, ExecutionId execution) const;
  void take_evaluations();
  void tick_if_due();
  void run(const Command& command, Ticket ticket);
  void submit_staged(SubmitExecution submit, Ticket ticket);
  void refuse(Ticket ticket, Reply reply);
  Status confine(Request& request);
  void refuse_foreign(const Request& request, const Error& error);
  QueryResult answer_query(const Query& query, const std::string& name_space);
  History history_of(const ReadHistory& query);
  ProgressList progress_of(const GetProgress& query) const;
  void take(Request& request);
  std::optional<Reply> refuse_for_space(const Command& command);
  std::optional<Reply> refuse_at_inbox(const Request& request);
  bool answer_figures(const Request& request);
  void measure_wait(const Grant& grant);
  void commit();
  void schedule();
  std::vector<Holding> holdings() const;
  void come_if_called();
  void attach_capacity(Loop* loop);
  void release(Gathering& group);
  void release(const Effect& effect);
  void wait_for(const Waiter& waiter, ExecutionId id);
  bool settles_in_gathering(ExecutionId id) const;
  bool may_go_on(ExecutionId id) const;
  void listen(const Listener& listener);
  void tell_listeners(uint64_t position);
  void stop_waiting(Ticket ticket);
  bool forgotten_in_gathering(ExecutionId id) const;
  void answer_settled(const Waiter& waiter, ExecutionId id, ExecutionStatus status);
  void settle_waiters(const Settled& settled);
  void fail(Error error);
  void give_up(Gathering& group);
  Reply stopped() const;
  void refuse_requests();
  void look_at_space();
  bool checkpoint();
  Status checkpoint_slice();
  void take_checkpoint_answer();
  Status replay_log(std::vector<ExecutionQuarantined>& quarantined);

  static constexpr const char* almost_full =
      "the disk of the state directory is almost full: new work is refused until there is room "
      "again; running work goes on";

  EnginePorts ports_;
  EngineOptions options_;
  EngineCounters counted_;
  EventLines lines_;
  Instant full_since_ = Instant::never();  // on the clock: the disk was first seen almost full
  std::unique_ptr<Partition> partition_;
  Random dice_;
  Mailbox<Request> requests_;
  Mailbox<Message> messages_;
  Mailbox<GrantQuestion> grant_questions_;
  std::deque<Request> inbox_;
  DrainRate inbox_drain_;
  std::vector<Request> request_batch_;
  std::vector<Evaluation> evaluation_batch_;
  std::vector<Message> message_batch_;
  std::deque<Message> letters_;  // of workers: they wait while the group is full
  std::vector<GrantQuestion> grant_batch_;

  Peers peers_;
  Evaluations evaluations_;
  HistoryTail history_;
  Sweeper sweeper_;
  Gathering gathering_;
  std::optional<Gathering> in_flight_;
  std::map<ExecutionId, std::vector<Waiter>> waiters_;
  std::map<ExecutionId, std::vector<Listener>> listeners_;
  // Who can stop waiting, and for what: RunExecution (0 until the submit is durable), and ReadHistory
  // that waits.
  std::unordered_map<Ticket, ExecutionId> stoppable_;
  std::unique_ptr<Checkpoint> checkpoint_;  // in the making, or waiting to become durable
  bool checkpoint_whole_ = false;
  bool checkpoint_in_flight_ = false;
  bool checkpoint_failed_ = false;  // the view keeps it, to be submitted again
  Instant retry_checkpoint_at_ = Instant::never();
  Instant checkpoint_began_;  // on the clock
  Instant checkpoint_at_;     // the newest was taken, or we began
  uint64_t log_bytes_since_checkpoint_ = 0;

  uint64_t epoch_ = 0;
  uint64_t position_ = 0;  // of the newest group handed to the log
  uint64_t durable_ = 0;
  Instant started_clock_;                // Clock::monotonic() at recovery
  Instant started_at_;                   // duration clock at recovery
  Instant promised_ = Instant::never();  // when the next turn was to be, on the clock
  Duration late_;                        // by so much turns came later, since the last Tick
  std::optional<Error> failure_;
  bool worker_came_ = false;  // and may be shared from now on
};

}  // namespace pawl
