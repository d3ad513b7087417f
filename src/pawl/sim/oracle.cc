#include "pawl/sim/oracle.h"

#include <algorithm>
#include <charconv>

#include "pawl/sim/value_model.h"
#include "pawl/wire/event_codec.h"

namespace pawl::sim {
namespace {

// The execution a request speaks of, if it speaks of one.
ExecutionId subject(const Request& request) {
  if (const auto* command = std::get_if<Command>(&request.what)) {
    if (const auto* c = std::get_if<CancelExecution>(command)) return c->execution;
    if (const auto* c = std::get_if<CancelTask>(command)) return c->task.execution;
    if (const auto* c = std::get_if<RedriveDeadLetters>(command)) return c->which.execution;
    if (const auto* c = std::get_if<DiscardDeadLetters>(command)) return c->which.execution;
    if (const auto* c = std::get_if<ForgetExecution>(command)) return c->execution;
  } else if (const auto* query = std::get_if<Query>(&request.what)) {
    if (const auto* q = std::get_if<GetExecution>(query)) return q->execution;
    if (const auto* q = std::get_if<Explain>(query)) return q->execution;
  } else if (const auto* await = std::get_if<AwaitExecution>(&request.what)) {
    return await->execution;
  } else if (const auto* read = std::get_if<ReadHistory>(&request.what)) {
    return read->execution;
  } else if (const auto* progress = std::get_if<GetProgress>(&request.what)) {
    return progress->execution;
  }
  return {};
}

// Where a submission goes: whoever is confined cannot send it elsewhere.
RequestKey key_of(const Request& request, const SubmitExecution& submit) {
  return {request.name_space.empty() ? submit.name_space : request.name_space, submit.request_id};
}

// What an answer says of an execution that must not exist for whoever asked; empty: that.
std::string betrayal(const Response& response, ExecutionId id) {
  Error error;
  if (const auto* reply = std::get_if<Reply>(&response.what)) error = error_of(*reply);
  if (const auto* progress = std::get_if<ProgressList>(&response.what))
    return progress->tasks.empty() ? "" : "progress";
  if (const auto* history = std::get_if<History>(&response.what))
    if (!history->status.ok()) error = history->status.error();
  if (const auto* result = std::get_if<QueryResult>(&response.what))
    if (const auto* refused = std::get_if<Error>(result)) error = *refused;
  if (error.code == Code::unknown || error.code == Code::resource_exhausted) return "";
  bool right =
      error.code == Code::not_found && error.message.starts_with("no execution " + to_text(id));
  return right ? "" : std::string(name(error.code)) + ": " + error.message;
}

// What tells an event of a kind from its neighbours, for the trace.
uint64_t detail(const Event& event) {
  if (const auto* e = std::get_if<AttemptsGranted>(&event))
    return e->session.value << 32 | uint64_t{e->range.node} << 16 | e->range.begin;
  if (const auto* e = std::get_if<AttemptsSucceeded>(&event))
    return uint64_t{e->range.node} << 16 | e->range.begin;
  if (const auto* e = std::get_if<AttemptFailed>(&event))
    return uint64_t{e->range.node} << 16 | e->range.begin;
  if (const auto* e = std::get_if<SessionOpened>(&event)) return e->session.value;
  if (const auto* e = std::get_if<SessionClosed>(&event)) return e->session.value;
  return 0;
}

bool is_forget(const Request& request) {
  const auto* command = std::get_if<Command>(&request.what);
  return command != nullptr && std::holds_alternative<ForgetExecution>(*command);
}

const SubmitExecution* submission_in(const Request& request) {
  if (const auto* run = std::get_if<RunExecution>(&request.what)) return &run->submit;
  const auto* command = std::get_if<Command>(&request.what);
  return command != nullptr ? std::get_if<SubmitExecution>(command) : nullptr;
}

// The number that stands behind `word`; nothing where there is none.
std::optional<uint64_t> number_after(const std::string& text, const std::string& word) {
  size_t at = text.find(word);
  if (at == std::string::npos) return std::nullopt;
  uint64_t number = 0;
  const char* begin = text.data() + at + word.size();
  auto read = std::from_chars(begin, text.data() + text.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

bool transient(Code code) {
  return code == Code::unknown || code == Code::resource_exhausted || code == Code::unavailable;
}

}  // namespace

void Oracle::violate(const char* invariant, std::string what) {
  universe_.violate(invariant, std::move(what));
}

void Oracle::handed(uint64_t position, uint64_t epoch, const Bytes& payload) {
  universe_.note("append", position, payload.size(), epoch);
  if (position != durable_ + 1)
    violate("I6", "a group is appended at " + std::to_string(position) + " while " +
                      std::to_string(durable_) + " is the newest durable one");
  if (pending_ && !log_failed_) violate("I6", "two groups are on their way at the same time");
  if (log_failed_) violate("I19", "a group is appended to a log that has failed");
  pending_ = Pending{position, epoch, payload, universe_.now()};
}

void Oracle::acknowledged(uint64_t position) {
  universe_.note("durable", position);
  if (log_failed_)
    violate("I19", "a log that has failed acknowledges group " + std::to_string(position));
  if (!pending_ || pending_->position != position)
    return violate("I17", "the log acknowledges group " + std::to_string(position) +
                              ", which is not on its way");
  last_acknowledged_ = universe_.now();
  apply(*pending_);
  pending_.reset();
}

void Oracle::log_failed() {
  universe_.note("log failed");
  log_failed_ = true;
}

void Oracle::apply(const Pending& pending) {
  durable_ = pending.position;
  largest_group_ = std::max<uint64_t>(largest_group_, pending.payload.size());
  history_.push_back({pending.position, pending.epoch, pending.payload});
  auto group = decode_group(pending.position, pending.epoch, pending.payload);
  if (!group.ok()) return violate("I18", "a group that cannot be read: " + group.error().message);
  for (const Event& event : group->events) {
    universe_.note(kind_name(event), execution_of(event).value, detail(event), group->position);
    const auto* submitted = std::get_if<ExecutionSubmitted>(&event);
    if (submitted != nullptr && !submitted->request_id.empty() &&
        denied_.contains({submitted->name_space, submitted->request_id}))
      violate("I7", "request \"" + submitted->request_id +
                        "\" takes effect, but its client was told that it does not");
    if (const auto* closed = std::get_if<SessionClosed>(&event)) check_accused(*closed, group->now);
  }
  // The duration clock counts running time: it is never faster than time itself. A group's time is
  // that of its first command, which came after the group before was handed over.
  Duration counted = group->now - clock_then_;
  Duration passed = pending.handed_at - handed_before_;
  if (counted > passed)
    violate("I12", "the duration clock went " + std::to_string(counted.whole_milliseconds()) +
                       " ms ahead in " + std::to_string(passed.whole_milliseconds()) +
                       " ms: timers fire early");
  clock_then_ = group->now;
  handed_before_ = handed_then_;
  handed_then_ = pending.handed_at;
  if (auto broken = model_.apply(*group))
    universe_.violate(std::move(broken->invariant), std::move(broken->what));
}

void Oracle::stands_still(Instant until) {
  Instant now = universe_.now();
  if (!stood_still_ || stood_still_->to < now) stood_still_ = Standstill{now, now};
  stood_still_->to = std::max(stood_still_->to, until);
}

// Whoever stood still for a whole lease has heard nobody meanwhile: it listens for a heartbeat's time, a
// third of the lease, before it takes anybody for dead. `clock`: when that was decided.
void Oracle::check_accused(const SessionClosed& closed, Instant clock) {
  const SessionModel* session = model_.session(closed.session);
  if (session == nullptr || !stood_still_ || closed.reason != "its lease ran out") return;
  const Duration lease = session->worker.lease;
  const Duration lasted = stood_still_->to - stood_still_->from;
  const Instant decided = life_began_ + (clock - life_clock_);
  const Duration listened = decided - stood_still_->to;
  if (lasted < lease || listened < Duration{} || listened.ns >= lease.ns / 3) return;
  violate("I29", "worker " + session->worker.name + " is taken for dead after " +
                     std::to_string(lease.whole_milliseconds()) +
                     " ms of silence, of which the engine itself stood still for " +
                     std::to_string(lasted.whole_milliseconds()) + " ms and listened for " +
                     std::to_string(listened.whole_milliseconds()) + " ms since");
}

void Oracle::recovered(uint64_t first, const std::vector<LogGroup>& groups) {
  ++lives_;
  log_failed_ = false;
  uint64_t expected = first;
  for (const LogGroup& group : groups) {
    if (group.position != expected++)
      return violate("I17", "after a restart the log has group " + std::to_string(group.position) +
                                " where " + std::to_string(expected - 1) + " must be");
    if (group.position <= durable_) {
      const LogGroup& known = history_.at(group.position - 1);
      if (known.payload != group.payload || known.epoch != group.epoch)
        return violate("I18", "after a restart group " + std::to_string(group.position) +
                                  " reads differently from what was acknowledged");
      continue;
    }
    bool ours = pending_ && pending_->position == group.position &&
                pending_->payload == group.payload && pending_->epoch == group.epoch;
    if (!ours)
      return violate("I2", "after a restart the log has group " + std::to_string(group.position) +
                               ", which nobody wrote");
    universe_.reached(Sometimes::unacknowledged_group_survived);
    apply(*pending_);
  }
  pending_.reset();
  stood_still_.reset();
  life_began_ = universe_.now();
  life_clock_ = clock_then_;
  for (ExecutionId id : unanswered_forgets_)
    universe_.coverage.reached_if(forgotten(id), Sometimes::forgotten_under_a_crash);
  unanswered_forgets_.clear();
  uint64_t tail = first + groups.size() - 1;
  if (tail < durable_)
    violate("I17", "after a restart the log ends at group " + std::to_string(tail) + ", but " +
                       std::to_string(durable_) + " was acknowledged");
}

void Oracle::took_over(uint64_t epoch) {
  if (epoch <= epoch_)
    violate("I6", "epoch " + std::to_string(epoch) + " after " + std::to_string(epoch_));
  epoch_ = epoch;
}

void Oracle::note_ask(const Request& request, const SubmitExecution& submit) {
  RequestKey key = key_of(request, submit);
  ledger_.submits.insert({key, submit.payload_hash, submit.workflow});
  denied_.erase(key);
}

bool Oracle::foreign(const Request& request) const {
  const ExecutionModel* known = model_.find(subject(request));
  return known != nullptr && !request.name_space.empty() && known->name_space != request.name_space;
}

void Oracle::check_foreign(const Question& question, const Response& response) {
  ExecutionId id = subject(question.request);
  universe_.reached(Sometimes::foreign_execution_not_found);
  if (std::string said = betrayal(response, id); !said.empty())
    violate("I23", to_text(id) + " is of another namespace than " + question.request.name_space +
                       ", which was told " + said);
}

void Oracle::asked(const Request& request) {
  if (const auto* stop = std::get_if<StopWaiting>(&request.what)) {
    stopped_.insert(stop->waiting);
    return;
  }
  const auto* command = std::get_if<Command>(&request.what);
  if (command != nullptr && !foreign(request)) {
    if (const auto* c = std::get_if<RegisterWorkflow>(command))
      ledger_.definitions.insert(c->definition);
    if (const auto* c = std::get_if<SubmitExecution>(command)) note_ask(request, *c);
    if (const auto* c = std::get_if<CancelExecution>(command)) ledger_.cancels.insert(c->execution);
    if (const auto* c = std::get_if<CancelTask>(command)) ledger_.task_cancels.insert(c->task);
    if (const auto* c = std::get_if<RedriveDeadLetters>(command))
      ledger_.redrives.insert(c->which.execution);
    if (const auto* c = std::get_if<DiscardDeadLetters>(command))
      ledger_.discards.insert(c->which.execution);
    if (const auto* c = std::get_if<ForgetExecution>(command)) ledger_.forgets.insert(c->execution);
    if (const auto* c = std::get_if<ConfigureQueue>(command)) ledger_.queues.insert(c->name);
  }
  if (const auto* run = std::get_if<RunExecution>(&request.what)) note_ask(request, run->submit);
  bool submits = submission_in(request) != nullptr;
  Question question{request,
                    ExecutionStatus::running,
                    0,
                    false,
                    false,
                    durable_,
                    model_.count_of(request.name_space),
                    submits ? model_.ended() : 0};
  if (const ExecutionModel* known = model_.find(subject(request))) {
    question.status_then = known->status;
    question.events_then = known->events.size();
    question.known_then = true;
    question.forgotten_then = known->forgotten();
  }
  questions_[request.ticket] = std::move(question);
}

void Oracle::forget_questions() {
  for (const auto& [ticket, question] : questions_)
    if (is_forget(question.request) && !question.forgotten_then)
      unanswered_forgets_.insert(subject(question.request));
  questions_.clear();
}

bool Oracle::forgotten(ExecutionId id) const {
  const ExecutionModel* known = model_.find(id);
  return known != nullptr && known->forgotten();
}

void Oracle::told(const Response& response) {
  auto it = questions_.find(response.ticket);
  if (it == questions_.end())
    return violate("I2", "an answer to a question that nobody has asked, or that was answered");
  Question question = std::move(it->second);
  questions_.erase(it);
  if (foreign(question.request)) return check_foreign(question, response);
  std::visit([&](const auto& answer) { check(question, answer); }, response.what);
}

void Oracle::check(const Question& question, const Reply& reply) {
  if (reply.code == Code::ok) ++universe_.tally.operations;
  if (reply.code == Code::unknown) universe_.reached(Sometimes::unknown_answered);
  const SubmitExecution* submit = submission_in(question.request);
  if (submit != nullptr && reply.code == Code::resource_exhausted)
    check_shed(question, *submit, reply);
  if (submit != nullptr && reply.code == Code::ok)
    note_admitted(question, *submit, ExecutionId{reply.number});
  if (transient(reply.code)) return;
  ExecutionId id = subject(question.request);
  const auto* command = std::get_if<Command>(&question.request.what);
  bool of_task = command != nullptr && std::holds_alternative<CancelTask>(*command);
  if (is_forget(question.request)) return check_forget(question, id, reply);
  if (reply.code == Code::not_found && question.known_then && !of_task && !forgotten(id))
    return violate("I1", to_text(id) + " was there and is not found any more");
  if (reply.code == Code::ok && question.forgotten_then)
    return violate("I3", to_text(id) + " was forgotten, and still takes a command");
  if (std::holds_alternative<AwaitExecution>(question.request.what)) {
    const ExecutionModel* known = model_.find(id);
    // Parked may be over within the same group: somebody has redriven it.
    bool was_parked = known != nullptr && reply.message == name(ExecutionStatus::parked);
    if (reply.code == Code::ok && !was_parked &&
        (known == nullptr || reply.message != name(known->status)))
      violate("I1", "whoever waited for " + to_text(id) + " was told " + reply.message +
                        ", which is not durable");
    return;
  }
  if (const auto* run = std::get_if<RunExecution>(&question.request.what))
    return check_run(question, *run, reply);
  if (command == nullptr) return;
  if (const auto* c = std::get_if<RegisterWorkflow>(command)) {
    const Bytes* known = model_.definition(WorkflowId{reply.number});
    if (reply.code == Code::ok && (known == nullptr || *known != c->definition))
      violate("I1", "a workflow was acknowledged as version " + std::to_string(reply.number) +
                        ", which is not durable");
  } else if (const auto* s = std::get_if<SubmitExecution>(command)) {
    check_submit(question.request, *s, reply);
  } else if (std::holds_alternative<CancelExecution>(*command)) {
    check_cancel(id, reply);
  } else if (const auto* t = std::get_if<CancelTask>(command)) {
    const TaskModel* task = model_.task(t->task);
    if (reply.code == Code::ok && (task == nullptr || task->state != TaskState::cancelled))
      violate("I1", "the cancellation of a task was acknowledged, and it is not durable");
  }
}

void Oracle::check_registered(WorkflowId id, const Bytes& definition) {
  const Bytes* known = model_.definition(id);
  if (known == nullptr || *known != definition)
    violate("I7", "a client was told that its workflow has number " + std::to_string(id.value) +
                      ", and in one of the partitions that is " +
                      (known == nullptr ? "none" : "another"));
}

// A run that somebody stopped waiting for is told what it has started.
void Oracle::check_run(const Question& question, const RunExecution& run, const Reply& reply) {
  bool told_early = reply.code == Code::ok && reply.message != name(ExecutionStatus::parked);
  if (told_early && !stopped_.contains(question.request.ticket))
    violate("I1", "a run was answered before its end, and nobody had stopped waiting");
  universe_.coverage.reached_if(told_early, Sometimes::run_stopped_waiting);
  check_submit(question.request, run.submit, reply);
}

void Oracle::check_submit(const Request& request, const SubmitExecution& submit,
                          const Reply& reply) {
  const RequestKey key = key_of(request, submit);
  const ExecutionModel* by_request = model_.find_request(key);
  bool gone = by_request != nullptr && by_request->forgotten();
  // Whoever ran it again waits for something that is gone.
  if (reply.code == Code::not_found && gone) return;
  if (reply.code == Code::ok) {
    universe_.coverage.reached_if(gone, Sometimes::duplicate_submit_after_forget);
    const ExecutionModel* told = model_.find(ExecutionId{reply.number});
    if (told == nullptr)
      return violate(
          "I1", to_text(ExecutionId{reply.number}) + " was acknowledged, and it is not durable");
    if (told->name_space != key.name_space)
      violate("I23", to_text(ExecutionId{reply.number}) + " was told to namespace " +
                         key.name_space + ", and is of " + told->name_space);
    if (told->payload_hash != submit.payload_hash || told->request_id != submit.request_id)
      return violate("I7", to_text(ExecutionId{reply.number}) + " was told as the answer to \"" +
                               submit.request_id + "\", which asked for something else");
    if (submit.request_id.empty()) return;
    auto [promise, first] = promised_.emplace(key, Promise{reply.number, lives_});
    if (promise->second.execution != reply.number)
      violate("I7", "request \"" + submit.request_id + "\" was answered with " +
                        to_text(ExecutionId{promise->second.execution}) + " and with " +
                        to_text(ExecutionId{reply.number}));
    universe_.coverage.reached_if(promise->second.life < lives_,
                                  Sometimes::duplicate_submit_answered_after_restart);
    universe_.coverage.reached_if(!first, Sometimes::duplicate_submit_answered);
  } else if (reply.code == Code::already_exists) {
    if (by_request == nullptr || by_request->payload_hash == submit.payload_hash)
      violate("I7", "request \"" + submit.request_id + "\" was refused as used with other content");
    universe_.reached(Sometimes::other_payload_refused);
    universe_.coverage.reached_if(gone, Sometimes::other_payload_refused_after_forget);
  } else if (by_request != nullptr && by_request->payload_hash == submit.payload_hash) {
    violate("I7", "request \"" + submit.request_id + "\" was refused (" + name(reply.code) +
                      "), but it has taken effect");
  } else {
    denied_.insert(key);
  }
}

// Whoever is refused for want of room is told by how much, and that must be so; and when to come again.
void Oracle::check_shed(const Question& question, const SubmitExecution& submit,
                        const Reply& reply) {
  const bool disk_full = reply.message.find("almost full") != std::string::npos;
  const bool no_room = reply.message.find(" may fill ") != std::string::npos;
  const Duration wait = reply.retry_after;
  if ((disk_full || no_room) && (wait < Duration::milliseconds(100) || wait > Duration::minutes(1)))
    violate("I28", "a refused submission may come again in " +
                       std::to_string(wait.whole_milliseconds()) + " ms");
  std::optional<uint64_t> used = number_after(reply.message, ", and ");
  std::optional<uint8_t> priority = model_.priority_of(submit.workflow);
  if (!used || !priority || !no_room) return;
  uint64_t limit = number_after(reply.message, "_max (").value_or(0);
  if (18 * *used < limit * (9 + *priority))
    violate("I28", "a submission of priority " + std::to_string(*priority) +
                       " was refused although there was room: " + reply.message);
  // At least as many had ended when it decided, and at most as many had been submitted.
  uint64_t open_at_most = model_.executions().size() - question.ended_then;
  if (reply.message.starts_with("the limit open_executions_max") && *used > open_at_most)
    violate("I28", "at most " + std::to_string(open_at_most) +
                       " executions were open, but: " + reply.message);
  universe_.coverage.reached_if(*used < limit, Sometimes::shed_low_priority);
  newest_refusal_ = Refusal{durable_, *priority};
}

void Oracle::note_admitted(const Question& question, const SubmitExecution& submit,
                           ExecutionId id) {
  const ExecutionModel* made = model_.find(id);
  std::optional<uint8_t> priority = model_.priority_of(submit.workflow);
  if (made == nullptr || !priority || !newest_refusal_) return;
  uint64_t at = made->events.front().place.position;
  bool near = at > question.durable_then && at + 1 >= newest_refusal_->durable &&
              at <= newest_refusal_->durable + 1;
  universe_.coverage.reached_if(near && *priority > newest_refusal_->priority,
                                Sometimes::admitted_high_while_low_refused);
}

void Oracle::check_cancel(ExecutionId id, const Reply& reply) {
  const ExecutionModel* known = model_.find(id);
  if (reply.code == Code::ok) {
    if (known == nullptr || known->status != ExecutionStatus::cancelled)
      violate("I1", "the cancellation of " + to_text(id) + " was acknowledged, and is not durable");
  } else if (reply.code == Code::failed_precondition) {
    if (known == nullptr || !known->ended())
      violate("I1", to_text(id) + " could not be cancelled as if it had ended");
    universe_.reached(Sometimes::cancel_after_end_refused);
  }
}

void Oracle::check_forget(const Question& question, ExecutionId id, const Reply& reply) {
  if (reply.code == Code::ok) {
    universe_.coverage.reached_if(question.forgotten_then, Sometimes::forget_repeated);
    if (!forgotten(id))
      violate("I1", "the forgetting of " + to_text(id) + " was acknowledged, and is not durable");
    return;
  }
  // Whoever is confined is not told what was there once.
  bool gone = reply.code == Code::not_found && forgotten(id);
  if (gone && !question.request.name_space.empty()) return;
  if (question.status_then >= ExecutionStatus::succeeded)
    violate("I1", to_text(id) + " had ended, and could not be forgotten: " + reply.message);
  if (reply.code == Code::not_found && question.known_then)
    violate("I1", to_text(id) + " was there and is not found any more");
  if (reply.code == Code::failed_precondition) universe_.reached(Sometimes::forget_refused);
}

void Oracle::check_status(const Question& question, ExecutionId id, ExecutionStatus status) {
  const ExecutionModel* known = model_.find(id);
  if (known == nullptr) return violate("I2", to_text(id) + " is shown, but was never submitted");
  if (known->forgotten() && known->forgotten_at <= question.durable_then)
    violate("I3", to_text(id) + " was forgotten, and is shown");
  bool ended = status >= ExecutionStatus::succeeded;
  if (ended && known->status != status)
    violate("I3", to_text(id) + " is shown as " + name(status) + ", but the log says " +
                      name(known->status));
  bool ended_then = question.status_then >= ExecutionStatus::succeeded;
  if (ended_then && !ended)
    violate("I1",
            to_text(id) + " had ended before it was asked for, and is shown as " + name(status));
}

// The shown input is the submitted one, and the shown output the recorded one.
void Oracle::check_content(const ExecutionDetail& detail) {
  const ExecutionModel* known = model_.find(detail.summary.id);
  if (known == nullptr) return;
  bool input = detail.input.is_blob() || detail.input.text() == known->input;
  bool output =
      detail.summary.status != ExecutionStatus::succeeded || detail.output == known->output;
  if (!input || !output)
    violate("I2", to_text(detail.summary.id) + " is shown with another " +
                      (input ? "output" : "input") + " than the log has");
}

void Oracle::check(const Question& question, const QueryResult& result) {
  ++universe_.tally.operations;
  if (const auto* detail = std::get_if<ExecutionDetail>(&result)) {
    if (const auto* run = std::get_if<RunExecution>(&question.request.what)) {
      if (detail->summary.status < ExecutionStatus::succeeded)
        violate("I1", to_text(detail->summary.id) + " was run to its end, and is shown as " +
                          name(detail->summary.status));
      check_submit(question.request, run->submit, {Code::ok, "", detail->summary.id.value});
    }
    check_content(*detail);
    return check_status(question, detail->summary.id, detail->summary.status);
  }
  if (const auto* error = std::get_if<Error>(&result)) {
    ExecutionId id = subject(question.request);
    if (error->code == Code::not_found && question.known_then && !forgotten(id))
      violate("I1", to_text(id) + " was there and is not found any more");
    return;
  }
  check_lists(question, result);
}

void Oracle::check_lists(const Question& question, const QueryResult& result) {
  const std::string& name_space = question.request.name_space;
  auto check_own = [&](ExecutionId id) {
    const ExecutionModel* known = model_.find(id);
    if (known != nullptr && !name_space.empty() && known->name_space != name_space)
      violate("I23", to_text(id) + " of " + known->name_space + " is listed to " + name_space);
  };
  if (const auto* list = std::get_if<ExecutionList>(&result)) {
    for (const ExecutionSummary& summary : list->executions) {
      check_own(summary.id);
      check_status(question, summary.id, summary.status);
    }
  } else if (const auto* letters = std::get_if<DeadLetterList>(&result)) {
    for (const DeadLetter& letter : letters->letters) check_own(letter.range.execution);
  } else if (const auto* overview = std::get_if<Overview>(&result)) {
    uint64_t told = overview->counts.submitted;
    if (name_space.empty()) return;
    if (told < question.submitted_then || told > model_.count_of(name_space))
      violate("I23", "the overview of " + name_space + " counts " + std::to_string(told) +
                         " submitted; the log had " + std::to_string(question.submitted_then) +
                         " when it was asked for and has " +
                         std::to_string(model_.count_of(name_space)));
  }
}

void Oracle::check(const Question& question, const History& history) {
  ExecutionId id = subject(question.request);
  bool gone = !history.status.ok() && history.status.error().code == Code::not_found;
  if (gone && forgotten(id)) return;
  if (question.forgotten_then)
    return violate("I3", to_text(id) + " was forgotten, and its history is shown");
  if (!history.status.ok())
    return violate("I18", "a history cannot be read: " + history.status.error().message);
  const ExecutionModel* known = model_.find(id);
  if (known == nullptr) return violate("I2", "a history is shown of what was never submitted");
  check_pages(question, history, *known);
  ++universe_.tally.operations;
}

// What is behind the place that was asked for, each event once and none left out, up to a limit.
void Oracle::check_pages(const Question& question, const History& history,
                         const ExecutionModel& known) {
  const auto& query = std::get<ReadHistory>(question.request.what);
  auto begin = std::upper_bound(
      known.events.begin(), known.events.end(), query.after,
      [](const HistoryPlace& after, const EventModel& event) { return after < event.place; });
  auto all = static_cast<uint64_t>(known.events.end() - begin);
  uint64_t seen = history.entries.size();
  for (uint64_t i = 0; i < seen; ++i) {
    const HistoryEntry& entry = history.entries[i];
    if (i >= all || begin[static_cast<ptrdiff_t>(i)].place != entry.place())
      return violate("I9", "the history of " + to_text(query.execution) + " behind " +
                               to_text(query.after) + " goes on with " + to_text(entry.place()) +
                               ", which is not the place of its next event in the log");
    if (begin[static_cast<ptrdiff_t>(i)].said != digest_of(entry.event, entry.now, entry.wall))
      return violate("I9", "the history of " + to_text(query.execution) + " shows at " +
                               to_text(entry.place()) + " something else than the log has there");
  }
  uint64_t before = known.events.size() - all;
  bool whole = before + seen >= question.events_then;
  if (!history.truncated && !whole)
    violate("I9", "the history of " + to_text(query.execution) + " has " +
                      std::to_string(before + seen) + " events; the log had " +
                      std::to_string(question.events_then) + " when it was asked for");
  if (query.wait && seen == 0 && !known.ended() && !stopped_.contains(question.request.ticket))
    violate("I9", "whoever waits for the history of " + to_text(query.execution) +
                      " to go on was told that it does not");
  universe_.coverage.reached_if(query.after.position > 0 && seen > 0, Sometimes::history_continued);
  universe_.coverage.reached_if(query.wait && seen > 0 && before >= question.events_then,
                                Sometimes::history_waited_for);
  universe_.coverage.reached_if(query.wait && seen == 0, Sometimes::history_without_end);
}

// Watching is not simulated: no client asks for them.
void Oracle::check(const Question&, const FiguresRef&) {
  violate("I2", "figures are the answer to something else");
}

// Not durable: anything about an attempt that was once granted is true enough.
void Oracle::check(const Question&, const ProgressList& progress) {
  ++universe_.tally.operations;
  for (const auto& [one, worker] : progress.tasks) {
    const TaskModel* task = model_.task(one.task);
    if (task == nullptr || task->attempts < one.attempt)
      violate("I2", "progress is shown of an attempt that was never granted");
    if (one.usage.running.ns < 0 || worker.empty())
      violate("I2", "a task that runs is shown without its worker, or before its start");
  }
  for (const RunningAttempts& one : progress.running) {
    const TaskModel* task = model_.task({one.execution, one.node, 0});
    if (task == nullptr || one.count == 0)
      violate("I2", "attempts are said to run of a node that has no tasks");
    universe_.coverage.reached(Sometimes::running_told);
  }
}

void Oracle::launched(const Grant& grant) {
  ++universe_.tally.attempts;
  for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item) {
    const TaskModel* task = model_.task(grant.range.at(item));
    if (task == nullptr || task->attempts < grant.attempt)
      return violate("I4", "an attempt of " + to_text(grant.range.execution) +
                               " runs whose grant is not durable");
    ledger_.launched.insert({grant.range.at(item), grant.attempt, grant.nonce});
  }
  const ExecutionModel* execution = model_.find(grant.range.execution);
  if (execution == nullptr) return;
  const RunContext& context = *grant.context;
  if (context.trace != execution->trace.value_or(derived_trace(context.cluster, context.execution)))
    violate("I2", "an attempt of " + to_text(context.execution) + " runs in another trace");
  universe_.coverage.reached_if(execution->trace.has_value(), Sometimes::trace_given);
}

void Oracle::found(const TaskKey& task, const Expression* expression, const std::string& value) {
  const ExecutionModel* execution = model_.find(task.execution);
  if (execution == nullptr) return;
  auto right = expression ? value_of(*execution, *expression, task.node, task.item)
                          : subject_of(*execution, task.node, task.item);
  if (!right || *right != value)
    violate("I2", "a task of " + to_text(task.execution) + "/" + std::to_string(task.node) +
                      " finds other values than the input and the nodes before it give: " +
                      (expression ? expression->text : "its input"));
}

void Oracle::reported(const AttemptReport& report, std::string output) {
  Outcome& outcome =
      ledger_.outcomes[{report.range.at(report.range.begin), report.attempt, report.nonce}];
  outcome.succeeded = report.succeeded;
  outcome.kind = report.kind;
  outcome.output = std::move(output);
  outcome.payload = report.outputs.empty() ? Payload() : report.outputs[0];
}

void Oracle::arrived(const Hello& hello) {
  if (hello.session) ledger_.resumes[hello.session].push_back(hello.held);
}

void Oracle::arrived(const Welcome& welcome) {
  universe_.coverage.reached_if(ledger_.resumes.contains(welcome.session),
                                Sometimes::session_resumed);
}

void Oracle::arrived(const AttemptReport& report) {
  if (model_.current(report)) return;
  const TaskModel* task = model_.task(report.range.at(report.range.begin));
  if (task == nullptr) return;
  universe_.coverage.reached_if(task->attempts > report.attempt, Sometimes::late_result_fenced);
  universe_.coverage.reached_if(task->attempts == report.attempt && task->ended(),
                                Sometimes::repeated_result_fenced);
}

void Oracle::arrived(const Recall& recall) {
  for (const HeldAttempts& named : recall.attempts) {
    for (ItemIndex item = named.range.begin; item < named.range.end; ++item)
      universe_.coverage.reached_if(
          ledger_.launched.contains({named.range.at(item), named.attempt, named.nonce}),
          Sometimes::recall_crossed_start);
  }
}

void Oracle::audit(const Overview& overview) {
  if (std::string stuck = model_.stuck(); !stuck.empty()) return violate("I14", stuck);
  if (std::string held = model_.held(); !held.empty()) return violate("I16", held);
  const Counts& counts = overview.counts;
  bool agree = counts.submitted == model_.executions().size() &&
               counts.succeeded == model_.count(ExecutionStatus::succeeded) &&
               counts.failed == model_.count(ExecutionStatus::failed) &&
               counts.cancelled == model_.count(ExecutionStatus::cancelled) &&
               counts.forgotten == model_.forgotten() &&
               counts.quarantined == model_.count(ExecutionStatus::quarantined) &&
               overview.executions <= model_.executions().size() - model_.forgotten();
  if (!agree)
    violate("I15", "the overview counts " + std::to_string(counts.submitted) + " submitted, " +
                       std::to_string(counts.succeeded) + " succeeded; the log has " +
                       std::to_string(model_.executions().size()) + " and " +
                       std::to_string(model_.count(ExecutionStatus::succeeded)));
  if (overview.running != 0 || overview.ready != 0 || overview.parked != 0)
    violate("I15", "everything has ended, but the overview shows " +
                       std::to_string(overview.running) + " tasks running, " +
                       std::to_string(overview.ready) + " ready, " +
                       std::to_string(overview.parked) + " parked");
  universe_.tally.executions_ended = model_.executions().size();
}

}  // namespace pawl::sim
