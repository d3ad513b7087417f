// For tests: a worker, executors that do what the test says, and the engines that it has sessions with, on a
// clock that stands still. Nothing runs by itself.
//
//   World world(2);                                   // slots
//   world.give({world.grant(0, 3)});
//   world.processes.finish(world.processes.started[0]);
//   world.settle();
//   world.reports();                                  // what the engine was told
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/testing/still_world.h"
#include "pawl/worker/worker.h"

namespace pawl {

class ManualLoop final : public Loop {
 public:
  void add(Actor& actor) override { actors.push_back(&actor); }
  void remove(Actor& actor) override { std::erase(actors, &actor); }
  void wake() override { awake = true; }
  std::vector<Actor*> actors;
  bool awake = false;
};

// Keeps launches until the test finishes them.
class FakeExecutor final : public Executor {
 public:
  FakeExecutor(Sink<ExecutorNews>& news, uint32_t max_range) : news_(news), max_range_(max_range) {}
  uint32_t max_range() const override { return max_range_; }
  uint32_t ahead() const override { return takes_ahead; }
  bool withdraw(uint64_t launch) override { return std::erase(waiting, launch) > 0; }
  void start(Launch launch) override {
    started.push_back(launch);
    if (at_once) finish(launch);
  }
  void stop(uint64_t launch, StopMode mode) override { stops.emplace_back(launch, mode); }
  std::optional<LaunchUsage> usage(uint64_t) const override { return used; }

  void finish(const Launch& launch, bool succeeded = true) {
    AttemptReport report;
    report.range = launch.grant.range;
    report.attempt = launch.grant.attempt;
    report.nonce = launch.grant.nonce;
    report.succeeded = succeeded;
    news_.put(Finished{launch.id, {report}, worked});
  }
  // Some items ahead of the others; the last ones with the end of the launch.
  void report(const Launch& launch, ItemIndex begin, ItemIndex end) {
    AttemptReport report;
    report.range = launch.grant.range;
    report.range.begin = begin;
    report.range.end = end;
    report.attempt = launch.grant.attempt;
    report.nonce = launch.grant.nonce;
    report.succeeded = true;
    if (end == launch.grant.range.end)
      news_.put(Finished{launch.id, {report}});
    else
      news_.put(Reported{launch.id, {report}});
  }
  void progress(const Launch& launch, ItemIndex item, uint32_t permille) {
    AttemptProgress progress;
    progress.task = launch.grant.range.at(item);
    progress.permille = permille;
    news_.put(Progressed{launch.id, progress});
  }

  std::vector<Launch> started;
  std::vector<std::pair<uint64_t, StopMode>> stops;
  bool at_once = false;
  std::optional<LaunchUsage> used;
  uint32_t takes_ahead = 0;
  std::vector<uint64_t> waiting;  // launches on which nothing has begun
  std::optional<Worked> worked;   // by what finishes

 private:
  Sink<ExecutorNews>& news_;
  uint32_t max_range_;
};

// The engine's end, as far as a worker can see it.
class FakeEngine final : public Actor {
 public:
  FakeEngine(Clock& clock, Loop& loop, Transport& transport, Address address = 1)
      : clock_(clock), transport_(transport), inbox_(loop), address_(address), link_(make(1)) {
    transport_.bind(address, inbox_);
  }
  bool turn() override {
    for (const Message& m : kept()) {
      if (cut) continue;
      for (MessageBody& body : link_.deliver(m, clock_.monotonic()).bodies) {
        if (std::get_if<Hello>(&body) && welcomes) send(Welcome{SessionId{++sessions}, partitions});
        got.push_back(std::move(body));
      }
      if (keeps) link_.keep(link_.received(), clock_.monotonic());
    }
    for (Message& m : link_.poll(clock_.monotonic()))
      if (!cut) transport_.send(std::move(m));
    return false;
  }
  Instant deadline() const override { return link_.deadline(); }
  void send(MessageBody body) { (void)link_.send(std::move(body)).ok(); }
  void restart() {
    link_ = make(++incarnation_);
    keeps = true;
  }

  template <class Body>
  std::vector<Body> take() {
    std::vector<Body> out;
    for (MessageBody& body : std::exchange(got, {})) {
      if (auto* one = std::get_if<Body>(&body))
        out.push_back(std::move(*one));
      else
        got.push_back(std::move(body));
    }
    return out;
  }

  std::vector<MessageBody> got;
  uint64_t sessions = 0;
  uint32_t partitions = 1;
  bool welcomes = true;
  bool cut = false;
  bool keeps = true;  // what it takes is durable at once

 private:
  Link make(uint64_t incarnation) const {
    LinkOptions options;
    options.self = address_;
    options.peer = 2;
    options.incarnation = incarnation;
    options.acknowledge_kept = true;
    return Link(options);
  }
  std::vector<Message> kept() {
    std::vector<Message> batch;
    inbox_.take_all(batch);
    return batch;
  }
  Clock& clock_;
  Transport& transport_;
  Mailbox<Message> inbox_;
  const Address address_;
  uint64_t incarnation_ = 1;
  Link link_;
};

struct World {
  ManualClock clock;
  ManualLoop loop;
  InprocTransport transport;
  Quiet telemetry;
  Mailbox<ExecutorNews> news{loop};
  FakeEngine engine{clock, loop, transport};
  FakeEngine second{clock, loop, transport, engine_address(1)};  // if it has several partitions
  FakeExecutor processes{news, 1};
  FakeExecutor functions{news, 1024};
  std::unique_ptr<Worker> worker;
  uint64_t next_nonce = 1;

  explicit World(uint32_t slots = 2, uint32_t credit = 4096, uint32_t partitions = 1) {
    engine.partitions = second.partitions = partitions;
    second.sessions = 40;
    WorkerOptions options;
    options.spec.name = "w1";
    options.spec.slots = slots;
    options.spec.credit = credit;
    worker = std::make_unique<Worker>(
        options, Executors{{NodeType::process, &processes}, {NodeType::function, &functions}},
        clock, loop, transport, news, telemetry);
    settle();
  }
  void settle() {
    for (int i = 0; i < 12; ++i) {
      worker->turn();
      engine.turn();
      second.turn();
    }
  }
  // Lets time pass in the steps that the actors ask for.
  void pass(Duration time) {
    Instant end = clock.now + time;
    while (clock.now < end) {
      Instant next = std::min(worker->deadline(), engine.deadline());
      clock.now = std::min(end, std::max(next, clock.now + Duration::milliseconds(1)));
      settle();
    }
  }
  Grant grant(ItemIndex begin, ItemIndex end, NodeType type = NodeType::process,
              uint8_t priority = 5) {
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.emplace_back();
    workflow->nodes[0].type = type;
    workflow->nodes[0].priority = priority;
    auto context = std::make_shared<RunContext>();
    context->execution = ExecutionId{1};
    context->workflow = workflow;
    Grant g;
    g.session = SessionId{engine.sessions};
    g.range = {ExecutionId{1}, 0, begin, end};
    g.nonce = next_nonce++;
    g.context = context;
    return g;
  }
  void give(std::vector<Grant> grants) {
    engine.send(Grants{std::move(grants)});
    settle();
  }
  std::vector<AttemptProgress> told() {
    std::vector<AttemptProgress> out;
    for (Progress& batch : engine.take<Progress>())
      for (AttemptProgress& one : batch.items) out.push_back(std::move(one));
    return out;
  }
  std::vector<AttemptReport> reports() {
    std::vector<AttemptReport> out;
    for (Reports& batch : engine.take<Reports>())
      for (AttemptReport& one : batch.reports) out.push_back(std::move(one));
    return out;
  }
};

inline StopAttempts stop_of(const Grant& grant) {
  return {grant.range, grant.attempt, grant.nonce};
}

}  // namespace pawl
