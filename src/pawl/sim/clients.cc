#include "pawl/sim/clients.h"

#include "pawl/testing/random_workflow.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl::sim {
namespace {

constexpr Duration patience = Duration::seconds(4);
constexpr Duration operator_pause = Duration::seconds(3);

RandomWorkflowPlan workflow_plan(const Plan& plan) {
  RandomWorkflowPlan shape;
  shape.nodes_max = plan.nodes_max;
  shape.items_max = plan.items_max;
  shape.evaluated_permille = plan.evaluated_permille;
  shape.reads_permille = 500;
  shape.placed_permille = 300;
  return shape;
}

// Makes an input one that no event holds: by a text that no node reads, or by an item of its list.
void pad(Random dice, std::string& input) {
  const std::string text = "\"" + std::string(payload_inline_max, 'p') + "\",";
  const size_t list = input.find('[', input.find("\"list\":"));
  if (dice.chance(500))
    input.insert(list + 1, text);
  else
    input.insert(1, "\"pad\":" + text);
}

}  // namespace

Clients::Clients(Universe& universe, Front& front, const Plan& plan, const bool& healed,
                 Random dice)
    : universe_(universe), front_(front), plan_(plan), healed_(healed), dice_(dice) {
  for (const Given& given : plan.given)
    definitions_.push_back({given.definition, hash128(given.definition), {}});
  for (uint32_t i = 0; i < plan.workflows; ++i) {
    Workflow workflow = random_workflow(dice_, workflow_plan(plan));
    workflow.version = std::to_string(i);
    // A condition that cannot be evaluated: its node parks.
    if (plan.evaluated_permille > 0 && dice_.chance(200))
      workflow.nodes[0].when = make_expression("error(\"no\")");
    // The shapes' own queue timeouts are minutes; some are to run out.
    if (dice_.chance(200))
      workflow.nodes.back().timeout.queue =
          Duration::milliseconds(static_cast<int64_t>(dice_.between(100, 10'000)));
    Bytes bytes = encode(workflow);
    Hash128 hash = hash128(bytes);
    definitions_.push_back({std::move(bytes), hash, {}});
  }
  // Clients of different namespaces share their numbers, and so their request ids.
  constexpr const char* names[] = {default_namespace, "team-a", "team-b"};
  for (uint32_t i = 0; i < plan.clients; ++i)
    clients_.push_back({dice_.split(), plan.operations, i / plan.name_spaces, 0,
                        plan.name_spaces > 1 ? names[i % plan.name_spaces] : ""});
}

void Clients::start() {
  busy_ = static_cast<uint32_t>(clients_.size());
  for (Client& client : clients_) next(client);
}

void Clients::answer(Response response) {
  if (!healed_ && dice_.chance(10)) return universe_.reached(Sometimes::answer_lost);
  universe_.after(Duration::microseconds(static_cast<int64_t>(20 + dice_.below(500))),
                  [this, response = std::move(response)] {
                    auto it = waiting_.find(response.ticket);
                    if (it == waiting_.end()) return;
                    Then then = std::move(it->second);
                    waiting_.erase(it);
                    then(&response);
                  });
}

Ticket Clients::send(decltype(Request::what) what, Then then, const std::string& name_space,
                     std::optional<uint32_t> slot) {
  Ticket ticket = ++last_ticket_;
  waiting_[ticket] = std::move(then);
  universe_.after(Duration::microseconds(static_cast<int64_t>(20 + dice_.below(500))),
                  [this, ticket, what = std::move(what), name_space, slot] {
                    universe_.note("ask", ticket, what.index());
                    Request request{ticket, what, name_space};
                    slot ? front_.ask_one(*slot, std::move(request))
                         : front_.ask(std::move(request));
                  });
  universe_.after(patience, [this, ticket] {
    auto it = waiting_.find(ticket);
    if (it == waiting_.end()) return;
    Then silent = std::move(it->second);
    waiting_.erase(it);
    silent(nullptr);
  });
  return ticket;
}

// Sometimes, after a while.
void Clients::stop_waiting(Client& client, Ticket ticket) {
  if (!client.dice.chance(400)) return;
  universe_.after(Duration::milliseconds(static_cast<int64_t>(client.dice.below(300))),
                  [this, ticket] {
                    front_.ask({0, StopWaiting{ticket}});
                  });
}

void Clients::done(Client& client) {
  next(client);
}

void Clients::next(Client& client) {
  if (client.left == 0 || healed_) {
    --busy_;
    return;
  }
  --client.left;
  uint64_t pause = client.dice.below(2 * static_cast<uint64_t>(plan_.think.ns) + 1);
  universe_.after(Duration{static_cast<int64_t>(pause)}, [this, &client] { operate_once(client); });
}

void Clients::operate_once(Client& client) {
  if (!plan_.given.empty()) return submit_given(client);
  uint64_t draw = client.dice.below(100);
  if (draw < 45 || executions_.empty()) return submit_new(client);
  if (draw < 60) return submit_again(client);
  if (draw < 75) return change_something(client);
  ask_something(client);
}

ExecutionId Clients::some_execution(Random& dice) const {
  // Newer ones more often: they are still running.
  uint64_t back = dice.below(executions_.size());
  if (dice.chance(600)) back = dice.below(std::min<uint64_t>(executions_.size(), 4));
  return executions_[executions_.size() - 1 - back];
}

void Clients::send_register(Client& client, size_t definition, Callback<void()> then) {
  send(
      Command{RegisterWorkflow{definitions_[definition].bytes}},
      [this, &client, definition, then = std::move(then)](const Response* response) {
        const Reply* reply = response ? std::get_if<Reply>(&response->what) : nullptr;
        if (reply == nullptr || reply->code != Code::ok) return done(client);
        definitions_[definition].ids[client.name_space] = WorkflowId{reply->number};
        then();
      },
      client.name_space);
}

void Clients::submit_new(Client& client) {
  Past past;
  past.definition = client.dice.below(definitions_.size());
  WorkflowId& registered = definitions_[past.definition].ids[client.name_space];
  if (!registered || client.dice.chance(50))
    return send_register(client, past.definition, [this, &client] { submit_new(client); });
  RandomWorkflowPlan shape = workflow_plan(plan_);
  past.submit.workflow = registered;
  std::string input = random_input(client.dice, shape);
  if (plan_.habits.large_output > 0 && client.dice.chance(40)) {
    pad(client.dice, input);
    past.large_input = std::move(input);
    if (!stage_input(past)) return done(client);
  } else {
    past.submit.input = Payload::inline_json(std::move(input));
  }
  past.submit.labels = "{\"client\":" + std::to_string(client.number) + "}";
  if (!client.dice.chance(80))
    past.submit.request_id =
        "c" + std::to_string(client.number) + "-" + std::to_string(++client.submits);
  if (client.dice.chance(100))
    past.submit.trace =
        pawl::Trace{{client.dice.next() | 1, client.dice.next()}, client.dice.next() | 1, 0};
  past.submit.payload_hash = submit_hash(past.submit, definitions_[past.definition].hash);
  if (!client.name_space.empty()) past.submit.name_space = client.name_space;
  if (!past.submit.request_id.empty()) past_.push_back(past);
  // A burst: several at once, without waiting for each other.
  if (client.dice.chance(60) && past.large_input.empty()) {
    for (uint64_t n = client.dice.between(2, 12); n > 0; --n) {
      Past more = past;
      more.submit.request_id += "+" + std::to_string(n);
      send(
          Command{more.submit}, [](const Response*) {}, client.name_space);
    }
  }
  if (client.dice.chance(100)) {
    stop_waiting(client,
                 send(
                     RunExecution{past.submit}, [this, &client](const Response*) { done(client); },
                     client.name_space));
    return;
  }
  send_submit(client, std::move(past), 6);
}

// False: the blob store does not take it.
bool Clients::stage_input(Past& past) {
  if (past.large_input.empty()) return true;
  BlobRef ref{{}, ++staged_, past.large_input.size(), hash128(past.large_input)};
  if (!front_.blob().put(ref, past.large_input).ok()) return false;
  front_.know_input(past.large_input);
  past.submit.input = Payload::blob(ref);
  return true;
}

void Clients::submit_again(Client& client) {
  if (past_.empty()) return done(client);
  Past past = past_[client.dice.below(past_.size())];
  if (!stage_input(past)) return done(client);
  if (!client.name_space.empty()) past.submit.name_space = client.name_space;
  if (WorkflowId own = definitions_[past.definition].ids[client.name_space])
    past.submit.workflow = own;
  if (client.dice.chance(300)) {
    past.submit.labels = "{\"other\":" + std::to_string(client.dice.below(3)) + "}";
    past.submit.payload_hash = submit_hash(past.submit, definitions_[past.definition].hash);
  }
  send_submit(client, std::move(past), 2);
}

// Without an answer, or with one that promises nothing, the same again.
void Clients::send_submit(Client& client, Past past, int tries) {
  auto then = [this, &client, past, tries](const Response* response) {
    const Reply* reply = response ? std::get_if<Reply>(&response->what) : nullptr;
    if (reply != nullptr && reply->code == Code::ok) {
      executions_.push_back(ExecutionId{reply->number});
      if (!plan_.given.empty()) {
        Deed deed = plan_.given[past.definition].deed;
        deeds_[ExecutionId{reply->number}] = deed;
        if (deed == Deed::cancel) cancel_once_it_runs(ExecutionId{reply->number});
      }
      return done(client);
    }
    bool again = reply == nullptr || reply->code == Code::unknown ||
                 reply->code == Code::resource_exhausted || reply->code == Code::unavailable;
    if (!again || tries == 0 || past.submit.request_id.empty()) return done(client);
    Duration pause = Duration::milliseconds(static_cast<int64_t>(client.dice.below(3000)));
    if (reply != nullptr && reply->retry_after > Duration{}) pause = reply->retry_after;
    universe_.after(pause, [this, &client, past, tries] {
      Past fresh = past;
      if (!stage_input(fresh)) return done(client);
      send_submit(client, std::move(fresh), tries - 1);
    });
  };
  send(Command{past.submit}, then, client.name_space);
}

// Sometimes twice in a row. Whatever is running refuses.
void Clients::forget_something(Client& client) {
  Command command = ForgetExecution{executions_[client.dice.below(executions_.size())]};
  if (client.dice.chance(200))
    send(
        command, [](const Response*) {}, client.name_space);
  send(
      command, [this, &client](const Response*) { done(client); }, client.name_space);
}

void Clients::change_something(Client& client) {
  if (client.dice.chance(150)) {
    send(Command{random_queue(client.dice)}, [this, &client](const Response*) { done(client); });
    return;
  }
  if (client.dice.chance(350)) return forget_something(client);
  ExecutionId id = some_execution(client.dice);
  Command command;
  switch (client.dice.below(4)) {
    case 0:
      command = CancelExecution{id, "as the dice say"};
      break;
    case 1:
      command = CancelTask{{id, static_cast<NodeIndex>(client.dice.below(plan_.nodes_max)),
                            static_cast<ItemIndex>(client.dice.below(3))},
                           "as the dice say"};
      break;
    case 2:
      command = RedriveDeadLetters{{id, true, 0, true, 0}};
      break;
    default:
      command = DiscardDeadLetters{{id, true, 0, true, 0}};
  }
  send(
      std::move(command), [this, &client](const Response*) { done(client); }, client.name_space);
}

decltype(Request::what) Clients::question(Client& client) {
  ExecutionId id = some_execution(client.dice);
  switch (client.dice.below(8)) {
    case 0:
      return Query{ListExecutions{{}, 20, std::nullopt}};
    case 1:
      return AwaitExecution{id};
    case 2:
      return ReadHistory{id};
    case 3:
      return Query{ListDeadLetters{}};
    case 4:
      return Query{Explain{id, "", std::nullopt}};
    case 5:
      return GetProgress{id};
    case 6:
      if (!client.name_space.empty()) return Query{GetOverview{}};
      break;
    default:
      break;
  }
  return Query{GetExecution{id}};
}

// Page after page, from the beginning on; the judge knows what each must hold.
void Clients::follow(Client& client, ReadHistory from, uint64_t pages) {
  from.limit = client.dice.chance(300) ? 10'000 : 1 + static_cast<uint32_t>(client.dice.below(6));
  from.wait = client.dice.chance(500);
  auto then = [this, &client, from, pages](const Response* response) {
    const History* history = response ? std::get_if<History>(&response->what) : nullptr;
    if (history == nullptr || history->entries.empty() || pages == 0) return done(client);
    ReadHistory rest = from;
    rest.after = history->entries.back().place();
    follow(client, rest, pages - 1);
  };
  Ticket ticket = send(from, then, client.name_space);
  if (from.wait) stop_waiting(client, ticket);
}

void Clients::ask_something(Client& client) {
  decltype(Request::what) what = question(client);
  if (const auto* read = std::get_if<ReadHistory>(&what))
    return follow(client, *read, client.dice.below(6));
  send(
      std::move(what), [this, &client](const Response*) { done(client); }, client.name_space);
}

// Redrives what is parked, twice at most, then discards it.
void Clients::tend(const DeadLetterList& letters) {
  std::map<ExecutionId, uint64_t> parked;
  for (const DeadLetter& letter : letters.letters) ++parked[letter.range.execution];
  for (const auto& [id, count] : parked) {
    if (!plan_.given.empty() && !deeds_.contains(id)) continue;  // its client asks again what it is
    DeadLetterSelection all{id, true, 0, true, 0};
    Command command = RedriveDeadLetters{all};
    if (tended_[id]++ >= 2 || deed_of(id) == Deed::discard) command = DiscardDeadLetters{all};
    send(std::move(command), [](const Response*) {});
  }
}

void Clients::operate() {
  for (const char* queue : {"default", "bulk"})
    send(Command{open_queue(queue)}, [](const Response*) {});
  send(Query{ListDeadLetters{}}, [this](const Response* response) {
    const QueryResult* result = response ? std::get_if<QueryResult>(&response->what) : nullptr;
    const auto* letters = result ? std::get_if<DeadLetterList>(result) : nullptr;
    if (letters != nullptr) tend(*letters);
    universe_.after(operator_pause, [this] { operate(); });
  });
}

void Clients::forget_at_last(ExecutionId id, Callback<void()> then) {
  send(Command{ForgetExecution{id}}, [this, id, then = std::move(then)](const Response* response) {
    const Reply* reply = response ? std::get_if<Reply>(&response->what) : nullptr;
    if (reply != nullptr && reply->code == Code::ok) return then();
    universe_.after(Duration::milliseconds(static_cast<int64_t>(dice_.below(500))),
                    [this, id, then] { forget_at_last(id, then); });
  });
}

void Clients::ask_overview(uint32_t slot, Callback<void(const Overview&)> then) {
  auto take = [this, slot, then = std::move(then)](const Response* response) {
    const QueryResult* result = response ? std::get_if<QueryResult>(&response->what) : nullptr;
    const auto* overview = result ? std::get_if<Overview>(result) : nullptr;
    if (overview != nullptr) return then(*overview);
    universe_.after(Duration::milliseconds(200), [this, slot, then] { ask_overview(slot, then); });
  };
  send(Query{GetOverview{}}, take, "", slot);
}

}  // namespace pawl::sim
