#include "pawl/engine/engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pawl/engine/running.h"
#include "pawl/partition/describe.h"
#include "pawl/partition/snapshot.h"
#include "pawl/partition/stored.h"
#include "pawl/wire/event_codec.h"
#include "pawl/wire/task_json.h"

namespace pawl {
namespace {

uint64_t inline_bytes(const Payload& payload) {
  return payload.is_blob() ? 0 : payload.size();
}

bool is_staged(const Payload& input) {
  return input.is_blob() && !input.ref().owner;
}

// What a command brings into its group's record; all else of an event is small.
uint64_t carried_bytes(const Command& command) {
  if (const auto* workflow = std::get_if<RegisterWorkflow>(&command))
    return workflow->definition.size();
  if (const auto* submit = std::get_if<SubmitExecution>(&command))
    return inline_bytes(submit->input) + submit->labels.size();
  if (const auto* evaluated = std::get_if<ReportEvaluation>(&command))
    return inline_bytes(evaluated->value);
  uint64_t bytes = 0;
  if (const auto* reported = std::get_if<ReportAttempts>(&command)) {
    for (const AttemptReport& report : reported->reports) bytes += carried_bytes(report);
  }
  return bytes;
}

Status known_here(const State& state, View& view, ExecutionId id) {
  Result<bool> known = exists(state, view, id);
  if (!known.ok()) return known.error();
  if (!*known) return unknown_execution(state, id);
  return {};
}

std::vector<Belongings*> places_of(const EnginePorts& ports) {
  std::vector<Belongings*> places = ports.belongings;
  places.insert(places.begin(), &ports.blob);
  return places;
}

}  // namespace

Engine::Engine(EnginePorts ports, EngineOptions options, std::unique_ptr<Background> background)
    : ports_(ports),
      options_(options),
      lines_(ports.telemetry),
      dice_(options.seed),
      requests_(ports.loop),
      messages_(ports.loop),
      grant_questions_(ports.loop),
      peers_(ports.transport, options.address, options.limits, options.link,
             options.reconnect_grace, options.slot.slots),
      evaluations_(ports.evaluator, ports.blob, ports.clock, ports.loop, options.limits,
                   std::move(background)),
      sweeper_(places_of(ports)) {
  inbox_drain_.begin(ports_.clock.monotonic());
}

Engine::~Engine() {
  attach_capacity(nullptr);
  ports_.transport.unbind(options_.address);
}

Instant Engine::now() const {
  return started_at_ + (ports_.clock.monotonic() - started_clock_);
}

bool Engine::idle() const {
  return gathering_.empty() && !in_flight_ && inbox_.empty() && requests_.empty() &&
         ports_.evaluations.empty() && messages_.empty() && letters_.empty() &&
         !peers_.has_wishes() && !evaluations_.has_done() && !checkpoint_ &&
         !checkpoint_in_flight_ && !sweeper_.dropping();
}

Instant Engine::deadline() const {
  if (failure_) return Instant::never();
  Instant next = peers_.deadline();
  // A gathering group has its time already; what is due later comes with the group after it.
  Instant timer = gathering_.empty() ? partition_->next_timer() : Instant::never();
  if (timer != Instant::never()) next = std::min(next, started_clock_ + (timer - started_at_));
  if (retry_checkpoint_at_ != Instant::never()) next = std::min(next, retry_checkpoint_at_);
  return std::min({next, ports_.log.idle_deadline(), evaluations_.deadline()});
}

void Engine::open_group() {
  if (gathering_.open) return;
  gathering_.open = true;
  gathering_.opened = ports_.clock.monotonic();
  partition_->begin_group(std::max(now(), partition_->state().now), ports_.clock.wall());
}

bool Engine::group_full() const {
  return gathering_.commands >= options_.limits.group_commands_max ||
         gathering_.bytes >= options_.limits.group_bytes_max;
}

// Whoever had to be heard while nobody listened is not judged by that time (a stopped process, a machine
// that swaps): see Tick.
bool Engine::turn() {
  Instant begin = ports_.clock.monotonic();
  if (begin > promised_) late_ = late_ + (begin - promised_);
  bool more = work();
  promised_ = more ? ports_.clock.monotonic() : deadline();
  return more;
}

bool Engine::work() {
  if (!failure_) take_log_answers();
  if (!failure_) {
    take_messages();
    take_grant_questions();
    take_evaluations();
    tick_if_due();  // before what waits to be let in, and however much that is
    take_requests();
    come_if_called();
    commit();
  }
  bool more = !failure_ && checkpoint();
  more |= partition_->evict();
  if (failure_) {
    grant_questions_.take_all(grant_batch_);
    grant_batch_.clear();  // nobody can tell any more
    refuse_requests();
    return false;
  }
  Instant clock = ports_.clock.monotonic();
  if (!in_flight_ && ports_.log.idle_deadline() <= clock) ports_.log.idle();
  look_at_space();
  peers_.flush(clock);
  sweeper_.work(partition_->state(), ports_.view, ports_.telemetry);
  more |= sweeper_.dropping() || sweeper_.sweeping();
  bool waiting = !inbox_.empty() || !letters_.empty();
  return more || (waiting && !group_full()) || evaluations_.has_done() || peers_.has_wishes() ||
         (!gathering_.empty() && !in_flight_);
}

void Engine::take_log_answers() {
  std::optional<AppendDone> done = ports_.log.poll();
  if (!done) return;
  PAWL_CHECK(in_flight_ && in_flight_->position == done->position, "an answer to no append");
  if (done->outcome != AppendOutcome::ok) {
    bool conflict = done->outcome == AppendOutcome::conflict;
    fail({conflict ? Code::aborted : Code::unknown,
          conflict ? "another owner has taken this log over: " + done->error : done->error});
    return;
  }
  durable_ = done->position;
  counted_.commit.observe(ports_.clock.monotonic() - in_flight_->handed);
  Gathering released = std::move(*in_flight_);
  in_flight_.reset();
  release(released);
}

void Engine::take_messages() {
  messages_.take_all(message_batch_);
  std::move(message_batch_.begin(), message_batch_.end(), std::back_inserter(letters_));
  Instant clock = ports_.clock.monotonic();
  for (; !letters_.empty() && !group_full(); letters_.pop_front()) {
    peers_.deliver(std::move(letters_.front()), clock);
    run_wishes();
  }
  if (letters_.empty()) peers_.give_up_unreachable(clock);  // it may have written since
  run_wishes();
  std::vector<Peers::Heard> heard = peers_.take_heard();
  if (!heard.empty()) open_group();
  gathering_.heard.insert(gathering_.heard.end(), heard.begin(), heard.end());
}

void Engine::run_wishes() {
  if (!peers_.has_wishes()) return;
  for (const Peers::Wish& wish : peers_.take_wishes()) run(wish.command, wish.ticket);
}

void Engine::take_grant_questions() {
  grant_questions_.take_all(grant_batch_);
  for (GrantQuestion& question : grant_batch_)
    question.answer.set_value(held_by(question.party, question.execution));
  grant_batch_.clear();
}

GrantHeld Engine::held_by(const GrantParty& party, ExecutionId execution) const {
  GrantHeld held = GrantHeld::no;
  const State& state = partition_->state();
  const Execution* found = state.executions.find(execution);
  if (found == nullptr) return held;
  for (const NodeRun& run : found->nodes) {
    if (!run.work) continue;
    for (const OpenRange& range : run.work->open) {
      const std::string& shown = state.sessions.at(range.session).worker.certificate;
      if (!shown.empty() && shown == party.certificate) return GrantHeld::yes;
      Address address = peers_.address_of(range.session);
      if (std::find(party.addresses.begin(), party.addresses.end(), address) !=
          party.addresses.end())
        return GrantHeld::yes;
      if (shown.empty() && address == 0) held = GrantHeld::perhaps;
    }
  }
  return held;
}

void Engine::take_evaluations() {
  ports_.evaluations.take_all(evaluation_batch_);
  for (Evaluation& evaluation : evaluation_batch_) {
    evaluations_.finish(std::move(evaluation));
  }
  evaluations_.store_again();
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  for (ReportEvaluation& report : done) run(report, 0);
}

void Engine::take(Request& request) {
  Ticket ticket = request.ticket;
  if (Status admitted = confine(request); !admitted.ok())
    return refuse_foreign(request, admitted.error());
  if (auto* command = std::get_if<Command>(&request.what)) return run(*command, ticket);
  if (auto* whole = std::get_if<RunExecution>(&request.what)) {
    stoppable_[ticket] = {};
    return run(std::move(whole->submit), ticket);
  }
  if (auto* stop = std::get_if<StopWaiting>(&request.what)) return stop_waiting(stop->waiting);
  open_group();
  ++gathering_.queries;
  if (auto* query = std::get_if<Query>(&request.what)) {
    gathering_.responses.push_back({ticket, answer_query(*query, request.name_space)});
  } else if (auto* await = std::get_if<AwaitExecution>(&request.what)) {
    gathering_.awaits.emplace_back(Waiter{ticket}, await->execution);
  } else if (auto* read = std::get_if<ReadHistory>(&request.what)) {
    if (read->wait) {
      stoppable_[ticket] = read->execution;
      gathering_.listeners.push_back({ticket, *read});
    } else {
      gathering_.responses.push_back({ticket, history_of(*read)});
    }
  } else if (auto* progress = std::get_if<GetProgress>(&request.what)) {
    Status known = known_here(partition_->state(), ports_.view, progress->execution);
    if (!known.ok()) return refuse(ticket, {known.error().code, known.error().message, 0});
    gathering_.responses.push_back({ticket, progress_of(*progress)});
  }
}

QueryResult Engine::answer_query(const Query& query, const std::string& name_space) {
  if (const auto* list = std::get_if<ListExecutions>(&query)) {
    QueryResult page = list_executions(partition_->state(), ports_.view, *list, name_space);
    tell_running(page, peers_);
    return page;
  }
  if (Status loaded = load_named(partition_->restoring(), ports_.view, query); !loaded.ok())
    return loaded.error();
  if (std::holds_alternative<ListQueues>(query)) partition_->drop_stale();
  QueryResult result = answer(partition_->state(), query, name_space);
  tell_running(result, peers_);
  if (auto* task = std::get_if<TaskDetail>(&result); task != nullptr && task->context) {
    RunContextRef context = std::exchange(task->context, nullptr);
    task->message = Payload::inline_json(to_json(TaskMessages(*context).of(task->task.item)));
  }
  return result;
}

History Engine::history_of(const ReadHistory& query) {
  Status known = known_here(partition_->state(), ports_.view, query.execution);
  if (!known.ok()) return {known.error(), {}, false};
  return history_.read(ports_.view, query.execution, query.after, query.limit, durable_);
}

ProgressList Engine::progress_of(const GetProgress& query) const {
  ProgressList list;
  const auto& sessions = partition_->state().sessions;
  for (Peers::Word& word :
       peers_.progress(query.execution, query.limit, ports_.clock.monotonic())) {
    auto session = sessions.find(word.session);
    if (session == sessions.end()) continue;  // over: what it ran is granted anew
    list.tasks.push_back({std::move(word.progress), session->second.worker.name});
  }
  for (const auto& [node, count] : peers_.running(query.execution))
    list.running.push_back({query.execution, node, static_cast<uint32_t>(count)});
  if (!query.words_after) return list;
  Words::Page page = peers_.words().read(query.execution, *query.words_after, query.limit);
  list.words = std::move(page.words);
  list.words_cursor = page.cursor;
  return list;
}

// A full disk refuses new work early; results, cancellations and deletions are still taken, for
// which room is kept, and what has been accepted before gets the answer that it had. When there will be room
// nobody knows: whoever is refused comes again when it has lasted twice as long.
std::optional<Reply> Engine::refuse_for_space(const Command& command) {
  bool new_work = std::holds_alternative<SubmitExecution>(command) ||
                  std::holds_alternative<RegisterWorkflow>(command);
  if (!new_work || ports_.log.space() == DiskSpace::plenty || partition_->known(command))
    return std::nullopt;
  look_at_space();
  Random dice(dice_.next());
  const Duration wait = told_wait(ports_.clock.monotonic() - full_since_, dice);
  return Reply{Code::resource_exhausted,
               std::string(almost_full) + "; try again in " + in_words(wait), 0, wait};
}

void Engine::run(const Command& command, Ticket ticket) {
  open_group();
  ++gathering_.commands;
  ++counted_.commands;
  gathering_.bytes += carried_bytes(command);
  if (Status loaded = load_named(partition_->restoring(), ports_.view, command); !loaded.ok())
    return refuse(ticket, {loaded.error().code, loaded.error().message, 0});
  const auto* submit = std::get_if<SubmitExecution>(&command);
  if (auto refusal = refuse_for_space(command)) {
    if (submit != nullptr) ++counted_.shed[static_cast<size_t>(Shed::disk)];
    return refuse(ticket, std::move(*refusal));
  }
  if (submit != nullptr && is_staged(submit->input)) return submit_staged(*submit, ticket);
  partition_->step(command, ticket, dice_.next(), gathering_.out);
  const auto* resume = std::get_if<ResumeSession>(&command);
  if (resume != nullptr && partition_->state().sessions.contains(resume->session))
    gathering_.lines.push_back(lines_.resumed(resume->session));
}

// Without the partition having been asked.
void Engine::refuse(Ticket ticket, Reply reply) {
  stoppable_.erase(ticket);
  if (ticket != 0) gathering_.responses.push_back({ticket, std::move(reply)});
}

// The input becomes the execution's own before the event that refers to it exists. What nobody comes
// to refer to is dropped here, or after a crash by the next start.
void Engine::submit_staged(SubmitExecution submit, Ticket ticket) {
  const BlobRef staged = submit.input.ref();
  const ExecutionId next = partition_->state().next_execution();
  const BlobRef own{next, input_blob_sequence, staged.size, staged.hash};
  if (Status adopted = ports_.blob.adopt(staged, own); !adopted.ok()) {
    bool gone = adopted.error().code == Code::not_found;
    return refuse(
        ticket,
        {gone ? Code::unavailable : adopted.error().code,
         "the input could not be taken over (" + adopted.error().message + "); submit again", 0});
  }
  submit.input = Payload::blob(own);
  partition_->step(std::move(submit), ticket, dice_.next(), gathering_.out);
  bool accepted = partition_->state().last_execution == next.value;
  if (!accepted) (void)ports_.blob.drop_owner(next);
}

void Engine::tick_if_due() {
  Instant due = partition_->next_timer();
  Instant time = gathering_.open ? partition_->state().now : now();
  if (due == Instant::never() || time < due) return;
  run(Tick{std::exchange(late_, {})}, 0);
}

// Closes the gathering group and hands it to the log, unless one is still in flight.
void Engine::commit() {
  if (gathering_.empty() || in_flight_) return;
  bool nobody_works = partition_->state().granted.empty();
  schedule();
  Gathering group = std::exchange(gathering_, {});
  counted_.take(group.out, now());
  if (group.out.events.empty()) {
    release(group);
    return;
  }
  group.position = ++position_;
  const State& state = partition_->state();
  std::vector<LogLine> lines = lines_.of(group.out.events, state);
  std::move(lines.begin(), lines.end(), std::back_inserter(group.lines));
  Bytes encoded =
      encode(Group{group.position, epoch_, state.now, state.wall, std::move(group.out.events)});
  group.out.events.clear();
  log_bytes_since_checkpoint_ += encoded.size();
  ++counted_.commits;
  counted_.commit_bytes += encoded.size();
  group.handed = ports_.clock.monotonic();
  history_.add(group.position, encoded);
  in_flight_ = std::move(group);
  // With nothing else to do, waiting for the disk here is faster than being woken.
  bool nothing_else = nobody_works && inbox_.empty() && requests_.empty();
  ports_.log.append(position_, std::move(encoded),
                    nothing_else ? AppendMode::blocking : AppendMode::overlapped);
  if (nothing_else) take_log_answers();
}

void Engine::release(Gathering& group) {
  counted_.answer.observe(ports_.clock.monotonic() - group.opened, group.commands + group.queries);
  for (Response& response : group.responses) ports_.clients.put(std::move(response));
  for (const Effect& effect : group.out.effects) release(effect);
  for (auto& [waiter, id] : group.awaits) wait_for(waiter, id);
  if (!listeners_.empty()) tell_listeners(group.position);
  for (const Listener& listener : group.listeners) listen(listener);
  for (const LogLine& line : group.lines) ports_.telemetry.log(line);
  for (const Peers::Heard& heard : group.heard) peers_.keep(heard, ports_.clock.monotonic());
}

// The state runs ahead of the log: the end that it shows may not be durable yet.
bool Engine::settles_in_gathering(ExecutionId id) const {
  return std::any_of(gathering_.out.effects.begin(), gathering_.out.effects.end(),
                     [&](const Effect& effect) {
                       const auto* settled = std::get_if<Settled>(&effect);
                       return settled != nullptr && settled->execution == id;
                     });
}

bool Engine::may_go_on(ExecutionId id) const {
  const Execution* execution = partition_->state().executions.find(id);
  return execution != nullptr && (!execution->ended_already() || settles_in_gathering(id));
}

// Only what is durable is read, so an end that is not yet is still waited for.
void Engine::listen(const Listener& listener) {
  History history = history_of(listener.query);
  bool nothing = history.status.ok() && history.entries.empty();
  ExecutionId id = listener.query.execution;
  if (nothing && stoppable_.contains(listener.ticket) && may_go_on(id)) {
    listeners_[id].push_back(listener);
    return;
  }
  stoppable_.erase(listener.ticket);
  ports_.clients.put({listener.ticket, std::move(history)});
}

void Engine::tell_listeners(uint64_t position) {
  for (ExecutionId id : history_.spoken_of(position)) {
    auto here = listeners_.extract(id);
    if (here.empty()) continue;
    for (const Listener& listener : here.mapped()) listen(listener);
  }
}

void Engine::stop_waiting(Ticket ticket) {
  auto found = stoppable_.find(ticket);
  if (found == stoppable_.end()) return;
  ExecutionId id = found->second;
  stoppable_.erase(found);  // what has not come as far as to wait does not begin to
  auto mine = [&](const auto& one) { return one.ticket == ticket; };
  if (auto waiting = waiters_.find(id);
      waiting != waiters_.end() && std::erase_if(waiting->second, mine) > 0) {
    if (waiting->second.empty()) waiters_.erase(waiting);
    ports_.clients.put({ticket, Reply{Code::ok, name(ExecutionStatus::running), id.value}});
  } else if (auto listening = listeners_.find(id);
             listening != listeners_.end() && std::erase_if(listening->second, mine) > 0) {
    if (listening->second.empty()) listeners_.erase(listening);
    ports_.clients.put({ticket, History{}});
  }
}

bool Engine::forgotten_in_gathering(ExecutionId id) const {
  return std::any_of(gathering_.out.effects.begin(), gathering_.out.effects.end(),
                     [&](const Effect& effect) {
                       const auto* drop = std::get_if<DropBelongings>(&effect);
                       return drop != nullptr && drop->execution == id;
                     });
}

void Engine::wait_for(const Waiter& waiter, ExecutionId id) {
  // Only the state that is ahead of the log has lost it: asked again once that is durable.
  if (forgotten_in_gathering(id)) return void(gathering_.awaits.emplace_back(waiter, id));
  Status loaded = load_execution(partition_->restoring(), ports_.view, id);
  const Execution* execution = partition_->state().executions.find(id);
  if (!loaded.ok()) {
    stoppable_.erase(waiter.ticket);
    ports_.clients.put({waiter.ticket, Reply{loaded.error().code, loaded.error().message, 0}});
  } else if (execution == nullptr) {
    stoppable_.erase(waiter.ticket);
    ports_.clients.put({waiter.ticket, no_execution(partition_->state(), id)});
  } else if (execution->status == ExecutionStatus::running || settles_in_gathering(id)) {
    waiters_[id].push_back(waiter);
  } else {
    answer_settled(waiter, id, execution->status);
  }
}

void Engine::answer_settled(const Waiter& waiter, ExecutionId id, ExecutionStatus status) {
  if (waiter.detail) stoppable_.erase(waiter.ticket);
  if (waiter.detail && status >= ExecutionStatus::succeeded) {
    ports_.clients.put({waiter.ticket, answer_query(GetExecution{id}, "")});
  } else {
    ports_.clients.put({waiter.ticket, Reply{Code::ok, name(status), id.value}});
  }
}

void Engine::release(const Effect& effect) {
  if (const auto* answer = std::get_if<Answer>(&effect)) {
    if (peers_.opened(answer->ticket, answer->reply)) {
      worker_came_ = true;
      return;
    }
    if (auto run = stoppable_.find(answer->ticket); run != stoppable_.end()) {
      run->second = ExecutionId{answer->reply.number};
      if (answer->reply.code == Code::ok)
        return wait_for({answer->ticket, true}, ExecutionId{answer->reply.number});
      stoppable_.erase(run);
    }
    ports_.clients.put({answer->ticket, answer->reply});
  } else if (const auto* dispatch = std::get_if<Dispatch>(&effect)) {
    measure_wait(dispatch->grant);
    peers_.grant(dispatch->grant);
  } else if (const auto* stop = std::get_if<Stop>(&effect)) {
    peers_.stop(*stop);
  } else if (const auto* recall = std::get_if<TakeBack>(&effect)) {
    peers_.take_back(*recall);
  } else if (const auto* evaluate = std::get_if<Evaluate>(&effect)) {
    evaluations_.start(*evaluate);
  } else if (const auto* hangup = std::get_if<Hangup>(&effect)) {
    peers_.hang_up(*hangup);
  } else if (const auto* settled = std::get_if<Settled>(&effect)) {
    if (settled->status >= ExecutionStatus::succeeded) evaluations_.give_up(settled->execution);
    settle_waiters(*settled);
  } else if (const auto* drop = std::get_if<DropBelongings>(&effect)) {
    sweeper_.drop(drop->execution);
  }
}

void Engine::settle_waiters(const Settled& settled) {
  auto waiting = waiters_.find(settled.execution);
  if (waiting == waiters_.end()) return;
  // Parked and redriven meanwhile: it will settle again.
  const Execution* execution = partition_->state().executions.find(settled.execution);
  if (execution != nullptr && execution->status == ExecutionStatus::running) return;
  bool forgotten = forgotten_in_gathering(settled.execution);
  for (const Waiter& waiter : waiting->second) {
    if (forgotten && waiter.detail)
      gathering_.awaits.emplace_back(waiter, settled.execution);
    else
      answer_settled(waiter, settled.execution, settled.status);
  }
  waiters_.erase(waiting);
}

// Nobody is left without an answer; whether it took effect only the log can tell.
Reply Engine::stopped() const {
  return {Code::unknown,
          "the partition has stopped (" + failure_->message +
              "); whether this took effect can be seen once it is open again",
          0};
}

void Engine::refuse_requests() {
  requests_.take_all(request_batch_);
  for (Request& request : request_batch_) {
    if (!answer_figures(request) && request.ticket != 0)
      ports_.clients.put({request.ticket, stopped()});
  }
}

void Engine::give_up(Gathering& group) {
  for (Response& response : group.responses) ports_.clients.put({response.ticket, stopped()});
  for (const Effect& effect : group.out.effects) {
    const auto* answer = std::get_if<Answer>(&effect);
    if (answer != nullptr && !peers_.opened(answer->ticket, stopped()))
      ports_.clients.put({answer->ticket, stopped()});
  }
  for (auto& [waiter, id] : group.awaits) ports_.clients.put({waiter.ticket, stopped()});
  for (const Listener& listener : group.listeners) ports_.clients.put({listener.ticket, stopped()});
  group = {};
}

void Engine::fail(Error error) {
  attach_capacity(nullptr);
  ports_.telemetry.log({.level = LogLevel::error,
                        .event = "partition_stopped",
                        .message = "partition stopped: " + error.message});
  failure_ = std::move(error);
  if (in_flight_) give_up(*in_flight_);
  in_flight_.reset();
  give_up(gathering_);
  for (Request& request : inbox_) {
    if (request.ticket != 0) ports_.clients.put({request.ticket, stopped()});
  }
  inbox_.clear();
  for (auto& [id, waiters] : waiters_) {
    for (const Waiter& waiter : waiters) ports_.clients.put({waiter.ticket, stopped()});
  }
  waiters_.clear();
  for (auto& [id, listeners] : listeners_) {
    for (const Listener& listener : listeners) ports_.clients.put({listener.ticket, stopped()});
  }
  listeners_.clear();
  stoppable_.clear();
}

}  // namespace pawl
