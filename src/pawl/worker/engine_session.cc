#include "pawl/worker/engine_session.h"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "pawl/model/limits.h"
#include "pawl/worker/worker.h"

namespace pawl {

namespace {

constexpr uint64_t error_bytes_max = Limits{}.error_bytes_max;  // the engine would keep no more
constexpr uint64_t progress_bytes_full = 1 << 20;               // of words in one message

LinkOptions link_options(const WorkerOptions& options, Address engine) {
  LinkOptions link = options.link;
  link.self = options.address;
  link.peer = engine;
  link.incarnation = options.incarnation;
  return link;
}

// Two neighbouring successes without outputs are one.
bool joins(const AttemptReport& a, const AttemptReport& b) {
  return a.succeeded && b.succeeded && a.outputs.empty() && b.outputs.empty() &&
         a.range.execution == b.range.execution && a.range.node == b.range.node &&
         a.range.end == b.range.begin && a.attempt == b.attempt && a.nonce == b.nonce &&
         a.times.has_value() == b.times.has_value();
}

void add(std::optional<AttemptTimes>& sum, const std::optional<AttemptTimes>& more) {
  if (!sum || !more) return;
  sum->queued = sum->queued + more->queued;
  sum->ran = sum->ran + more->ran;
}

// Takes off a report its first items that carry no more than `room`, at least one; all that it has, if they do.
AttemptReport take_first(AttemptReport& report, uint64_t room) {
  const bool fits = carried_bytes(report) <= room;
  if (report.outputs.size() <= 1 || fits) return std::move(report);
  std::vector<Payload> outputs = std::move(report.outputs);
  uint32_t count = 0;
  for (uint64_t bytes = 0; count < outputs.size(); ++count) {
    bytes += outputs[count].is_blob() ? 0 : outputs[count].size();
    if (bytes > room && count > 0) break;
  }
  AttemptReport first = report;
  first.range.end = report.range.begin += count;
  const auto rest = outputs.begin() + count;
  first.outputs.assign(std::make_move_iterator(outputs.begin()), std::make_move_iterator(rest));
  outputs.erase(outputs.begin(), rest);
  report.outputs = std::move(outputs);
  if (!report.times) return first;
  const int64_t all = first.range.size() + report.range.size();
  first.times = {{report.times->queued.ns / all * count}, {report.times->ran.ns / all * count}};
  report.times = {report.times->queued - first.times->queued, report.times->ran - first.times->ran};
  return first;
}

}  // namespace

EngineSession::EngineSession(const WorkerOptions& options, Address engine, Clock& clock,
                             Transport& transport, Telemetry& telemetry, Owner& owner)
    : options_(options),
      engine_(engine),
      clock_(clock),
      transport_(transport),
      telemetry_(telemetry),
      owner_(owner),
      link_(link_options(options, engine)) {}

Instant EngineSession::deadline() const {
  if (phase_ == Phase::gone) return Instant::never();
  Instant at = link_.deadline();
  if (has_session()) at = std::min(at, lease_from_ + options_.spec.lease);
  if (phase_ == Phase::greeting && link_.idle())
    at = std::min(at, greeted_at_ + options_.spec.lease);
  if (link_.full()) return at;  // nothing of what follows could be sent
  if (phase_ == Phase::apart && may_greet()) at = std::min(at, hello_at_);
  if (phase_ == Phase::serving) {
    at = std::min(at, heartbeat_at_);
    if ((!words_.empty() || !again_.empty() || running_changed_) && link_.room() > 0)
      at = std::min(at, progress_at_);
    if (!reports_.empty() && link_.room() > 0) at = std::min(at, report_at_);
  }
  return at;
}

void EngineSession::deliver(Message message, Instant now) {
  bool first_contact = link_.peer_incarnation() == 0;
  Link::Delivery delivery = link_.deliver(std::move(message), now);
  // A Hello that waited for the engine to come up is on its way only now.
  if (first_contact && link_.peer_incarnation() != 0) greeted_at_ = now;
  if (delivery.peer_restarted) resume(std::move(delivery.undelivered), now);
  for (MessageBody& body : delivery.bodies) {
    std::visit(
        [&](auto& content) {
          using Body = std::decay_t<decltype(content)>;
          if constexpr (std::is_same_v<Body, Recall>) take(content);
          if constexpr (std::is_same_v<Body, Welcome> || std::is_same_v<Body, Grants> ||
                        std::is_same_v<Body, Stops> || std::is_same_v<Body, Closed>)
            take(std::move(content), now);
        },
        body);
  }
}

void EngineSession::take(Welcome welcome, Instant now) {
  if (phase_ == Phase::leaving || phase_ == Phase::gone) return;
  // The engine has heard two Hellos of ours: the session of the first was over when it opened this
  // one, and nothing that is granted from now on belongs to it.
  if (has_session() && welcome.session != id_) end(now);
  if (!has_session() && owner_.runs_any(*this)) return;
  phase_ = Phase::serving;
  lease_from_ = greeted_at_;
  id_ = welcome.session;
  heartbeat_sequence_ = 0;
  heartbeat_at_ = now + heartbeat_interval();
  said_leaving_ = false;
  said_running_.clear();  // an engine that has come back knows nothing of it
  running_changed_ = true;
  owner_.serve(welcome.partitions);
}

void EngineSession::take(Grants grants, Instant now) {
  for (Grant& grant : grants.grants) {
    if (phase_ != Phase::serving || grant.session != id_) continue;
    NodeType type = grant.context->definition().type;
    if (!owner_.can_run(type)) {
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
    grant.arrived = now;
    queue_.push(std::move(grant));
  }
}

void EngineSession::take(const Stops& stops, Instant now) {
  if (phase_ != Phase::serving) return;
  for (const StopAttempts& stop : stops.stops) {
    for (const TaskRange& dropped : queue_.drop(stop)) held_items_ -= dropped.size();
    owner_.stop_running(*this, stop, now);
  }
}

// What is queued has not begun, nor what only waits in an executor; and now they never will.
void EngineSession::take(const Recall& recall) {
  if (phase_ != Phase::serving) return;
  if (!returned_) returned_.emplace();
  for (const HeldAttempts& named : recall.attempts) {
    StopAttempts which{named.range, named.attempt, named.nonce};
    std::vector<TaskRange> back = queue_.drop(which);
    std::vector<TaskRange> handed_over = owner_.withdraw(*this, which);
    back.insert(back.end(), handed_over.begin(), handed_over.end());
    for (const TaskRange& range : back) {
      held_items_ -= range.size();
      telemetry_.count("worker_returned_items", range.size());
      returned_->attempts.push_back({range, named.attempt, named.nonce});
    }
  }
}

void EngineSession::take(const Closed& closed, Instant now) {
  warn("session_closed", "session closed by the engine: " + closed.reason);
  // In greeting it refuses our Hello, or is about a session that we have given up: no hurry.
  end(has_session() ? now : now + options_.hello_interval);
}

// Of what the old engine was told, `unkept` may have died with it.
void EngineSession::resume(std::vector<MessageBody> unkept, Instant now) {
  if (!has_session() || phase_ == Phase::leaving) return end(now);
  std::vector<AttemptReport> reports;
  std::deque<AttemptProgress> words;
  for (MessageBody& body : unkept) {
    if (auto* sent = std::get_if<Reports>(&body))
      std::move(sent->reports.begin(), sent->reports.end(), std::back_inserter(reports));
    else if (auto* said = std::get_if<Progress>(&body))
      std::move(said->items.begin(), said->items.end(), std::back_inserter(words));
  }
  std::move(reports_.begin(), reports_.end(), std::back_inserter(reports));
  reports_ = std::move(reports);
  std::move(words_.begin(), words_.end(), std::back_inserter(words));
  words_ = std::move(words);
  report_at_ = now;
  returned_.reset();  // it is no longer held, and so goes to others
  heartbeat_at_ = Instant::never();
  heartbeat_sequence_ = 0;
  hello_at_ = now;
  phase_ = Phase::apart;
}

std::vector<HeldAttempts> EngineSession::held() const {
  std::vector<HeldAttempts> held = queue_.held();
  std::vector<HeldAttempts> running = owner_.running(*this);
  held.insert(held.end(), running.begin(), running.end());
  for (const AttemptReport& report : reports_)
    held.push_back({report.range, report.attempt, report.nonce});
  return held;
}

void EngineSession::end(Instant hello_at) {
  owner_.disown(*this);
  queue_.clear();
  held_items_ = 0;
  returned_.reset();
  reports_.clear();
  words_.clear();
  again_.clear();
  said_running_.clear();
  running_changed_ = false;
  id_ = {};
  heartbeat_at_ = Instant::never();
  heartbeat_sequence_ = 0;
  hello_at_ = hello_at;
  phase_ = phase_ == Phase::leaving || phase_ == Phase::gone ? Phase::gone : Phase::apart;
}

void EngineSession::say(AttemptProgress word) {
  if (word.message.size() > error_bytes_max) word.message.resize(error_bytes_max);
  again_.erase(word.task);
  words_.push_back(std::move(word));
  if (words_.size() <= words_waiting_max) return;
  words_.pop_front();
  telemetry_.count("worker_words_left_out", 1);
}

void EngineSession::say_again(AttemptProgress newest) {
  again_[newest.task] = std::move(newest);
}

void EngineSession::forget_progress(const TaskRange& range) {
  again_.erase(again_.lower_bound(range.at(range.begin)), again_.lower_bound(range.at(range.end)));
}

void EngineSession::report(AttemptReport report) {
  if (report.error.size() > error_bytes_max) report.error.resize(error_bytes_max);
  if (!reports_.empty() && joins(reports_.back(), report)) {
    reports_.back().range.end = report.range.end;
    add(reports_.back().times, report.times);
    return;
  }
  if (reports_.empty()) report_at_ = clock_.monotonic() + options_.report_hold;
  reports_.push_back(std::move(report));
}

void EngineSession::decline(const Grant& grant, const std::string& why) {
  telemetry_.count("worker_declined_items", grant.range.size());
  AttemptReport declined;
  declined.range = grant.range;
  declined.attempt = grant.attempt;
  declined.nonce = grant.nonce;
  declined.kind = FailureKind::declined;
  declined.error = why;
  report(std::move(declined));
  report_at_ = {};  // somebody else is to run it
}

void EngineSession::warn(const char* event, const std::string& message) {
  telemetry_.log({.level = LogLevel::warn,
                  .event = event,
                  .message = "worker " + options_.spec.name + ": " + message,
                  .worker = options_.spec.name});
}

Duration EngineSession::heartbeat_interval() const {
  if (options_.spec.lease == Duration::forever()) return Duration::forever();
  return {options_.spec.lease.ns / 3};
}

// The Hello has arrived, but whoever took it may be gone, and the next engine knows nothing of us. (A
// Hello that has not arrived is the link's business.)
bool EngineSession::greeted_in_vain(Instant now) const {
  return phase_ == Phase::greeting && link_.idle() && now - greeted_at_ >= options_.spec.lease;
}

// The lease runs from before the sending of what the engine last acknowledged: whatever the network
// did in between, the engine's own count started later.
void EngineSession::keep(Instant now) {
  if (greeted_in_vain(now)) end(now);
  if (!has_session()) return;
  if (heartbeat_sequence_ != 0 && link_.acknowledged() >= heartbeat_sequence_) {
    lease_from_ = heartbeat_sent_;
    heartbeat_sequence_ = 0;
  }
  if (now - lease_from_ >= options_.spec.lease) {
    warn("lease_lost", "no word from the engine for a lease (" +
                           std::to_string(options_.spec.lease.whole_milliseconds()) +
                           " ms); stopping its attempts");
    telemetry_.count("worker_self_stops", 1);
    end(now);
  }
}

void EngineSession::flush(Instant now) {
  send_what_is_due(now);
  greet_or_leave(now);
  for (Message& message : link_.poll(now)) transport_.send(std::move(message));
}

void EngineSession::say_progress(Instant now) {
  if (words_.empty() && again_.empty() && !running_changed_) return;
  if (now >= progress_at_ && link_.room() > 0) send_progress(now);
}

// What was said before waits until all that was said since has gone: nobody hears an older word after a newer one.
void EngineSession::send_progress(Instant now) {
  Progress progress;
  progress.running = owner_.counted(*this);
  running_changed_ = false;
  if (words_.empty() && again_.empty() && progress.running == said_running_) return;
  said_running_ = progress.running;
  const uint64_t room = std::min(link_.room(), progress_bytes_full);
  for (uint64_t bytes = 0; !words_.empty() && bytes < room; words_.pop_front()) {
    bytes += sizeof(AttemptProgress) + words_.front().message.size();
    progress.items.push_back(std::move(words_.front()));
  }
  if (words_.empty()) {
    for (auto& [task, one] : again_) progress.items.push_back(std::move(one));
    again_.clear();
  }
  progress_at_ = now + options_.progress_interval;
  (void)link_.send(std::move(progress)).ok();
}

// As many to a body as it carries; what the link has no room for waits. A report of many items goes in parts.
void EngineSession::say_reports() {
  auto next = reports_.begin();
  while (next != reports_.end() && link_.room() > 0) {
    const uint64_t room = std::min(link_.room(), body_bytes_full);
    Reports body;
    for (uint64_t bytes = 0; next != reports_.end() && bytes < room;) {
      const ItemIndex end = next->range.end;
      body.reports.push_back(take_first(*next, room - bytes));
      bytes += carried_bytes(body.reports.back());
      if (body.reports.back().range.end == end) ++next;
    }
    (void)link_.send(std::move(body)).ok();
  }
  reports_.erase(reports_.begin(), next);
}

void EngineSession::say_heartbeat(Instant now) {
  heartbeat_at_ = now + heartbeat_interval();
  if (heartbeat_sequence_ != 0) return;  // one on its way is enough
  heartbeat_sequence_ = link_.send(Heartbeat{owner_.usage(now)}).value();
  heartbeat_sent_ = now;
}

// Whoever leaves says so before it gives back what it has not begun: it would get it again.
void EngineSession::give_back(Instant now) {
  if (!said_leaving_ && heartbeat_sequence_ == 0) {
    say_heartbeat(now);
    said_leaving_ = true;
  }
  if (!said_leaving_ || queue_.empty()) return;
  if (!returned_) returned_.emplace();
  std::vector<HeldAttempts> held = queue_.held();
  returned_->attempts.insert(returned_->attempts.end(), held.begin(), held.end());
  telemetry_.count("worker_returned_items", queue_.items());
  held_items_ -= queue_.items();
  queue_.clear();
}

void EngineSession::send_what_is_due(Instant now) {
  if (phase_ != Phase::serving || link_.full()) return;
  if (owner_.draining()) give_back(now);
  if (link_.full()) return;
  if (returned_) (void)link_.send(*std::exchange(returned_, std::nullopt)).ok();
  if (link_.full()) return;
  if (!reports_.empty() && (now >= report_at_ || !owner_.reports_can_wait())) {
    while (!words_.empty() && link_.room() > 0)
      send_progress(now);  // those of what has ended are among them
    if (words_.empty()) say_reports();
  }
  say_progress(now);
  if (now >= heartbeat_at_ && !link_.full()) say_heartbeat(now);
}

void EngineSession::greet_or_leave(Instant now) {
  if (phase_ == Phase::leaving && link_.idle()) phase_ = Phase::gone;
  if (link_.full() || !may_greet()) return;
  bool draining = owner_.draining();
  if (draining && phase_ != Phase::leaving && phase_ != Phase::gone && reports_.empty() &&
      !owner_.runs_any(*this)) {
    bool known = phase_ == Phase::serving || phase_ == Phase::greeting;
    phase_ = known && link_.peer_incarnation() != 0 ? Phase::leaving : Phase::gone;
    if (phase_ == Phase::leaving) (void)link_.send(Goodbye{}).ok();
    return;
  }
  if (phase_ == Phase::apart && (!draining || has_session()) && now >= hello_at_) {
    phase_ = Phase::greeting;
    greeted_at_ = now;
    Hello hello{options_.spec, id_, {}};
    if (has_session()) hello.held = held();
    (void)link_.send(std::move(hello)).ok();
  }
}

}  // namespace pawl
