#include "pawl/api/gateway.h"

#include <unistd.h>

#include <algorithm>

#include "pawl/api/engine_metrics.h"
#include "pawl/api/json_fields.h"
#include "pawl/api/permissions.h"
#include "pawl/definition/nearest.h"

namespace pawl {
namespace {

// Larger ones are not read as a whole to be checked before their first part is given: `blob` names the hash.
constexpr uint64_t payload_checked_bytes_max = 64 << 20;

template <class To>
CallResult widened(To value) {
  return std::visit([](auto&& v) -> CallResult { return std::forward<decltype(v)>(v); },
                    std::move(value));
}

bool is_submission(const Call& call) {
  return std::holds_alternative<SubmitRequest>(call) || std::holds_alternative<SubmitMany>(call) ||
         std::holds_alternative<RunRequest>(call);
}

const Selection* selection_of(const Call& call) {
  if (const auto* cancel = std::get_if<Cancel>(&call)) return &cancel->what;
  if (const auto* redrive = std::get_if<Redrive>(&call)) return &redrive->what;
  if (const auto* discard = std::get_if<Discard>(&call)) return &discard->what;
  return nullptr;
}

Command command_for(const Call& call, const Selection& what, NodeIndex node) {
  DeadLetterSelection which{what.execution, what.node.empty(), node, !what.item,
                            what.item.value_or(0)};
  if (std::holds_alternative<Redrive>(call)) return RedriveDeadLetters{which};
  if (std::holds_alternative<Discard>(call)) return DiscardDeadLetters{which};
  const auto& cancel = std::get<Cancel>(call);
  if (what.node.empty()) return CancelExecution{what.execution, cancel.reason};
  return CancelTask{{what.execution, node, what.item.value_or(0)}, cancel.reason};
}

// Where it lies is nobody's business.
Error unreadable(const BlobRef& ref, const Error& error) {
  if (error.code == Code::not_found)
    return {Code::not_found, to_text(ref.owner) + " has no payload with this sequence"};
  if (error.code == Code::data_loss)
    return {Code::data_loss,
            "what is kept of this payload of " + to_text(ref.owner) + " does not match its hash"};
  return error;
}

Error item_without_node() {
  return {Code::invalid_argument, "an item needs its node: e17/node[42]"};
}

std::optional<ExecutionStatus> status_from_name(const std::string& text) {
  for (auto status :
       {ExecutionStatus::running, ExecutionStatus::parked, ExecutionStatus::succeeded,
        ExecutionStatus::failed, ExecutionStatus::cancelled, ExecutionStatus::quarantined}) {
    if (text == name(status)) return status;
  }
  return std::nullopt;
}

}  // namespace

AnswerInbox::AnswerInbox(uint32_t partitions) {
  for (uint32_t partition = 0; partition < partitions; ++partition)
    slots_.emplace_back(*this, partition);
}

void AnswerInbox::put(Answered answered) {
  std::lock_guard<std::mutex> lock(mutex_);
  waiting_.push_back(std::move(answered));
  if (waiting_.size() == 1 && loop_ != nullptr) loop_->wake();
}

void AnswerInbox::attach(Loop* loop) {
  std::lock_guard<std::mutex> lock(mutex_);
  loop_ = loop;
  if (loop_ != nullptr && !waiting_.empty()) loop_->wake();
}

std::vector<AnswerInbox::Answered> AnswerInbox::take_all() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(waiting_, {});
}

Gateway::Gateway(GatewayPorts ports, AnswerInbox& answers, GatewayOptions options)
    : ports_(std::move(ports)),
      answers_(answers),
      options_(std::move(options)),
      rates_(options_.calls_per_caller),
      compiled_(ports_.loop),
      background_(std::move(ports_.background)) {
  bool timed = ports_.audit != nullptr || options_.calls_per_caller.per_second > 0;
  PAWL_CHECK(!timed || ports_.clock != nullptr, "rates and the audit need a clock");
  answers_.attach(&ports_.loop);
  ports_.loop.add(*this);
}

Gateway::~Gateway() {
  ports_.loop.remove(*this);
  answers_.attach(nullptr);
}

uint64_t Gateway::call(NumberedCall call, Sink<CallAnswer>& client, const Caller& caller) {
  if (Status admitted = admit(call.call, caller); !admitted.ok()) {
    record_refusal(call.call, caller, admitted.error().code);
    tell_refusal(admitted.error());
    client.put({call.ticket, std::move(admitted.error())});
    return 0;
  }
  uint64_t id = ++last_id_;
  Open& open = open_[id];
  open.client = &client;
  open.ticket = call.ticket;
  open.call = std::move(call.call);
  open.caller = caller;
  open.home = caller.name_space.empty() ? default_namespace : caller.name_space;
  open.name_space = confinement(caller);
  begin(id, open);
  return id;
}

void Gateway::begin(uint64_t id, Open& open) {
  if (is_submission(open.call)) {
    begin_submit(id, open);
  } else if (const auto* definition = std::get_if<RegisterDefinition>(&open.call)) {
    begin_register(id, open, *definition);
  } else if (const Selection* what = selection_of(open.call)) {
    begin_selection(id, open, *what);
  } else if (const auto* forget = std::get_if<Forget>(&open.call)) {
    ask_engine(id, 0, Command{ForgetExecution{forget->execution}}, open.name_space);
  } else if (const auto* configure = std::get_if<ConfigureQueue>(&open.call)) {
    ask_engine(id, 0, Command{*configure}, open.name_space);
  } else if (const auto* await = std::get_if<AwaitExecution>(&open.call)) {
    begin_await(id, open, await->execution);
  } else if (const auto* read = std::get_if<ReadPayload>(&open.call)) {
    begin_read(id, open, *read);
  } else if (std::holds_alternative<GetServer>(open.call) ||
             std::holds_alternative<GetMetrics>(open.call)) {
    ask_engine(id, 0, GetFigures{}, open.name_space);
  } else if (const auto* why = std::get_if<Explain>(&open.call);
             why != nullptr && why->node.empty() && why->item) {
    finish(id, item_without_node());
  } else if (const auto* history = std::get_if<ReadHistory>(&open.call)) {
    ask_engine(id, 0, *history, open.name_space);
  } else if (const auto* progress = std::get_if<GetProgress>(&open.call)) {
    ask_engine(id, 0, *progress, open.name_space);
  } else if (const auto* log = std::get_if<ReadLog>(&open.call)) {
    ask_engine(id, 0, Query{GetTask{log->execution, log->node, log->item}}, open.name_space);
  } else if (const auto* logs = std::get_if<ListLogs>(&open.call)) {
    ask_engine(id, 0, Query{GetExecution{logs->execution}}, open.name_space);
  } else {
    std::visit(
        [&](const auto& query) {
          if constexpr (std::is_constructible_v<Query, decltype(query)>)
            ask_engine(id, 0, Query{query}, open.name_space);
        },
        open.call);
  }
}

void Gateway::begin_await(uint64_t id, const Open& open, ExecutionId execution) {
  Awaited awaited{execution, open.name_space};
  auto [waiting, first] = awaits_.try_emplace(awaited);
  waiting->second.insert(id);
  if (!first) return;
  uint64_t question = ++last_id_;
  await_questions_[question] = std::move(awaited);
  ask_engine(question, 0, AwaitExecution{execution}, open.name_space);
}

// Whoever is confined sees the payloads of the executions that it sees. What does not match is damaged, unless
// its owner knows it otherwise.
void Gateway::begin_read(uint64_t id, const Open& open, const ReadPayload& read) {
  if (!read.ref.owner) return finish(id, Error{Code::not_found, "the payload belongs to nobody"});
  if (open.name_space.empty()) {
    CallResult result = read_payload(read);
    const auto* error = std::get_if<Error>(&result);
    if (error == nullptr || error->code != Code::data_loss) return finish(id, std::move(result));
  }
  ask_engine(id, 0, Query{GetExecution{read.ref.owner}}, open.name_space);
}

void Gateway::continue_read(uint64_t id, const ReadPayload& read, const ExecutionDetail& owner) {
  std::vector<const Payload*> known{&owner.input, &owner.output};
  for (const NodeDetail& node : owner.nodes) known.push_back(&node.output);
  for (const Payload* one : known) {
    bool meant = one->is_blob() && one->ref().owner == read.ref.owner &&
                 one->ref().sequence == read.ref.sequence;
    if (meant && one->ref() != read.ref)
      return finish(id, Error{Code::invalid_argument,
                              "the payload has another size or hash; name it as its owner does"});
  }
  finish(id, read_payload(read));
}

// A node is meant by its name, which only the execution's own workflow knows.
void Gateway::begin_selection(uint64_t id, Open& open, const Selection& what) {
  if (what.node.empty() && what.item) {
    finish(id, item_without_node());
  } else if (what.node.empty()) {
    ask_engine(id, 0, command_for(open.call, what, 0), open.name_space);
  } else {
    ask_engine(id, 0, Query{GetExecution{what.execution}}, open.name_space);
  }
}

void Gateway::continue_selection(uint64_t id, Open& open, const ExecutionDetail& detail) {
  const Selection& what = *selection_of(open.call);
  std::vector<std::string_view> names;
  for (NodeIndex i = 0; i < detail.nodes.size(); ++i) {
    const NodeDetail& node = detail.nodes[i];
    names.push_back(node.id);
    if (node.id != what.node) continue;
    if (std::holds_alternative<Cancel>(open.call) && node.mapped && !what.item)
      return finish(id, Error{Code::invalid_argument,
                              "node " + node.id + " is mapped: name one of its items, as in " +
                                  to_text(what.execution) + "/" + node.id +
                                  "[0], or cancel the whole execution"});
    if (what.item && *what.item >= node.tasks.total && !std::holds_alternative<Cancel>(open.call))
      return finish(id, Error{Code::not_found,
                              "node " + node.id + " has no item " + std::to_string(*what.item)});
    return ask_engine(id, 0, command_for(open.call, what, i), open.name_space);
  }
  finish(id, Error{Code::not_found, to_text(what.execution) + " has no node \"" + what.node + "\"" +
                                        hint(what.node, names)});
}

CallResult Gateway::read_payload(const ReadPayload& call) const {
  const BlobRef& ref = call.ref;
  if (call.offset >= ref.size)
    return Error{Code::out_of_range, "the payload has only " + std::to_string(ref.size) + " bytes"};
  uint64_t size = std::min(payload_part_max, ref.size - call.offset);
  // Not a byte of what was changed is served: few clients compare the hash.
  const bool whole = call.offset == 0 && ref.size <= payload_checked_bytes_max;
  Result<Bytes> part = whole ? ports_.blob.get(ref) : ports_.blob.part(ref, call.offset, size);
  if (!part.ok()) return unreadable(ref, part.error());
  std::string text = std::move(*part);
  text.resize(size);
  if (call.offset + text.size() < ref.size) text.resize(whole_characters(text));
  uint64_t next = call.offset + text.size();
  return PayloadPart{std::move(text), next};
}

CallResult Gateway::server_info(const Figures& figures) const {
  return ServerInfo{static_cast<uint64_t>(getpid()), options_.directory, figures.durable_position,
                    figures.refuses ? figures.refuses->message : ""};
}

CallResult Gateway::metrics_page(const Figures& figures) const {
  Exposition page;
  write_metrics(figures, page);
  for (const MetricSource* source : options_.metrics) source->write(page);
  return MetricsPage{page.take()};
}

void Gateway::ask_engine(uint64_t id, uint64_t part, Question question,
                         const std::string& name_space) {
  ports_.router.put({ticket_of(id, part), std::move(question), name_space});
}

bool Gateway::turn() {
  for (auto& [partition, response] : answers_.take_all()) {
    if (auto whole = ports_.router.take(partition, std::move(response))) take(std::move(*whole));
  }
  compiled_.take_all(compiled_batch_);
  for (Compiled& compiled : compiled_batch_) end_preparing(std::move(compiled));
  release_held();
  look_at_logs();
  return false;
}

void Gateway::take(Response response) {
  staged_.erase(response.ticket);
  uint64_t id = response.ticket >> part_bits;
  if (auto await = await_questions_.find(id); await != await_questions_.end()) {
    Awaited awaited = std::move(await->second);
    await_questions_.erase(await);
    return settle(awaited, std::get<Reply>(response.what));
  }
  auto it = open_.find(id);
  if (it == open_.end()) return;  // forgotten
  Open& open = it->second;
  if (auto* reply = std::get_if<Reply>(&response.what))
    return take(id, open, response.ticket & part_mask, std::move(*reply));
  if (auto* history = std::get_if<History>(&response.what)) {
    if (!history->status.ok()) return finish(id, history->status.error());
    return finish(id, std::move(*history));
  }
  if (auto* progress = std::get_if<ProgressList>(&response.what))
    return finish(id, std::move(*progress));
  if (auto* figures = std::get_if<FiguresRef>(&response.what)) {
    bool page = std::holds_alternative<GetMetrics>(open.call);
    return finish(id, page ? metrics_page(**figures) : server_info(**figures));
  }
  auto& result = std::get<QueryResult>(response.what);
  const auto* detail = std::get_if<ExecutionDetail>(&result);
  if (detail != nullptr && selection_of(open.call) != nullptr)
    return continue_selection(id, open, *detail);
  if (const auto* workflow = std::get_if<WorkflowDetail>(&result);
      workflow != nullptr && is_submission(open.call))
    return continue_submit(id, open, *workflow);
  if (auto* task = std::get_if<TaskDetail>(&result);
      task != nullptr && std::holds_alternative<ReadLog>(open.call))
    return continue_log(id, open, std::move(*task));
  if (const auto* logs = std::get_if<ListLogs>(&open.call); detail != nullptr && logs != nullptr)
    return finish(id, list_logs(*logs, *detail));
  if (detail != nullptr && open.log) return finish_log(id, open, *detail);
  const auto* read = std::get_if<ReadPayload>(&open.call);
  if (detail != nullptr && read != nullptr) return continue_read(id, *read, *detail);
  finish(id, widened(std::move(result)));
}

void Gateway::take(uint64_t id, Open& open, uint64_t part, Reply reply) {
  if (open.prepared == nullptr) {  // of a change, or of an engine that has stopped
    if (reply.code != Code::ok) return finish(id, error_of(std::move(reply)));
    bool counted = !std::holds_alternative<Cancel>(open.call);
    return finish(id, Changed{counted ? reply.number : 1});
  }
  if (part != register_part) return submitted(id, open, part, std::move(reply));
  if (reply.code != Code::ok) return finish(id, error_of(std::move(reply)));
  registered(id, open, WorkflowId{reply.number});
}

void Gateway::settle(const Awaited& awaited, const Reply& reply) {
  auto waiting = awaits_.extract(awaited);
  if (waiting.empty()) return;
  for (uint64_t id : waiting.mapped()) {
    if (reply.code != Code::ok) {
      finish(id, error_of(reply));
      continue;
    }
    auto status = status_from_name(reply.message);
    PAWL_CHECK(status.has_value(), "the engine settles with a status that is none");
    finish(id, Settlement{awaited.first, *status});
  }
}

void Gateway::finish(uint64_t id, CallResult result) {
  auto open = open_.extract(id);
  if (open.empty()) return;
  if (outlives(open.mapped())) return record(open.mapped(), std::move(result));
  if (open.mapped().client != nullptr)
    open.mapped().client->put({open.mapped().ticket, std::move(result)});
}

void Gateway::forget(const Sink<CallAnswer>& client) {
  forget_calls(client, std::nullopt);
}

void Gateway::forget(const Sink<CallAnswer>& client, Ticket ticket) {
  forget_calls(client, ticket);
}

void Gateway::forget_calls(const Sink<CallAnswer>& client, std::optional<Ticket> ticket) {
  for (Held& held : held_)
    if (held.client == &client && (!ticket || *ticket == held.answer.ticket)) held.client = nullptr;
  for (auto it = open_.begin(); it != open_.end();) {
    Open& open = it->second;
    bool meant = open.client == &client && (!ticket || *ticket == open.ticket);
    it = meant && leave(it->first, open) ? open_.erase(it) : std::next(it);
  }
}

void Gateway::forget(uint64_t id) {
  auto open = open_.find(id);
  if (open != open_.end() && leave(id, open->second)) open_.erase(open);
}

// Its client is gone. True: so is the call.
bool Gateway::leave(uint64_t id, Open& open) {
  forget_waiting(id, open);
  open.client = nullptr;
  return !outlives(open);
}

void Gateway::stop_waiting(uint64_t id) {
  auto found = open_.find(id);
  if (found != open_.end()) hurry(id, found->second);
}

// A run that is not with the engine yet does not begin to wait.
void Gateway::hurry(uint64_t id, Open& open) {
  open.hurried = true;
  if (!std::holds_alternative<ReadLog>(open.call))
    return ports_.router.put({0, StopWaiting{ticket_of(id, 0)}});
  if (std::exchange(open.look_at, Instant::never()) != Instant::never()) begin(id, open);
}

// The question of an await stays: whoever asks next joins it.
void Gateway::forget_waiting(uint64_t id, Open& open) {
  const auto* read = std::get_if<ReadHistory>(&open.call);
  if (std::holds_alternative<RunRequest>(open.call) || (read != nullptr && read->wait))
    hurry(id, open);
  const auto* await = std::get_if<AwaitExecution>(&open.call);
  if (await == nullptr) return;
  if (auto waiting = awaits_.find({await->execution, open.name_space}); waiting != awaits_.end())
    waiting->second.erase(id);
}

}  // namespace pawl
