// The server side of the API: takes calls from any number of clients, and turns each into what the
// engines understand.
//
//   AnswerInbox answers;
//   auto host = Host::open(options, answers.of(0));    // builds the engine over its sink
//   Router router({&host->engine()});
//   Gateway gateway({host->loop(), router, host->blob(), host->outputs(), host->evaluator()}, answers,
//                   {.directory = options.directory});
//   LocalClient client(gateway, host->loop());         // this process
//   SocketServer::open(gateway, host->loop(), ...);    // others
//
// A submission is loaded (definition/), its expressions are compiled by the evaluator (once per
// definition, beside the loop; errors say file:line:column), its input is merged over the declared defaults and
// checked, put into the blob store when it is large, and then registered and submitted. What the
// engines have registered once is remembered.
//
// A large input is staged (staged_input.h) before it is submitted, and then belongs to its execution.
//
// Threading: the loop's thread; the engines may have others.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "pawl/api/access.h"
#include "pawl/api/audit.h"
#include "pawl/api/call.h"
#include "pawl/api/call_rates.h"
#include "pawl/api/exposition.h"
#include "pawl/api/prepared.h"
#include "pawl/api/staged_input.h"
#include "pawl/coordinator/router.h"
#include "pawl/definition/definition.h"
#include "pawl/port/background.h"
#include "pawl/port/blob.h"
#include "pawl/port/clock.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/output_store.h"
#include "pawl/port/sink.h"
#include "pawl/port/telemetry.h"

namespace pawl {

// Where the engines' answers arrive, each at a sink of its own. It exists before the loop and the engines
// do; what comes before there is a gateway waits. put() from any thread.
class AnswerInbox {
 public:
  struct Answered {
    uint32_t partition = 0;
    Response response;
  };
  explicit AnswerInbox(uint32_t partitions = 1);
  Sink<Response>& of(uint32_t partition) { return slots_[partition]; }
  void attach(Loop* loop);  // woken by put(); null: nobody
  std::vector<Answered> take_all();

 private:
  class Of final : public Sink<Response> {
   public:
    Of(AnswerInbox& inbox, uint32_t partition) : inbox_(inbox), partition_(partition) {}
    void put(Response response) override { inbox_.put({partition_, std::move(response)}); }

   private:
    AnswerInbox& inbox_;
    uint32_t partition_;
  };
  void put(Answered answered);

  std::deque<Of> slots_;
  std::mutex mutex_;
  Loop* loop_ = nullptr;
  std::vector<Answered> waiting_;
};

constexpr uint32_t list_entries_max = 10'000;  // that may be asked for at once

struct GatewayPorts {
  Loop& loop;
  Router& router;  // to the engines
  Blob& blob;
  OutputStore& outputs;
  Evaluator& evaluator;
  Clock* clock = nullptr;       // for rates and the audit, which need one, and for logs that wait
  AuditTrail* audit = nullptr;  // null: nothing is recorded
  Telemetry* log = nullptr;     // null: nobody is told of calls refused for their number
  // Where expressions are compiled, one definition after the other: about 30 ms each. Null: on the loop's thread.
  std::unique_ptr<Background> background{};
};
struct GatewayOptions {
  Limits limits{};
  std::string directory{};                     // for GetServer
  std::vector<const MetricSource*> metrics{};  // beside the engine's; they outlive the gateway
  uint64_t calls_open_max = 1 << 20;           // of all clients
  CallRate calls_per_caller{};                 // none for whoever opens the state directory itself
  // Those beyond are found wrong when they are first needed.
  uint32_t expressions_checked_max = 32;  // different ones of a definition; 0: none
};

class Gateway final : public Actor {
 public:
  // Adds itself to the loop. `answers` must be those of the router's engines, and of no other gateway.
  Gateway(GatewayPorts ports, AnswerInbox& answers, GatewayOptions options);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Exactly one answer reaches `client`, perhaps before this returns; none after forget(). What it
  // returns names the call until it is answered, for forget() and stop_waiting().
  // What `caller` may not, is refused; what is not its namespace's does not exist (permissions.h).
  uint64_t call(NumberedCall call, Sink<CallAnswer>& client, const Caller& caller = {});
  void forget(const Sink<CallAnswer>& client);
  void forget(const Sink<CallAnswer>& client, Ticket ticket);
  void forget(uint64_t id);
  // A RunRequest, a ReadHistory or a ReadLog that waits is answered at once with what there is: the
  // execution as it is now, a history without entries, a part without bytes.
  void stop_waiting(uint64_t id);
  // So many were refused at a door, because nobody knows them: for the audit.
  void record_strangers(uint64_t count);
  uint64_t open_calls() const { return open_.size(); }

  bool turn() override;
  Instant deadline() const override {
    return looks_.empty() ? Instant::never() : looks_.front().first;
  }

 private:
  struct Submit {
    SubmitExecution command;
    StagedInputRef input;
  };
  // One call on its way. Its number and the part of it stand in the tickets that the engine sees.
  struct Open {
    Sink<CallAnswer>* client = nullptr;  // null: forgotten
    Ticket ticket = 0;
    Call call;
    Caller caller;
    std::string home;                    // where what it submits goes
    std::string name_space;              // it is confined to; empty: to none
    std::shared_ptr<Prepared> prepared;  // submissions
    std::vector<Submit> submits;         // until the workflow is registered
    SubmittedMany submitted;
    uint64_t outstanding = 0;            // executions without an answer
    std::optional<LogPart> log;          // the end of a log, if the result does not hold it
    std::optional<Payload> result;       // that may
    Instant look_at = Instant::never();  // after a log that has nothing yet
    bool hurried = false;                // it waits no longer
  };
  // An answer whose audit record is not on disk yet.
  struct Held {
    uint64_t number = 0;
    Sink<CallAnswer>* client = nullptr;  // null: forgotten
    CallAnswer answer;
  };
  // A definition whose expressions are being compiled, and the calls that need it.
  struct Preparing {
    std::shared_ptr<Prepared> prepared;
    std::vector<uint64_t> calls;
  };
  struct Compiled {
    Hash128 source;
    Status status;
  };
  using Question = decltype(Request::what);
  using Awaited = std::pair<ExecutionId, std::string>;  // seen from within which namespace

  Status admit(const Call& call, const Caller& caller);
  AuditRecord record_of(const Call& call, const Caller& caller) const;
  void record_refusal(const Call& call, const Caller& caller, Code code);
  void add_refusal(AuditRecord record, Code code);
  void tell_refusal(const Error& error);
  void record(Open& open, CallResult result);
  void release_held();
  bool outlives(const Open& open) const;
  bool leave(uint64_t id, Open& open);
  void forget_calls(const Sink<CallAnswer>& client, std::optional<Ticket> ticket);

  void begin(uint64_t id, Open& open);
  void begin_submit(uint64_t id, Open& open);
  void begin_register(uint64_t id, Open& open, const RegisterDefinition& request);
  void begin_await(uint64_t id, const Open& open, ExecutionId execution);
  void begin_read(uint64_t id, const Open& open, const ReadPayload& read);
  void continue_read(uint64_t id, const ReadPayload& read, const ExecutionDetail& owner);
  void begin_selection(uint64_t id, Open& open, const Selection& what);
  void continue_selection(uint64_t id, Open& open, const ExecutionDetail& detail);
  void continue_log(uint64_t id, Open& open, TaskDetail task);
  void finish_log(uint64_t id, Open& open, const ExecutionDetail& detail);
  void look_at_logs();
  CallResult list_logs(const ListLogs& call, const ExecutionDetail& detail) const;
  CallResult read_payload(const ReadPayload& call) const;
  CallResult server_info(const Figures& figures) const;
  CallResult metrics_page(const Figures& figures) const;

  void prepare(uint64_t id, Open& open, const RegisterDefinition& definition);
  void compile_beside(const Hash128& source, std::vector<ExpressionSite> sites,
                      const std::string& file_name);
  void end_preparing(Compiled compiled);
  void continue_submit(uint64_t id, Open& open, const WorkflowDetail& detail);
  void registered(uint64_t id, Open& open, WorkflowId workflow);
  Status make_submits(Open& open, const SubmitMany& request);
  Status fill_input(Submit& submit, const Prepared& prepared, const std::string& given);
  void send_submits(uint64_t id, Open& open);
  void submitted(uint64_t id, Open& open, uint64_t part, Reply reply);

  void ask_engine(uint64_t id, uint64_t part, Question question, const std::string& name_space);
  void take(Response response);
  void take(uint64_t id, Open& open, uint64_t part, Reply reply);
  void settle(const Awaited& awaited, const Reply& reply);
  void finish(uint64_t id, CallResult result);
  void forget_waiting(uint64_t id, Open& open);
  void hurry(uint64_t id, Open& open);

  // A ticket at the engines: a number of ours, and which part of the call (0 where there is one).
  static constexpr int part_bits = 17;
  static constexpr uint64_t part_mask = (uint64_t{1} << part_bits) - 1;
  static constexpr uint64_t register_part = part_mask;
  static_assert(submit_many_max < register_part);
  static constexpr Ticket ticket_of(uint64_t id, uint64_t part) { return (id << part_bits) | part; }

  GatewayPorts ports_;
  AnswerInbox& answers_;
  GatewayOptions options_;
  uint64_t last_id_ = 0;
  uint64_t last_staged_ = 0;
  std::map<uint64_t, Open> open_;
  std::deque<Held> held_;
  std::deque<std::pair<Instant, uint64_t>> looks_;  // when, and which call; some are over
  CallRates rates_;
  CallRates refusals_{{.per_second = 10, .burst = 100}};  // that are recorded
  uint64_t unrecorded_ = 0;
  Instant told_refusal_ = Instant::never();  // of too many calls, to the operator
  // An engine is asked once per execution, however many wait for it, leave and come again.
  std::map<Awaited, std::set<uint64_t>> awaits_;
  std::map<uint64_t, Awaited> await_questions_;
  std::map<Hash128, Preparing> preparing_;  // by source
  Mailbox<Compiled> compiled_;
  std::vector<Compiled> compiled_batch_;
  PreparedCache prepared_;
  NamedCache named_;
  std::map<Ticket, StagedInputRef> staged_;  // of submits that the engine has not answered
  std::unique_ptr<Background> background_;   // last: what it does uses the rest
};

}  // namespace pawl
