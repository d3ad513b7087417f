#include "pawl/worker/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "pawl/worker/attempt_log.h"

namespace pawl {

namespace {

constexpr uint32_t rounds_max = 128;  // of starting and hearing in one turn

// `times` of them; no more than for ever.
Duration together(Duration each, int64_t times) {
  int64_t ns = 0;
  return __builtin_mul_overflow(each.ns, times, &ns) ? Duration::forever() : Duration{ns};
}

}  // namespace

Worker::Worker(WorkerOptions options, Executors executors, Clock& clock, Loop& loop,
               Transport& transport, Mailbox<ExecutorNews>& news, Telemetry& telemetry)
    : options_(std::move(options)),
      executors_(std::move(executors)),
      clock_(clock),
      loop_(loop),
      transport_(transport),
      news_(news),
      telemetry_(telemetry),
      messages_(loop) {
  PAWL_CHECK(options_.spec.slots > 0, "a worker needs a slot");
  serve(1);
  transport_.bind(options_.address, messages_);
  loop_.add(*this);
  loop_.wake();
}

Worker::~Worker() {
  loop_.remove(*this);
  transport_.unbind(options_.address);
}

void Worker::serve(uint32_t partitions) {
  EngineSession::Owner& owner = *this;
  for (auto slot = static_cast<uint32_t>(sessions_.size()); slot < partitions; ++slot)
    sessions_.push_back(std::make_unique<EngineSession>(options_, engine_address(slot), clock_,
                                                        transport_, telemetry_, owner));
}

bool Worker::gone() const {
  return std::all_of(sessions_.begin(), sessions_.end(), [](auto& one) { return one->gone(); });
}

bool Worker::connected() const {
  return std::all_of(sessions_.begin(), sessions_.end(), [](auto& one) { return one->serving(); });
}

uint64_t Worker::queued_items() const {
  uint64_t items = 0;
  for (const auto& session : sessions_) items += session->queue().items();
  return items;
}

uint64_t Worker::held_items() const {
  uint64_t items = 0;
  for (const auto& session : sessions_) items += session->held_items();
  return items;
}

bool Worker::turn() {
  if (gone()) return false;
  Instant now = clock_.monotonic();
  receive(now);
  hear_news();
  for (auto& session : sessions_) session->keep(now);
  kill_overdue(now);
  look(now);
  // Executors that finish at once free their slots at once: their reports ride with this turn's.
  for (uint32_t rounds = 0; launch(now) && rounds < rounds_max; ++rounds) hear_news();
  for (auto& session : sessions_) session->flush(now);
  return waits_for_a_slot() && runs_.size() < options_.spec.slots;
}

Instant Worker::deadline() const {
  Instant at = Instant::never();
  for (const auto& session : sessions_) at = std::min(at, session->deadline());
  if (!kill_at_.empty()) at = std::min(at, kill_at_.begin()->first);
  if (!runs_.empty()) at = std::min(at, look_at_);
  return at;
}

// A Welcome may make more sessions; they are among the addresses from the next message on.
void Worker::receive(Instant now) {
  messages_.take_all(message_batch_);
  for (Message& message : message_batch_) {
    auto from = std::find_if(sessions_.begin(), sessions_.end(),
                             [&](auto& one) { return one->engine() == message.from; });
    if (from != sessions_.end()) (*from)->deliver(std::move(message), now);
  }
}

bool Worker::runs_any(const EngineSession& of) const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [&](const auto& run) { return run.second.session == &of; });
}

size_t Worker::running_launches() const {
  return std::min<size_t>(runs_.size(), options_.spec.slots);
}

// Executors begin in the order of the starts.
Worker::Runs::const_iterator Worker::end_of_running() const {
  if (runs_.size() <= options_.spec.slots) return runs_.end();
  return std::next(runs_.begin(), options_.spec.slots);
}

Executor& Worker::executor_of(const Run& run) const {
  return *executors_.at(run.grant.context->definition().type);
}

// Where others wait behind the slots, the next of them begins.
void Worker::forget(Runs::iterator run) {
  uint64_t launch = run->first;
  expected_ = expected_ - run->second.expected;
  runs_.erase(run);
  if (runs_.size() < options_.spec.slots) return;
  auto last = std::next(runs_.begin(), options_.spec.slots - 1);
  if (last->first > launch) last->second.since = last->second.next_since = clock_.monotonic();
}

std::vector<TaskRange> Worker::withdraw(EngineSession& of, const StopAttempts& named) {
  std::vector<TaskRange> back;
  for (auto it = runs_.begin(); it != runs_.end();) {
    auto run = it++;
    const TaskRange& range = run->second.grant.range;
    bool meant = run->second.session == &of && concerns(named, run->second.grant) &&
                 named.range.begin <= range.begin && range.end <= named.range.end;
    if (!meant || run->second.stopping || !executor_of(run->second).withdraw(run->first)) continue;
    back.insert(back.end(), run->second.live.begin(), run->second.live.end());
    forget(run);
  }
  return back;
}

std::vector<HeldAttempts> Worker::running(const EngineSession& of) const {
  std::vector<HeldAttempts> running;
  for (const auto& [launch, run] : runs_) {
    if (run.session != &of || run.orphaned) continue;
    for (const TaskRange& live : run.live)
      running.push_back({live, run.grant.attempt, run.grant.nonce});
  }
  return running;
}

void Worker::stop_running(EngineSession& of, const StopAttempts& stop, Instant now) {
  for (auto& [launch, run] : runs_) {
    if (run.session != &of || !concerns(stop, run.grant)) continue;
    let_go(run, stop.range);
    if (run.live.empty() && !run.stopping) stop_run(launch, run, now);
  }
}

void Worker::let_go(Run& run, const TaskRange& items) {
  std::vector<TaskRange> live;
  for (const TaskRange& range : run.live) {
    run.session->let_go(range.size());
    for (const TaskRange& rest : without(range, items)) {
      run.session->hold(rest.size());
      live.push_back(rest);
    }
  }
  run.live = std::move(live);
  run.session->running_changed();
}

void Worker::stop_run(uint64_t launch, Run& run, Instant now) {
  run.stopping = true;
  kill_at_.emplace(now + options_.stop_grace, launch);
  executor_of(run).stop(launch, StopMode::terminate);
}

void Worker::kill_overdue(Instant now) {
  while (!kill_at_.empty() && kill_at_.begin()->first <= now) {
    auto run = runs_.find(kill_at_.begin()->second);
    kill_at_.erase(kill_at_.begin());
    if (run == runs_.end()) continue;
    executor_of(run->second).stop(run->first, StopMode::kill);
  }
}

void Worker::disown(EngineSession& of) {
  for (auto& [launch, run] : runs_) {
    if (run.session != &of || run.orphaned) continue;
    run.orphaned = true;
    executor_of(run).stop(launch, StopMode::kill);
  }
}

void Worker::hear_news() {
  if (news_.empty()) return;
  news_.take_all(news_batch_);
  for (ExecutorNews& one : news_batch_) {
    if (auto* finished = std::get_if<Finished>(&one))
      hear(std::move(*finished));
    else if (auto* reported = std::get_if<Reported>(&one))
      hear(std::move(*reported));
    else
      hear(std::move(std::get<Progressed>(one)));
  }
}

// A launch works on its items one after the other: those that have ended shared the time since the one
// before them did.
void Worker::measure(Run& run, std::vector<AttemptReport>& reports,
                     const std::optional<Worked>& worked) {
  int64_t items = 0;
  for (const AttemptReport& report : reports) items += report.range.size();
  if (items == 0) return;
  Instant begin = worked ? worked->begin : run.next_since;
  Instant end = worked ? worked->end : clock_.monotonic();
  Duration each{(end - begin).ns / items};
  Duration queued = begin - run.grant.arrived;
  for (AttemptReport& report : reports) {
    auto count = static_cast<int64_t>(report.range.size());
    Duration before = together(each, count * (count - 1) / 2);  // each waited for those ahead of it
    report.times = {together(queued, count) + before, together(each, count)};
    queued = queued + together(each, count);
  }
  run.next_since = end;
  if (worked)
    pace_.took(run.grant.context->definition().function, static_cast<uint64_t>(items), end - begin);
}

void Worker::report(const Run& run, std::vector<AttemptReport>& reports) {
  for (AttemptReport& report : reports) {
    log_ended(telemetry_, options_.spec.name, run.grant, report);
    figures_.take(report);
    run.session->report(std::move(report));
  }
}

// Once: when it is started, or its executor has said that it began.
void Worker::begin(Run& run) {
  if (std::exchange(run.began, true)) return;
  ++figures_.launches;
  log_started(telemetry_, options_.spec.name, run.grant);
}

// What has been stopped is no longer live, and its report is left out as it would be at the end.
void Worker::hear(Reported reported) {
  auto found = runs_.find(reported.launch);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (reported.worked) begin(run);
  if (run.orphaned || run.live.empty()) return;
  measure(run, reported.reports, reported.worked);
  for (const AttemptReport& report : reported.reports) {
    const TaskRange& range = report.range;
    let_go(run, range);
    run.progress.erase(run.progress.lower_bound(range.begin), run.progress.lower_bound(range.end));
    run.session->forget_progress(range);
  }
  report(run, reported.reports);
}

void Worker::hear(Finished finished) {
  auto found = runs_.find(finished.launch);
  PAWL_CHECK(found != runs_.end(), "an executor finished a launch twice");
  Run run = std::move(found->second);
  forget(found);
  if (finished.worked) begin(run);
  if (run.orphaned) return;
  run.session->running_changed();
  run.session->forget_progress(run.grant.range);
  if (run.live.empty()) return;
  for (const TaskRange& live : run.live) run.session->let_go(live.size());
  measure(run, finished.reports, finished.worked);
  report(run, finished.reports);
}

void Worker::hear(Progressed progressed) {
  auto run = runs_.find(progressed.launch);
  if (run == runs_.end() || run->second.orphaned) return;
  AttemptProgress& word = progressed.progress;
  run->second.progress[word.task.item] = word;
  measure(run->second, word, clock_.monotonic());
  run->second.session->say(std::move(word));
}

// In the order of their starts.
void Worker::look(Instant now) {
  if (now < look_at_) return;
  look_at_ = runs_.empty() ? Instant::never() : now + options_.look_interval;
  size_t looked_at = 0;
  auto end = end_of_running();
  for (auto it = runs_.begin(); it != end; ++it) {
    auto& [launch, run] = *it;
    if (now - run.since < options_.look_interval || looked_at == launches_looked_at) return;
    if (run.orphaned || run.live.empty()) continue;
    ++looked_at;
    run.used = executor_of(run).usage(launch).value_or(run.used);
    TaskKey task = run.live.front().at(run.live.front().begin);
    auto said = run.progress.find(task.item);
    AttemptProgress progress{task, run.grant.attempt, 0, {}};
    if (said != run.progress.end()) progress = said->second;
    measure(run, progress, now);
    run.session->say_again(std::move(progress));
  }
}

void Worker::measure(const Run& run, AttemptProgress& progress, Instant now) {
  progress.usage = {now - run.next_since, run.used.cpu, run.used.memory_bytes};
}

// A launch of many items works on one of them after the other.
std::vector<RunningAttempts> Worker::counted(const EngineSession& of) const {
  std::map<std::pair<ExecutionId, NodeIndex>, uint32_t> counts;
  auto end = end_of_running();
  for (auto it = runs_.begin(); it != end; ++it) {
    const Run& run = it->second;
    if (run.session != &of || run.orphaned || run.live.empty()) continue;
    ++counts[{run.grant.range.execution, run.grant.range.node}];
  }
  std::vector<RunningAttempts> list;
  for (const auto& [where, count] : counts) list.push_back({where.first, where.second, count});
  return list;
}

WorkerUsage Worker::usage(Instant now) {
  WorkerUsage usage = options_.meter != nullptr ? options_.meter->read(now) : WorkerUsage{};
  usage.running = static_cast<uint32_t>(running_launches());
  usage.leaving = draining_;
  return usage;
}

bool Worker::waits_for_a_slot() const {
  return !draining_ && std::any_of(sessions_.begin(), sessions_.end(), [](const auto& session) {
    return session->serving() && !session->queue().empty();
  });
}

// The session whose queue has the highest priority in front; among equals they take turns.
EngineSession* Worker::most_urgent() {
  EngineSession* best = nullptr;
  int highest = -1;
  for (size_t i = 0; i < sessions_.size(); ++i) {
    EngineSession& session = *sessions_[(turn_of_ + i) % sessions_.size()];
    if (!session.serving() || session.queue().empty()) continue;
    int priority = session.queue().front().context->definition().priority;
    if (priority <= highest) continue;
    highest = priority;
    best = &session;
  }
  return best;
}

// How many items of the front of the queue to hand over now. None: what has been is enough.
uint32_t Worker::portion(const Executor& executor, const Node& node) const {
  const uint64_t slots = options_.spec.slots;
  const bool slot_free = runs_.size() < slots;
  if (!slot_free && runs_.size() >= slots * (1 + uint64_t{executor.ahead()})) return 0;
  uint64_t sharers = slot_free ? slots - runs_.size() : slots;
  uint64_t share = (queued_items() + sharers - 1) / sharers;
  uint64_t most = std::max(1u, executor.max_range());
  if (executor.ahead() > 0) {
    Duration each = pace_.each(node.function).value_or(options_.stretch);
    if (!slot_free && together(options_.stretch, slots) < expected_ + each) return 0;
    // Halves, so that one waits while the other runs.
    most = std::clamp<uint64_t>(static_cast<uint64_t>(options_.stretch.ns / 2 / each.ns), 1, most);
  }
  return static_cast<uint32_t>(std::clamp<uint64_t>(share, 1, most));
}

// False: nothing was to be started.
bool Worker::launch(Instant now) {
  bool any = false;
  while (waits_for_a_slot()) {
    EngineSession& session = *most_urgent();
    const Node& node = session.queue().front().context->definition();
    Executor& executor = *executors_.at(node.type);
    uint32_t items = portion(executor, node);
    if (items == 0) return any;
    any = true;
    ++turn_of_;
    Launch launch;
    launch.id = next_launch_++;
    launch.grant = session.queue().take(items);
    Run& run = runs_[launch.id];
    run.grant = launch.grant;
    run.session = &session;
    run.live = {launch.grant.range};
    run.since = run.next_since = now;
    run.expected = std::min(together(pace_.each(node.function).value_or(options_.stretch), items),
                            options_.stretch);
    expected_ = expected_ + run.expected;
    look_at_ = std::min(look_at_, now + options_.look_interval);
    session.running_changed();
    if (executor.ahead() == 0) begin(run);
    executor.start(std::move(launch));
  }
  return any;
}

bool Worker::reports_can_wait() const {
  if (draining_ || runs_.size() < options_.spec.slots) return false;
  return runs_.size() > options_.spec.slots || queued_items() > options_.spec.credit / 2;
}

// What waits in an executor is no more begun than what is queued, and can be recalled from there.
void Worker::drain() {
  draining_ = true;
  for (auto it = runs_.begin(); it != runs_.end();) {
    auto run = it++;
    if (run->second.orphaned || !executor_of(run->second).withdraw(run->first)) continue;
    Grant grant = run->second.grant;
    for (const TaskRange& live : run->second.live) {
      grant.range = live;
      run->second.session->queue().push(grant);
    }
    forget(run);
  }
  loop_.wake();
}

void Worker::abandon() {
  drain();
  for (auto& [launch, run] : runs_) {
    if (run.orphaned) continue;
    run.orphaned = true;
    stop_run(launch, run, clock_.monotonic());
  }
}

std::vector<RunningLaunch> Worker::running() const {
  std::vector<RunningLaunch> out;
  auto end = end_of_running();
  for (auto it = runs_.begin(); it != end; ++it) {
    const Run& run = it->second;
    RunningLaunch& view = out.emplace_back();
    view.range = run.grant.range;
    view.attempt = run.grant.attempt;
    view.context = run.grant.context;
    view.since = run.since;
    view.stopping = run.stopping || run.orphaned;
    for (const auto& [item, progress] : run.progress) view.progress.push_back(progress);
  }
  return out;
}

}  // namespace pawl
