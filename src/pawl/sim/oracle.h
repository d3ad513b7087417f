// The judge of a run. It hears what clients asked and were told, what executors were asked to
// do and said, and what the log was given, acknowledged and had after a restart; it never
// looks into the engine.
//
//   oracle.handed(position, group); oracle.acknowledged(position);      // by the log's listener
//   oracle.asked(request); ... oracle.told(response);                   // at the engine's door
//   oracle.launched(grant); oracle.reported(report);                    // by executors
//   oracle.recovered(groups, first);                                    // before the engine starts
//
// It reports the first broken invariant to the universe, and goes on listening.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pawl/partition/request.h"
#include "pawl/port/log.h"
#include "pawl/port/transport.h"
#include "pawl/sim/log_model.h"

namespace pawl::sim {

class Oracle {
 public:
  Oracle(Universe& universe, const Limits& limits, jq::Interpreter* jq)
      : universe_(universe), model_(ledger_, limits, universe.coverage, jq) {}

  // The log.
  void handed(uint64_t position, uint64_t epoch, const Bytes& payload);
  void acknowledged(uint64_t position);
  void log_failed();  // it answered something else than ok
  // What can be read after a restart, from `first` on. `checkpoint`: the rest is in there.
  void recovered(uint64_t first, const std::vector<LogGroup>& groups);
  void took_over(uint64_t epoch);
  // From now until then the engine's process takes no turn.
  void stands_still(Instant until);

  // The clients. `told` is called when the engine lets go of the answer.
  void asked(const Request& request);
  void told(const Response& response);
  // A client is told, by whichever partition, that its workflow has this number.
  void check_registered(WorkflowId id, const Bytes& definition);
  // The engine is gone; nothing that was asked and not answered will be.
  void forget_questions();

  // The executors.
  void launched(const Grant& grant);
  // What the task found as its input (`expression` null), or as the value of an expression.
  void found(const TaskKey& task, const Expression* expression, const std::string& value);
  // Of one task. `output`: JSON text, wherever the report keeps it.
  void reported(const AttemptReport& report, std::string output);
  // A report arrives at the engine: late ones are counted.
  void arrived(const Hello& hello);
  void arrived(const Welcome& welcome);
  void arrived(const AttemptReport& report);
  // At a worker.
  void arrived(const Recall& recall);

  // A large input, about to be submitted by reference.
  void know_input(const std::string& text) { ledger_.large_inputs[hash128(text)] = text; }
  void blobs_spoiled() { ledger_.blobs_spoiled = true; }
  void poisoned(uint64_t group, uint32_t event) { ledger_.poisoned.emplace(group, event); }

  // At quiescence: everything has ended, and the overview agrees.
  void audit(const Overview& overview);

  const LogModel& model() const { return model_; }
  uint64_t durable() const { return durable_; }
  // Every durable group, oldest first: for replaying them all.
  const std::deque<LogGroup>& history() const { return history_; }
  uint64_t largest_group() const { return largest_group_; }
  bool waiting() const { return pending_.has_value() && !log_failed_; }
  Instant last_acknowledged() const { return last_acknowledged_; }

 private:
  struct Pending {
    uint64_t position = 0;
    uint64_t epoch = 0;
    Bytes payload;
    Instant handed_at;
  };
  struct Question {
    Request request;
    ExecutionStatus status_then = ExecutionStatus::running;
    uint64_t events_then = 0;
    bool known_then = false;
    bool forgotten_then = false;
    uint64_t durable_then = 0;
    uint64_t submitted_then = 0;  // to its namespace
    uint64_t ended_then = 0;      // of all, asked of submissions only
  };

  void violate(const char* invariant, std::string what);
  void apply(const Pending& pending);
  void check_accused(const SessionClosed& closed, Instant clock);
  void note_ask(const Request& request, const SubmitExecution& submit);
  bool foreign(const Request& request) const;
  void check_foreign(const Question& question, const Response& response);
  void check(const Question& question, const Reply& reply);
  void check_run(const Question& question, const RunExecution& run, const Reply& reply);
  void check_pages(const Question& question, const History& history, const ExecutionModel& known);
  void check_submit(const Request& request, const SubmitExecution& submit, const Reply& reply);
  void check_shed(const Question& question, const SubmitExecution& submit, const Reply& reply);
  void note_admitted(const Question& question, const SubmitExecution& submit, ExecutionId id);
  void check_cancel(ExecutionId id, const Reply& reply);
  void check_forget(const Question& question, ExecutionId id, const Reply& reply);
  bool forgotten(ExecutionId id) const;
  void check(const Question& question, const QueryResult& result);
  void check_lists(const Question& question, const QueryResult& result);
  void check(const Question& question, const History& history);
  void check(const Question& question, const ProgressList& progress);
  void check(const Question& question, const FiguresRef& figures);
  void check_content(const ExecutionDetail& detail);
  void check_status(const Question& question, ExecutionId id, ExecutionStatus status);

  Universe& universe_;
  Ledger ledger_;
  LogModel model_;
  std::deque<LogGroup> history_;
  std::optional<Pending> pending_;
  uint64_t durable_ = 0;
  uint64_t largest_group_ = 0;  // bytes
  uint64_t epoch_ = 0;
  bool log_failed_ = false;
  Instant last_acknowledged_;
  struct Standstill {
    Instant from;
    Instant to;
  };
  std::optional<Standstill> stood_still_;  // last, in this life
  Instant life_began_;
  Instant life_clock_;     // duration clock then
  Instant clock_then_;     // duration clock of the newest group ...
  Instant handed_then_;    // ... when it was handed over ...
  Instant handed_before_;  // ... and when the one before was
  std::map<Ticket, Question> questions_;
  std::set<Ticket> stopped_;                  // that somebody stopped waiting for
  std::set<ExecutionId> unanswered_forgets_;  // of the life before
  struct Promise {
    uint64_t execution = 0;
    uint64_t life = 0;
  };
  std::map<RequestKey, Promise> promised_;  // what was told, and in which life
  std::set<RequestKey> denied_;             // told not to have taken effect
  struct Refusal {
    uint64_t durable = 0;  // when it was told
    uint8_t priority = 9;
  };
  std::optional<Refusal> newest_refusal_;  // for want of room
  uint64_t lives_ = 0;
};

}  // namespace pawl::sim
