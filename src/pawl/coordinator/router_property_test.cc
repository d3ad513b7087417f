// Random clients of two servers, one with one partition and one with three: both say the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/base/random.h"
#include "pawl/coordinator/router.h"
#include "pawl/engine/engine.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_replay_note.h"
#include "pawl/testing/sim_disk.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/testing/still_world.h"
#include "pawl/wire/workflow_codec.h"
#include "pawl/worker/worker.h"

namespace pawl {
namespace {

// What becomes of an attempt says its execution's input: fail, hold or succeed.
class ObedientExecutor final : public Executor {
 public:
  explicit ObedientExecutor(Mailbox<ExecutorNews>& news) : news_(news) {}
  uint32_t max_range() const override { return 1; }
  void start(Launch launch) override {
    const Bytes& wish = launch.grant.context->input.text();
    if (wish.find("hold") != Bytes::npos) return;
    AttemptReport report;
    report.range = launch.grant.range;
    report.attempt = launch.grant.attempt;
    report.nonce = launch.grant.nonce;
    report.succeeded = wish.find("fail") == Bytes::npos;
    if (report.succeeded) report.outputs = {Payload::inline_json("1")};
    news_.put(Finished{launch.id, {report}});
  }
  void stop(uint64_t launch, StopMode) override { news_.put(Finished{launch, {}}); }

 private:
  Mailbox<ExecutorNews>& news_;
};

struct OnePartition {
  OnePartition(TurnLoop& its_loop, Clock& clock, Blob& blob, Transport& transport, Slot slot,
               Sink<Response>& answers)
      : loop(its_loop), evaluations(loop), evaluator(evaluations) {
    WalOptions wal;
    wal.log_id = {5, slot.slot};
    wal.segment_bytes = 1 << 20;
    wal.ballast_bytes = 1 << 20;
    wal.soft_free_bytes = 0;
    wal.hard_free_bytes = 0;
    wal.chain = wal::ChainMode::in_line;
    log = Wal::open(disk, clock, wal).value();
    EngineOptions options;
    options.cluster = {9, 9};
    options.slot = slot;
    options.address = engine_address(slot.slot);
    engine = std::make_unique<Engine>(EnginePorts{loop, clock, *log, view, blob, evaluator,
                                                  evaluations, transport, telemetry, answers, note},
                                      options);
    EXPECT_TRUE(engine->recover().ok());
    loop.add(*engine);
  }
  ~OnePartition() { loop.remove(*engine); }

  TurnLoop& loop;
  SimDisk disk{1};
  MapView view;
  MemoryReplayNote note;
  Mailbox<Evaluation> evaluations;
  SimEvaluator evaluator;
  Quiet telemetry;
  std::unique_ptr<Wal> log;
  std::unique_ptr<Engine> engine;
};

// Puts into words what an answer says. Executions have other ids in the other server: they are called by
// their labels, which are unique.
class Words {
 public:
  Words(const std::map<ExecutionId, std::string>& names, bool numbers_execution)
      : names_(names), numbers_execution_(numbers_execution) {}

  std::string operator()(const Reply& reply) const {
    std::string code = name(reply.code);
    if (reply.code != Code::ok) return code;
    return code + reply.message + " " +
           (numbers_execution_ ? called(ExecutionId{reply.number}) : std::to_string(reply.number));
  }
  std::string operator()(const QueryResult& result) const {
    return std::visit([this](const auto& one) { return say(one); }, result);
  }
  std::string operator()(const History& history) const {
    std::string text = history.status.ok() ? "history" : name(history.status.error().code);
    for (const HistoryEntry& entry : history.entries) {
      text += " " + std::to_string(entry.event.index());
      if (const auto* submitted = std::get_if<ExecutionSubmitted>(&entry.event))
        text += "/" + std::to_string(submitted->workflow.value);
    }
    return text;
  }
  std::string operator()(const ProgressList& list) const {
    return "progress " + std::to_string(list.tasks.size());
  }
  std::string operator()(const FiguresRef& figures) const {
    const EngineCounters& counted = figures->counted;
    return join({counted.granted[0], counted.succeeded, counted.failed[0], counted.dead_lettered,
                 counted.cancelled, counted.sessions_opened, figures->executions_in_memory}) +
           say(figures->counts) + say(figures->queues) + say(figures->workers) +
           (figures->refuses ? "refuses" : "");
  }

 private:
  static std::string join(std::initializer_list<uint64_t> numbers) {
    std::string text;
    for (uint64_t number : numbers) text += " " + std::to_string(number);
    return text;
  }
  static std::string sorted(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  std::string called(ExecutionId id) const {
    auto known = names_.find(id);
    return known == names_.end() ? "nobody" : known->second;
  }
  // What a worker has been granted and what it says that it runs differ by a message on its way.
  static std::string say(const TaskCounts& tasks) {
    return join({tasks.total, tasks.ready + tasks.running, tasks.parked, tasks.succeeded,
                 tasks.failed, tasks.cancelled});
  }
  static std::string say(const Counts& counts) {
    return join({counts.submitted, counts.succeeded, counts.failed, counts.cancelled,
                 counts.forgotten, counts.quarantined});
  }
  std::string say(const Error& error) const { return name(error.code); }
  std::string say(const ExecutionSummary& one) const {
    return called(one.id) + " " + one.workflow + " " + name(one.status) + one.name_space +
           say(one.tasks);
  }
  std::string say(const ExecutionDetail& detail) const {
    std::string text = say(detail.summary) + detail.input.text();
    for (const NodeDetail& node : detail.nodes)
      text += "; " + node.id + " " + name(node.status) + say(node.tasks) + node.error;
    return text;
  }
  std::string say(const ExecutionList& list) const {
    std::vector<std::string> lines;
    for (const ExecutionSummary& one : list.executions) lines.push_back(say(one));
    return sorted(std::move(lines));
  }
  std::string say(const TaskDetail& task) const {
    return called(task.task.execution) + task.node + join({task.attempts, task.failures});
  }
  std::string say(const DeadLetterList& list) const {
    std::vector<std::string> lines;
    for (const DeadLetter& one : list.letters)
      lines.push_back(called(one.range.execution) + one.node + std::to_string(one.attempts));
    return sorted(std::move(lines));
  }
  std::string say(const WhyList& list) const {
    std::string text = "why";
    for (const Why& why : list.reasons) text += std::string(" ") + name(why.code);
    return text;
  }
  std::string say(const Overview& all) const {
    return say(all.counts) +
           join({all.executions, all.ready + all.running, all.workers, all.parked});
  }
  std::string say(const WorkflowDetail& workflow) const {
    return workflow.name + std::to_string(workflow.id.value);
  }
  std::string say(const WorkflowList& list) const {
    std::string text;
    for (const WorkflowDetail& one : list.workflows) text += say(one) + " ";
    return text;
  }
  std::string say(const QueueList& list) const {
    std::string text;
    for (const QueueDetail& one : list.queues) {
      text += one.spec.name + (one.spec.paused ? " paused" : "") +
              join({one.spec.rate_permille, one.spec.concurrency_max, one.ready, one.granted,
                    one.backing_off, one.evaluating, one.parked, one.redelivered, one.workers});
      if (one.spec.rate_permille > 0) text += join({one.spec.burst});
    }
    return text;
  }
  std::string say(const WorkerList& list) const {
    std::string text;
    for (const WorkerDetail& one : list.workers)
      text += one.worker.name + join({one.worker.slots, one.outstanding}) +
              (one.suspect ? "suspect" : "");
    return text;
  }

  const std::map<ExecutionId, std::string>& names_;
  bool numbers_execution_;
};

// Answers and names by ticket and label: what can be compared.
class Server {
 public:
  explicit Server(uint32_t slots) {
    for (uint32_t slot = 0; slot < slots; ++slot) {
      sinks_.push_back(std::make_unique<Answers>());
      partitions_.push_back(std::make_unique<OnePartition>(loop_, clock_, blob_, transport_,
                                                           Slot{slot, slots}, *sinks_.back()));
    }
    open_door();
    WorkerOptions options;
    options.spec.name = "only";
    options.spec.slots = 200;
    options.spec.credit = 200;
    options.spec.lease = Duration::forever();
    worker_ = std::make_unique<Worker>(options, Executors{{NodeType::process, &executor_}}, clock_,
                                       loop_, transport_, news_, telemetry_);
    settle();
  }

  void open_door() {
    std::vector<Sink<Request>*> doors;
    for (const auto& partition : partitions_) doors.push_back(partition->engine.get());
    router_ = std::make_unique<Router>(std::move(doors));
  }

  // Every ticket that is answered now, with what the answer says.
  std::map<Ticket, std::string> ask(Request request, bool numbers_execution) {
    if (numbers_execution) number_executions_.insert(request.ticket);
    router_->put(std::move(request));
    settle();
    std::vector<Response> arrived;
    while (take_answers(arrived)) settle();
    learn_names();
    std::map<Ticket, std::string> said;
    for (const Response& response : arrived) {
      Words words(names_, number_executions_.contains(response.ticket));
      bool once = said.emplace(response.ticket, std::visit(words, response.what)).second;
      EXPECT_TRUE(once) << "a second answer";
      newest_ = response;
    }
    return said;
  }
  ExecutionId id_of(const std::string& label) const {
    auto known = ids_.find(label);
    return known == ids_.end() ? ExecutionId{99'999} : known->second;
  }
  const Response& newest() const { return newest_; }
  Engine& engine(size_t slot) { return *partitions_[slot]->engine; }

 private:
  struct Answers final : Sink<Response> {
    void put(Response response) override { values.push_back(std::move(response)); }
    std::vector<Response> values;
  };

  // Whether there was one: it may have made the router ask on.
  bool take_answers(std::vector<Response>& arrived) {
    bool any = false;
    for (uint32_t slot = 0; slot < sinks_.size(); ++slot) {
      for (Response& response : std::exchange(sinks_[slot]->values, {})) {
        any = true;
        if (auto whole = router_->take(slot, std::move(response)))
          arrived.push_back(std::move(*whole));
      }
    }
    return any;
  }
  // A write that is done wakes nobody here.
  void settle() {
    auto busy = [](const auto& one) { return !one->engine->idle(); };
    for (int round = 0; round < 1000; ++round) {
      loop_.run_until_idle();
      if (std::none_of(partitions_.begin(), partitions_.end(), busy)) return;
    }
    FAIL() << "the engines never come to rest";
  }
  void learn_names() {
    for (uint32_t slot = 0; slot < partitions_.size(); ++slot) {
      const ExecutionTable& all = engine(slot).partition().state().executions;
      for (const Execution* e = all.next({1}); e != nullptr; e = all.next({e->id.value + 1})) {
        EXPECT_EQ(slot_of(e->id, static_cast<uint32_t>(partitions_.size())), slot);
        names_[e->id] = e->labels;
        ids_[e->labels] = e->id;
      }
    }
  }

  TurnLoop loop_;
  ManualClock clock_;
  MemoryBlob blob_;
  InprocTransport transport_;
  Quiet telemetry_;
  std::vector<std::unique_ptr<Answers>> sinks_;
  std::vector<std::unique_ptr<OnePartition>> partitions_;
  Mailbox<ExecutorNews> news_{loop_};
  ObedientExecutor executor_{news_};
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Router> router_;
  std::map<ExecutionId, std::string> names_;
  std::map<std::string, ExecutionId> ids_;
  std::set<Ticket> number_executions_;
  Response newest_;
};

Workflow workflow_called(const std::string& name) {
  Workflow workflow;
  workflow.name = name;
  for (const char* id : {"a", "b"}) {
    Node node;
    node.id = id;
    node.process.argv.push_back({{{"work", {}}}});
    workflow.nodes.push_back(std::move(node));
  }
  workflow.nodes[1].needs = {0};
  EXPECT_TRUE(finish(workflow).ok());
  return workflow;
}

class Clients {
 public:
  explicit Clients(uint64_t seed) : random_(seed) {}

  void step() {
    uint64_t die = random_.below(100);
    if (die < 8) return register_one();
    if (die < 45) return submit();
    if (die < 60) return change();
    if (die < 63) return configure();
    if (die < 66) return pages();
    if (die < 70 && ticket_ >= door_opened_at_)
      return both({0, StopWaiting{random_.between(door_opened_at_, ticket_)}});
    if (die < 72) return restart();
    look();
  }
  size_t answers() const { return answers_; }
  size_t executions() const { return labels_.size(); }

  // Everything there is.
  void look_at_all() {
    for (const Query& query :
         std::vector<Query>{ListExecutions{{}, 10'000, {}}, ListDeadLetters{{}, 10'000},
                            GetOverview{}, ListQueues{}, ListWorkers{}, ListWorkflows{}})
      both({next(), query});
    both({next(), GetFigures{}});
    for (const std::string& label : labels_) {
      each(label, [](ExecutionId id) { return Query{GetExecution{id}}; });
      each(label, [](ExecutionId id) { return ReadHistory{id}; });
    }
  }

 private:
  Ticket next() { return ++ticket_; }
  std::string some_name_space() { return random_.chance(300) ? "team" : ""; }
  std::string some_label() {
    return labels_.empty() || random_.chance(30) ? "unknown"
                                                 : labels_[random_.below(labels_.size())];
  }

  void compare(const std::map<Ticket, std::string>& one,
               const std::map<Ticket, std::string>& three) {
    answers_ += one.size();
    EXPECT_EQ(one, three);
  }
  void both(const Request& request, bool numbers_execution = false) {
    compare(one_.ask(request, numbers_execution), three_.ask(request, numbers_execution));
  }
  template <class Ask>
  void each(const std::string& label, Ask ask, const std::string& name_space = "",
            bool numbers_execution = false) {
    Ticket ticket = next();
    compare(one_.ask({ticket, ask(one_.id_of(label)), name_space}, numbers_execution),
            three_.ask({ticket, ask(three_.id_of(label)), name_space}, numbers_execution));
  }

  // A door that has just been built answers as one that has seen everything.
  void restart() {
    one_.open_door();
    three_.open_door();
    door_opened_at_ = ticket_ + 1;
  }
  void register_one() {
    std::string name = "w" + std::to_string(random_.below(5));
    Request request{next(), Command{RegisterWorkflow{encode(workflow_called(name))}},
                    some_name_space()};
    if (random_.chance(300)) {
      // A crash came when only the first partition had heard of it.
      Request before = request;
      before.ticket = 0;
      one_.engine(0).put(before);
      three_.engine(0).put(before);
    }
    both(request);
  }
  void submit() {
    Ticket ticket = next();
    SubmitExecution submit;
    submit.workflow = WorkflowId{random_.between(1, 4)};
    constexpr std::array<const char*, 3> wishes{"fail", "hold", "succeed"};
    submit.input =
        Payload::inline_json(std::string("{\"wish\":\"") + wishes.at(random_.below(3)) + "\"}");
    submit.labels = "{\"name\":" + std::to_string(ticket) + "}";
    if (random_.chance(500)) submit.request_id = "r" + std::to_string(random_.below(30));
    submit.payload_hash = {random_.below(20) == 0 ? 1u : 0u, 0};
    labels_.push_back(submit.labels);
    Request request{ticket, Command{submit}, some_name_space()};
    if (random_.chance(300)) request.what = RunExecution{submit};
    both(request, true);
  }
  void change() {
    std::string label = some_label();
    std::string space = some_name_space();
    switch (random_.below(5)) {
      case 0:
        return each(
            label,
            [](ExecutionId id) {
              return Command{CancelExecution{id, ""}};
            },
            space);
      case 1:
        return each(
            label,
            [](ExecutionId id) {
              return Command{CancelTask{{id, 0, 0}, ""}};
            },
            space);
      case 2:
        return each(
            label, [](ExecutionId id) { return Command{RedriveDeadLetters{{id}}}; }, space);
      case 3:
        return each(
            label, [](ExecutionId id) { return Command{DiscardDeadLetters{{id}}}; }, space);
      default:
        return each(
            label, [](ExecutionId id) { return Command{ForgetExecution{id}}; }, space);
    }
  }
  void configure() {
    ConfigureQueue queue;
    queue.name = random_.chance(500) ? "default" : "spare";
    if (queue.name == "default") {
      queue.paused = random_.chance(500);
    } else {
      queue.rate_permille =
          random_.below(10) == 0 ? queue_rate_permille_max + 1 : random_.between(3, 5000);
      queue.burst = random_.below(10) == 0 ? 0 : random_.between(3, 100);
    }
    both({next(), Command{queue}});
  }
  void look() {
    std::string label = some_label();
    std::string space = some_name_space();
    switch (random_.below(9)) {
      case 0:
        return each(
            label, [](ExecutionId id) { return Query{GetExecution{id}}; }, space);
      case 1:
        return each(
            label,
            [](ExecutionId id) {
              return Query{GetTask{id, "b", 0}};
            },
            space);
      case 2:
        return each(
            label,
            [](ExecutionId id) {
              return Query{Explain{id, "", {}}};
            },
            space);
      case 3:
        return each(
            label,
            [](ExecutionId id) {
              return Query{ListDeadLetters{id, 5}};
            },
            space);
      case 4:
        return each(
            label, [](ExecutionId id) { return AwaitExecution{id}; }, space, true);
      case 5:
        return each(
            label, [](ExecutionId id) { return ReadHistory{id}; }, space);
      case 6:
        return each(
            label,
            [](ExecutionId id) {
              return ReadHistory{id, 100, {9'999, 0}, true};
            },
            space);
      case 7:
        return each(
            label, [](ExecutionId id) { return GetProgress{id}; }, space);
      default:
        return both({next(), Query{GetWorkflow{"w" + std::to_string(random_.below(5))}}, space});
    }
  }
  // Pages have other borders, but all of them together are the same.
  void pages() {
    std::string space = some_name_space();
    uint32_t limit = static_cast<uint32_t>(random_.between(1, 9));
    std::optional<ExecutionStatus> status;
    if (random_.chance(500)) status = ExecutionStatus::running;
    EXPECT_EQ(walk(one_, space, limit, status), walk(three_, space, limit, status));
  }
  std::set<std::string> walk(Server& server, const std::string& space, uint32_t limit,
                             std::optional<ExecutionStatus> status) {
    std::set<std::string> found;
    for (ExecutionId before;;) {
      server.ask({next(), Query{ListExecutions{before, limit, status}}, space}, false);
      const auto& page = std::get<ExecutionList>(std::get<QueryResult>(server.newest().what));
      EXPECT_LE(page.executions.size(), limit);
      for (const ExecutionSummary& one : page.executions) {
        EXPECT_TRUE(!before || one.id < before) << "newest first, each once";
        EXPECT_TRUE(found.insert(one.labels).second);
        before = one.id;
      }
      if (page.executions.size() < limit) return found;
    }
  }

  Random random_;
  Server one_{1};
  Server three_{3};
  Ticket ticket_ = 0;
  Ticket door_opened_at_ = 1;
  size_t answers_ = 0;
  std::vector<std::string> labels_;
};

TEST(RouterProperty, ThreePartitionsAnswerAsOne) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Clients clients(seed);
    for (int i = 0; i < 250 && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      clients.step();
    }
    clients.look_at_all();
    EXPECT_GT(clients.executions(), 50u);
    EXPECT_GT(clients.answers(), 200u);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pawl
