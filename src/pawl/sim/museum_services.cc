#include <map>
#include <utility>

#include "pawl/sim/museum.h"

namespace pawl::sim {
namespace {

const Reply* submit_reply(const Response& response) {
  const auto* reply = std::get_if<Reply>(&response.what);
  return reply != nullptr && reply->code == Code::ok && reply->number > 0 ? reply : nullptr;
}

// Leases and timers are measured on the wall clock.
struct LeaseByWallClock final : Seams {
  class WallMonotonic final : public Clock {
   public:
    explicit WallMonotonic(Clock& real) : real_(real) {}
    Instant monotonic() override { return Instant{real_.wall().ns}; }
    WallTime wall() override { return real_.wall(); }

   private:
    Clock& real_;
  };
  Clock& clock(Clock& real) override { return *(clock_ = std::make_unique<WallMonotonic>(real)); }
  std::unique_ptr<Clock> clock_;
};

// Every partition reckons with the whole of a worker.
struct CapacityCountedTwice final : Seams {
  bool capacity_shared() override { return false; }
};

// What an attempt has made is on its way to the store when its report leaves.
struct ReportBeforePayload final : Seams {
  bool reports_wait_for_payloads() override { return false; }
};

// Every partition gives a workflow a number of its own, and the first one's is told. They are the same until a
// partition is away while one is registered.
struct NumberOfItsOwn final : Seams {
  void routed(Request& request) override {
    auto* command = std::get_if<Command>(&request.what);
    auto* workflow = command ? std::get_if<RegisterWorkflow>(command) : nullptr;
    if (workflow != nullptr) workflow->id = {};
  }
};

// The clock that timers run on stands still after a while.
struct ClockStops final : Seams {
  class StoppingClock final : public Clock {
   public:
    explicit StoppingClock(Clock& real) : real_(real) {}
    Instant monotonic() override {
      if (++calls_ < 2000) stopped_at_ = real_.monotonic();
      return stopped_at_;
    }
    WallTime wall() override { return real_.wall(); }

   private:
    Clock& real_;
    uint64_t calls_ = 0;
    Instant stopped_at_;
  };
  Clock& clock(Clock& real) override { return *(clock_ = std::make_unique<StoppingClock>(real)); }
  std::unique_ptr<Clock> clock_;
};

// Whoever asks for the time first is told when somebody asked last: how long the process stood still is
// seen by nobody, and by the lease that is over all the same.
struct PauseAccuses final : Seams {
  class CachedClock final : public Clock {
   public:
    explicit CachedClock(Clock& real) : real_(real), read_(real.monotonic()) {}
    Instant monotonic() override { return std::exchange(read_, real_.monotonic()); }
    WallTime wall() override { return real_.wall(); }

   private:
    Clock& real_;
    Instant read_;
  };
  Clock& clock(Clock& real) override { return *(clock_ = std::make_unique<CachedClock>(real)); }
  std::unique_ptr<Clock> clock_;
};

// A result names its task only; whichever attempt is current gets it.
struct CompletionById final : Seams {
  struct Token {
    AttemptNumber attempt = 1;
    uint64_t nonce = 0;
  };
  bool message(Message& message) override {
    if (auto* grants = std::get_if<Grants>(&message.body)) {
      for (const Grant& grant : grants->grants)
        for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item)
          current_[grant.range.at(item)] = {grant.attempt, grant.nonce};
    } else if (auto* reports = std::get_if<Reports>(&message.body)) {
      for (AttemptReport& report : reports->reports) {
        const Token& token = current_[report.range.at(report.range.begin)];
        report.attempt = token.attempt;
        report.nonce = token.nonce;
      }
    }
    return true;
  }
  std::map<TaskKey, Token> current_;
};

// A worker gives back all that it is asked for, begun or not.
struct RecallGivesBackRunning final : Seams {
  bool message(Message& message) override {
    if (auto* recall = std::get_if<Recall>(&message.body))
      asked_[message.to] = recall->attempts;
    else if (auto* returned = std::get_if<Returned>(&message.body))
      returned->attempts = asked_[message.from];
    return true;
  }
  std::map<Address, std::vector<HeldAttempts>> asked_;
};

// One direction of the connection is dead, and nobody notices.
struct HalfOpenConnection final : Seams {
  bool message(Message& message) override { return message.to != 1 || ++seen_ < 40; }
  uint64_t seen_ = 0;
};

// A request id is forgotten after a while.
struct DedupeByWindow final : Seams {
  bool request(Request& request) override {
    ++now_;
    auto* command = std::get_if<Command>(&request.what);
    auto* submit = command ? std::get_if<SubmitExecution>(command) : nullptr;
    if (submit == nullptr || submit->request_id.empty()) return true;
    auto [first, fresh] = seen_.emplace(submit->request_id, now_);
    if (!fresh && now_ - first->second > 10) submit->request_id += "'";
    return true;
  }
  uint64_t now_ = 0;
  std::map<std::string, uint64_t> seen_;
};

// The tenant is checked by most calls; of those that change something, it is forgotten.
struct TenantNotChecked final : Seams {
  bool request(Request& request) override {
    const auto* command = std::get_if<Command>(&request.what);
    bool submits = command != nullptr && std::holds_alternative<SubmitExecution>(*command);
    if (command != nullptr && !submits) request.name_space.clear();
    return true;
  }
};

// Request ids are looked up without the tenant: one gets the other's execution.
struct RequestIdsShared final : Seams {
  bool request(Request& request) override {
    auto* command = std::get_if<Command>(&request.what);
    if (command == nullptr || !std::holds_alternative<SubmitExecution>(*command)) return true;
    auto& submit = std::get<SubmitExecution>(*command);
    if (request.name_space.empty() || submit.request_id.empty()) return true;
    auto [first, fresh] = tenants_.emplace(submit.request_id, request.name_space);
    request.name_space = first->second;
    return true;
  }
  std::map<std::string, std::string> tenants_;
};

// Whoever does not know whether it was committed is told that it was not.
struct UnknownAsAbort final : Seams {
  bool response(Response& response) override {
    auto* reply = std::get_if<Reply>(&response.what);
    if (reply != nullptr && reply->code == Code::unknown) reply->code = Code::aborted;
    return true;
  }
};

// Reads are answered from a picture that was right a while ago.
struct StaleRead final : Seams {
  bool response(Response& response) override {
    auto* result = std::get_if<QueryResult>(&response.what);
    auto* detail = result ? std::get_if<ExecutionDetail>(result) : nullptr;
    if (detail == nullptr) return true;
    auto [cached, fresh] = cache_.emplace(detail->summary.id, detail->summary.status);
    if (!fresh) detail->summary.status = cached->second;
    return true;
  }
  std::map<ExecutionId, ExecutionStatus> cache_;
};

// The outcome of one request is given as the answer to the next.
struct DelayedCommitMarker final : Seams {
  bool response(Response& response) override {
    const Reply* reply = submit_reply(response);
    if (reply == nullptr) return true;
    Reply now = *reply;
    if (++count_ % 5 == 0) response.what = last_;
    last_ = now;
    return true;
  }
  uint64_t count_ = 0;
  Reply last_;
};

// The end of an execution is announced before it is durable: by a watcher that guesses.
struct PhantomCompletion final : Seams {
  bool response(Response& response) override {
    auto* result = std::get_if<QueryResult>(&response.what);
    auto* detail = result ? std::get_if<ExecutionDetail>(result) : nullptr;
    if (detail != nullptr && detail->summary.status == ExecutionStatus::running)
      detail->summary.status = ExecutionStatus::succeeded;
    return true;
  }
};

template <class Defect>
std::unique_ptr<Seams> make() {
  return std::make_unique<Defect>();
}

}  // namespace

std::vector<Exhibit> service_exhibits() {
  return {
      {"lease_by_wall_clock", "etcd leases and others: time that jumps ends leases early",
       "faults wall_jump", make<LeaseByWallClock>},
      {"capacity_counted_twice", "schedulers of one cluster that do not know of each other",
       "faults none\npartitions 3\ncrash_worker_permille 0\nclients 4", make<CapacityCountedTwice>},
      {"report_before_payload",
       "Celery with Django: a task is sent before what it refers to is committed",
       "faults worker_crash\nembedded 0\nlease_ms 5000\nlarge_output_permille 400\npayload_time_ms "
       "2000",
       make<ReportBeforePayload>},
      {"number_of_its_own",
       "Confluent Schema Registry #858: two masters give one id to two schemas",
       "faults engine_crash\npartitions 3\nembedded 0\nclients 4\nworkflows 12",
       make<NumberOfItsOwn>},
      {"clock_stops", "a frozen virtual machine clock: timers that never come",
       "faults none\nfail_permille 500", make<ClockStops>},
      {"pause_accuses", "CASSANDRA-9183: a node that stood still takes all others for dead",
       "faults engine_pause\npartitions 1\nworkers 1\nembedded 1\ncrash_worker_permille "
       "0\nlease_ms 3000",
       make<PauseAccuses>},
      {"completion_by_id", "Zeebe, Temporal's by-id path: a result without its attempt",
       "faults none\nfail_permille 500\nrepeat_permille 500", make<CompletionById>},
      {"recall_gives_back_running", "visibility timeouts: what is worked on is handed out again",
       "faults bad_network\nworkers 3\nembedded 0\nslots 1\ncredit 6\nclients 4\nlongest_ms 200",
       make<RecallGivesBackRunning>},
      {"half_open_connection", "a connection that is dead in one direction only",
       "faults none\nworkers 1\nembedded 0\ncrash_worker_permille 0", make<HalfOpenConnection>},
      {"dedupe_by_window", "NATS JetStream: duplicates are known for two minutes", "faults none",
       make<DedupeByWindow>},
      {"tenant_not_checked", "many APIs: a call that changes things looks objects up by id alone",
       "faults none\nclients 4\nname_spaces 2", make<TenantNotChecked>},
      {"request_ids_shared", "idempotency keys that are not bound to who sent them",
       "faults none\nclients 4\nname_spaces 2", make<RequestIdsShared>},
      {"unknown_as_abort", "PostgreSQL: a connection lost at COMMIT is taken for an abort",
       "faults write_error short_write\noperations 60", make<UnknownAsAbort>},
      {"stale_read", "etcd #20418: reads from the past after a pause", "faults none",
       make<StaleRead>},
      {"delayed_commit_marker", "Kafka: a late end marker is applied to the next transaction",
       "faults none", make<DelayedCommitMarker>},
      {"phantom_completion", "an acknowledgement on append instead of on apply (Restate #4566)",
       "faults none", make<PhantomCompletion>},
  };
}

}  // namespace pawl::sim
