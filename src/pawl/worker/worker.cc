#include "pawl/worker/worker.h"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

namespace pawl {

namespace {

LinkOptions link_options(const WorkerOptions& options) {
  LinkOptions link = options.link;
  link.self = options.address;
  link.peer = options.engine;
  link.incarnation = options.incarnation;
  return link;
}

// Two neighbouring successes without outputs are one.
bool joins(const AttemptReport& a, const AttemptReport& b) {
  return a.succeeded && b.succeeded && a.outputs.empty() && b.outputs.empty() &&
         a.range.execution == b.range.execution && a.range.node == b.range.node &&
         a.range.end == b.range.begin && a.attempt == b.attempt && a.nonce == b.nonce;
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
      messages_(loop),
      link_(link_options(options_)) {
  PAWL_CHECK(options_.spec.slots > 0, "a worker needs a slot");
  transport_.bind(options_.address, messages_);
  loop_.add(*this);
  loop_.wake();
}

Worker::~Worker() {
  loop_.remove(*this);
  transport_.unbind(options_.address);
}

bool Worker::turn() {
  if (phase_ == Phase::gone) return false;
  Instant now = clock_.monotonic();
  receive(now);
  hear_news();
  keep_session(now);
  kill_overdue(now);
  launch(now);
  hear_news();  // executors that finish at once: their reports ride with this turn's
  flush(now);
  greet_or_leave(now);
  for (Message& message : link_.poll(now)) transport_.send(std::move(message));
  return !queue_.empty() && !draining_ && runs_.size() < options_.spec.slots;
}

Instant Worker::deadline() const {
  if (phase_ == Phase::gone) return Instant::never();
  Instant at = link_.deadline();
  if (holds_session()) at = std::min(at, lease_from_ + options_.spec.lease);
  if (phase_ == Phase::greeting && link_.idle())
    at = std::min(at, greeted_at_ + options_.spec.lease);
  if (!kill_at_.empty()) at = std::min(at, kill_at_.begin()->first);
  if (link_.full()) return at;  // nothing of what follows could be sent
  if (phase_ == Phase::apart && (runs_.empty() || holds_session())) at = std::min(at, hello_at_);
  if (phase_ == Phase::serving) {
    at = std::min(at, heartbeat_at_);
    if (!fresh_progress_.empty() || running_changed_) at = std::min(at, progress_at_);
    if (!reports_.empty()) at = std::min(at, report_at_);
  }
  return at;
}

void Worker::receive(Instant now) {
  messages_.take_all(message_batch_);
  for (Message& message : message_batch_) {
    bool first_contact = link_.peer_incarnation() == 0;
    Link::Delivery delivery = link_.deliver(std::move(message), now);
    // A Hello that waited for the engine to come up is on its way only now.
    if (first_contact && link_.peer_incarnation() != 0) greeted_at_ = now;
    if (delivery.peer_restarted) resume_session(std::move(delivery.undelivered), now);
    for (MessageBody& body : delivery.bodies) {
      std::visit(
          [&](auto& content) {
            using Body = std::decay_t<decltype(content)>;
            if constexpr (std::is_same_v<Body, Grants>) take(std::move(content));
            if constexpr (std::is_same_v<Body, Welcome> || std::is_same_v<Body, Stops> ||
                          std::is_same_v<Body, Closed>)
              take(std::move(content), now);
          },
          body);
    }
  }
}

void Worker::take(Welcome welcome, Instant now) {
  if (phase_ == Phase::leaving || phase_ == Phase::gone) return;
  // The engine has heard two Hellos of ours: the session of the first was over when it opened this
  // one, and nothing that is granted from now on belongs to it.
  if (holds_session() && welcome.session != session_) end_session(now);
  if (!holds_session() && !runs_.empty()) return;
  phase_ = Phase::serving;
  lease_from_ = greeted_at_;
  session_ = welcome.session;
  heartbeat_sequence_ = 0;
  heartbeat_at_ = now + heartbeat_interval();
  said_running_.clear();  // an engine that has come back knows nothing of it
  running_changed_ = true;
}

void Worker::take(Grants grants) {
  for (Grant& grant : grants.grants) {
    if (phase_ != Phase::serving || grant.session != session_) continue;
    NodeType type = grant.context->definition().type;
    if (executors_.find(type) == executors_.end()) {
      decline(grant, std::string("worker ") + options_.spec.name + " has no executor for " +
                         name(type) + " nodes");
      continue;
    }
    uint64_t room = options_.spec.credit - std::min<uint64_t>(options_.spec.credit, held_items_);
    if (grant.range.size() > room) {
      Grant excess = grant;
      excess.range.begin += static_cast<ItemIndex>(room);
      decline(excess, "worker " + options_.spec.name + " holds its credit of " +
                          std::to_string(options_.spec.credit) + " items");
      grant.range.end = excess.range.begin;
    }
    if (grant.range.size() == 0) continue;
    held_items_ += grant.range.size();
    queue_.push(std::move(grant));
  }
}

void Worker::take(const Stops& stops, Instant now) {
  if (phase_ != Phase::serving) return;
  for (const StopAttempts& stop : stops.stops) {
    held_items_ -= queue_.drop(stop);
    for (auto& [launch, run] : runs_) {
      if (!concerns(stop, run.grant)) continue;
      let_go(run, stop.range);
      if (run.live.empty() && !run.stopping) stop_run(launch, run, now);
    }
  }
}

void Worker::let_go(Run& run, const TaskRange& items) {
  std::vector<TaskRange> live;
  for (const TaskRange& range : run.live) {
    held_items_ -= range.size();
    for (const TaskRange& rest : without(range, items)) {
      held_items_ += rest.size();
      live.push_back(rest);
    }
  }
  run.live = std::move(live);
  running_changed_ = true;
}

void Worker::stop_run(uint64_t launch, Run& run, Instant now) {
  run.stopping = true;
  kill_at_.emplace(now + options_.stop_grace, launch);
  executors_.at(run.grant.context->definition().type)->stop(launch, StopMode::terminate);
}

void Worker::kill_overdue(Instant now) {
  while (!kill_at_.empty() && kill_at_.begin()->first <= now) {
    auto run = runs_.find(kill_at_.begin()->second);
    kill_at_.erase(kill_at_.begin());
    if (run == runs_.end()) continue;
    executors_.at(run->second.grant.context->definition().type)->stop(run->first, StopMode::kill);
  }
}

void Worker::take(const Closed& closed, Instant now) {
  telemetry_.log("worker " + options_.spec.name +
                 ": session closed by the engine: " + closed.reason);
  // In greeting it refuses our Hello, or is about a session that we have given up: no hurry.
  end_session(holds_session() ? now : now + options_.hello_interval);
}

// Of what the old engine was told, `unkept` may have died with it.
void Worker::resume_session(std::vector<MessageBody> unkept, Instant now) {
  if (!holds_session() || phase_ == Phase::leaving) return end_session(now);
  std::vector<AttemptReport> reports;
  for (MessageBody& body : unkept) {
    auto* sent = std::get_if<Reports>(&body);
    if (sent == nullptr) continue;
    std::move(sent->reports.begin(), sent->reports.end(), std::back_inserter(reports));
  }
  std::move(reports_.begin(), reports_.end(), std::back_inserter(reports));
  reports_ = std::move(reports);
  report_at_ = now;
  heartbeat_at_ = Instant::never();
  heartbeat_sequence_ = 0;
  hello_at_ = now;
  phase_ = Phase::apart;
}

std::vector<HeldAttempts> Worker::held() const {
  std::vector<HeldAttempts> held = queue_.held();
  for (const auto& [launch, run] : runs_) {
    if (run.orphaned) continue;
    for (const TaskRange& live : run.live)
      held.push_back({live, run.grant.attempt, run.grant.nonce});
  }
  for (const AttemptReport& report : reports_)
    held.push_back({report.range, report.attempt, report.nonce});
  return held;
}

void Worker::end_session(Instant hello_at) {
  for (auto& [launch, run] : runs_) {
    if (run.orphaned) continue;
    run.orphaned = true;
    executors_.at(run.grant.context->definition().type)->stop(launch, StopMode::kill);
  }
  queue_.clear();
  held_items_ = 0;
  kill_at_.clear();
  reports_.clear();
  fresh_progress_.clear();
  said_running_.clear();
  running_changed_ = false;
  session_ = {};
  heartbeat_at_ = Instant::never();
  heartbeat_sequence_ = 0;
  hello_at_ = hello_at;
  phase_ = phase_ == Phase::leaving || phase_ == Phase::gone ? Phase::gone : Phase::apart;
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

// What has been stopped is no longer live, and its report is left out as it would be at the end.
void Worker::hear(Reported reported) {
  auto found = runs_.find(reported.launch);
  if (found == runs_.end() || found->second.orphaned) return;
  Run& run = found->second;
  if (run.live.empty()) return;
  for (AttemptReport& report : reported.reports) {
    const TaskRange& range = report.range;
    let_go(run, range);
    run.progress.erase(run.progress.lower_bound(range.begin), run.progress.lower_bound(range.end));
    forget_progress(range);
    append(std::move(report));
  }
}

void Worker::forget_progress(const TaskRange& range) {
  fresh_progress_.erase(fresh_progress_.lower_bound(range.at(range.begin)),
                        fresh_progress_.lower_bound(range.at(range.end)));
}

void Worker::hear(Finished finished) {
  auto found = runs_.find(finished.launch);
  PAWL_CHECK(found != runs_.end(), "an executor finished a launch twice");
  Run run = std::move(found->second);
  runs_.erase(found);
  if (run.orphaned) return;
  running_changed_ = true;
  forget_progress(run.grant.range);
  if (run.live.empty()) return;
  for (const TaskRange& live : run.live) held_items_ -= live.size();
  for (AttemptReport& report : finished.reports) append(std::move(report));
}

void Worker::hear(Progressed progressed) {
  auto run = runs_.find(progressed.launch);
  if (run == runs_.end() || run->second.orphaned) return;
  AttemptProgress& progress = progressed.progress;
  fresh_progress_[progress.task] = progress;
  run->second.progress[progress.task.item] = std::move(progress);
}

void Worker::append(AttemptReport report) {
  if (!reports_.empty() && joins(reports_.back(), report)) {
    reports_.back().range.end = report.range.end;
    return;
  }
  if (reports_.empty()) report_at_ = clock_.monotonic() + options_.report_hold;
  reports_.push_back(std::move(report));
}

void Worker::decline(const Grant& grant, const std::string& why) {
  telemetry_.count("worker_declined_items", grant.range.size());
  AttemptReport report;
  report.range = grant.range;
  report.attempt = grant.attempt;
  report.nonce = grant.nonce;
  report.kind = FailureKind::declined;
  report.error = why;
  append(std::move(report));
  report_at_ = {};  // somebody else is to run it
}

WorkerUsage Worker::usage(Instant now) {
  WorkerUsage usage = options_.meter != nullptr ? options_.meter->read(now) : WorkerUsage{};
  usage.running = static_cast<uint32_t>(runs_.size());
  return usage;
}

Duration Worker::heartbeat_interval() const {
  if (options_.spec.lease == Duration::forever()) return Duration::forever();
  return {options_.spec.lease.ns / 3};
}

// The Hello has arrived, but whoever took it may be gone, and the next engine knows nothing of us. (A
// Hello that has not arrived is the link's business.)
bool Worker::greeted_in_vain(Instant now) const {
  return phase_ == Phase::greeting && link_.idle() && now - greeted_at_ >= options_.spec.lease;
}

// The lease runs from before the sending of what the engine last acknowledged: whatever the network
// did in between, the engine's own count started later.
void Worker::keep_session(Instant now) {
  if (greeted_in_vain(now)) end_session(now);
  if (!holds_session()) return;
  if (heartbeat_sequence_ != 0 && link_.acknowledged() >= heartbeat_sequence_) {
    lease_from_ = heartbeat_sent_;
    heartbeat_sequence_ = 0;
  }
  if (now - lease_from_ >= options_.spec.lease) {
    telemetry_.log("worker " + options_.spec.name + ": no word from the engine for a lease (" +
                   std::to_string(options_.spec.lease.whole_milliseconds()) +
                   " ms); stopping its attempts");
    telemetry_.count("worker_self_stops", 1);
    end_session(now);
  }
}

void Worker::launch(Instant now) {
  if (phase_ != Phase::serving || draining_) return;
  while (!queue_.empty() && runs_.size() < options_.spec.slots) {
    Executor& executor = *executors_.at(queue_.front().context->definition().type);
    uint64_t free = options_.spec.slots - runs_.size();
    uint64_t share = (queue_.items() + free - 1) / free;
    Launch launch;
    launch.id = next_launch_++;
    launch.grant = queue_.take(
        static_cast<uint32_t>(std::clamp<uint64_t>(share, 1, std::max(1u, executor.max_range()))));
    Run& run = runs_[launch.id];
    run.grant = launch.grant;
    run.live = {launch.grant.range};
    run.since = now;
    running_changed_ = true;
    executor.start(std::move(launch));
  }
}

bool Worker::reports_can_wait() const {
  return !draining_ && runs_.size() >= options_.spec.slots &&
         queue_.items() > options_.spec.credit / 2;
}

// A launch of many items works on one of them after the other.
std::vector<RunningAttempts> Worker::counted() const {
  std::map<std::pair<ExecutionId, NodeIndex>, uint32_t> counts;
  for (const auto& [launch, run] : runs_) {
    if (run.orphaned || run.live.empty()) continue;
    ++counts[{run.grant.range.execution, run.grant.range.node}];
  }
  std::vector<RunningAttempts> list;
  for (const auto& [where, count] : counts) list.push_back({where.first, where.second, count});
  return list;
}

void Worker::say_progress(Instant now) {
  if (fresh_progress_.empty() && !running_changed_) return;
  if (now < progress_at_ || link_.full()) return;
  Progress progress;
  progress.running = counted();
  running_changed_ = false;
  if (fresh_progress_.empty() && progress.running == said_running_) return;
  said_running_ = progress.running;
  for (auto& [task, one] : fresh_progress_) progress.items.push_back(std::move(one));
  fresh_progress_.clear();
  progress_at_ = now + options_.progress_interval;
  (void)link_.send(std::move(progress)).ok();
}

void Worker::flush(Instant now) {
  if (phase_ != Phase::serving || link_.full()) return;
  if (!reports_.empty() && (now >= report_at_ || !reports_can_wait()))
    (void)link_.send(Reports{std::exchange(reports_, {})}).ok();
  say_progress(now);
  if (now >= heartbeat_at_ && !link_.full()) {
    heartbeat_at_ = now + heartbeat_interval();
    if (heartbeat_sequence_ != 0) return;  // one on its way is enough
    heartbeat_sequence_ = link_.send(Heartbeat{usage(now)}).value();
    heartbeat_sent_ = now;
  }
}

void Worker::greet_or_leave(Instant now) {
  if (phase_ == Phase::leaving && link_.idle()) phase_ = Phase::gone;
  if (link_.full() || (!runs_.empty() && !holds_session())) return;
  if (runs_.empty() && draining_ && phase_ != Phase::leaving && phase_ != Phase::gone &&
      reports_.empty()) {
    bool known = phase_ == Phase::serving || phase_ == Phase::greeting;
    phase_ = known && link_.peer_incarnation() != 0 ? Phase::leaving : Phase::gone;
    if (phase_ == Phase::leaving) (void)link_.send(Goodbye{}).ok();
    return;
  }
  if (phase_ == Phase::apart && (!draining_ || holds_session()) && now >= hello_at_) {
    phase_ = Phase::greeting;
    greeted_at_ = now;
    Hello hello{options_.spec, session_, {}};
    if (holds_session()) hello.held = held();
    (void)link_.send(std::move(hello)).ok();
  }
}

void Worker::drain() {
  draining_ = true;
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
  for (const auto& [launch, run] : runs_) {
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
