#include "pawl/coordinator/merge.h"

#include <algorithm>
#include <map>

#include "pawl/base/check.h"

namespace pawl {
namespace {

bool failed(const Response& response) {
  if (const auto* reply = std::get_if<Reply>(&response.what)) return reply->code != Code::ok;
  const auto* result = std::get_if<QueryResult>(&response.what);
  return result != nullptr && std::holds_alternative<Error>(*result);
}

void add(Counts& sum, const Counts& part) {
  auto& [submitted, succeeded, failed, cancelled, forgotten, quarantined] = sum;
  submitted += part.submitted;
  succeeded += part.succeeded;
  failed += part.failed;
  cancelled += part.cancelled;
  forgotten += part.forgotten;
  quarantined += part.quarantined;
}

// Every worker has a session with every partition: those of the first are counted.
void add(Overview& sum, const Overview& part) {
  add(sum.counts, part.counts);
  sum.executions += part.executions;
  sum.ready += part.ready;
  sum.running += part.running;
  sum.parked += part.parked;
  sum.open_bytes += part.open_bytes;
  sum.open_bytes_max += part.open_bytes_max;
}

void add(ExecutionList& sum, ExecutionList& part) {
  std::move(part.executions.begin(), part.executions.end(), std::back_inserter(sum.executions));
}

void add(DeadLetterList& sum, DeadLetterList& part) {
  std::move(part.letters.begin(), part.letters.end(), std::back_inserter(sum.letters));
}

template <class Single>
void add(Single&, const Single&) {}

void limit_to(ExecutionList& list, uint32_t limit) {
  std::sort(list.executions.begin(), list.executions.end(),
            [](const auto& a, const auto& b) { return a.id > b.id; });
  if (list.executions.size() > limit) list.executions.resize(limit);
}

void limit_to(DeadLetterList& list, uint32_t limit) {
  std::stable_sort(list.letters.begin(), list.letters.end(), [](const auto& a, const auto& b) {
    return a.range.execution < b.range.execution;
  });
  if (list.letters.size() > limit) list.letters.resize(limit);
}

template <class Unlimited>
void limit_to(Unlimited&, uint32_t) {}

void add(QueueDetail& sum, const QueueDetail& part) {
  sum.spec.rate_permille += part.spec.rate_permille;
  sum.spec.burst += part.spec.burst;
  sum.spec.waiting_max += part.spec.waiting_max;
  sum.ready += part.ready;
  sum.granted += part.granted;
  sum.backing_off += part.backing_off;
  sum.evaluating += part.evaluating;
  sum.parked += part.parked;
  sum.redelivered += part.redelivered;
  sum.workers = std::max(sum.workers, part.workers);
  sum.oldest = std::max(sum.oldest, part.oldest);
  for (size_t i = 0; i < sum.ready_at.size(); ++i) sum.ready_at[i] += part.ready_at[i];
}

uint64_t amount_of(const Amounts& amounts, const std::string& name) {
  for (const Amount& one : amounts)
    if (one.name == name) return one.amount;
  return 0;
}

void add(WorkerDetail& sum, const WorkerDetail& part) {
  for (Amount& free : sum.free) {
    uint64_t has = amount_of(part.worker.capacity, free.name);
    uint64_t taken = has - std::min(has, amount_of(part.free, free.name));
    free.amount -= std::min(free.amount, taken);
  }
  sum.outstanding += part.outstanding;
  if (part.silent < sum.silent) sum.usage = part.usage;
  sum.silent = std::min(sum.silent, part.silent);
  sum.suspect = sum.suspect && part.suspect;
}

// All fields are named, so that a new one has to be decided about. Sessions are the first's, as workers.
void add(EngineCounters& sum, const EngineCounters& part) {
  auto& [commands, commits, commit_bytes, events, granted, at_favourite, elsewhere, succeeded,
         failed, retried, recalled, dead_lettered, cancelled, fenced, shed, sessions_opened,
         sessions_closed, wait, held, queued, ran, commit, answer, checkpoint] = sum;
  commands += part.commands;
  commits += part.commits;
  commit_bytes += part.commit_bytes;
  events += part.events;
  for (size_t cause = 0; cause < granted.size(); ++cause) granted[cause] += part.granted[cause];
  at_favourite += part.at_favourite;
  elsewhere += part.elsewhere;
  succeeded += part.succeeded;
  for (size_t kind = 0; kind < failed.size(); ++kind) failed[kind] += part.failed[kind];
  retried += part.retried;
  recalled += part.recalled;
  dead_lettered += part.dead_lettered;
  cancelled += part.cancelled;
  fenced += part.fenced;
  for (size_t kind = 0; kind < shed.size(); ++kind) shed[kind] += part.shed[kind];
  wait.add(part.wait);
  held.add(part.held);
  queued.add(part.queued);
  ran.add(part.ran);
  commit.add(part.commit);
  answer.add(part.answer);
  checkpoint.add(part.checkpoint);
}

void add(QueryResult& sum, QueryResult& part) {
  std::visit([&](auto& one) { add(one, std::get<std::decay_t<decltype(one)>>(part)); }, sum);
}

void limit_to(QueryResult& result, uint32_t limit) {
  std::visit([&](auto& one) { limit_to(one, limit); }, result);
}

FiguresRef sum_of(const std::vector<Response>& answers) {
  auto sum = std::make_shared<Figures>(*std::get<FiguresRef>(answers.front().what));
  for (size_t i = 1; i < answers.size(); ++i) add(*sum, *std::get<FiguresRef>(answers[i].what));
  return sum;
}

}  // namespace

void add(QueueList& sum, const QueueList& part) {
  for (const QueueDetail& queue : part.queues) {
    auto at = std::lower_bound(
        sum.queues.begin(), sum.queues.end(), queue.spec.name,
        [](const QueueDetail& one, const std::string& name) { return one.spec.name < name; });
    if (at != sum.queues.end() && at->spec.name == queue.spec.name)
      add(*at, queue);
    else
      sum.queues.insert(at, queue);
  }
}

void add(WorkerList& sum, const WorkerList& part) {
  std::map<std::string, std::vector<size_t>> places;  // of a name, in the order of joining
  for (size_t i = 0; i < sum.workers.size(); ++i) places[sum.workers[i].worker.name].push_back(i);
  std::map<std::string, size_t> seen;
  for (const WorkerDetail& worker : part.workers) {
    const std::vector<size_t>& same = places[worker.worker.name];
    size_t which = seen[worker.worker.name]++;
    if (which < same.size())
      add(sum.workers[same[which]], worker);
    else
      sum.workers.push_back(worker);
  }
}

void add(Figures& sum, const Figures& part) {
  auto& [counted, counts, in_memory, open_bytes, open_bytes_max, queues, workers, running, epoch,
         position, log_bytes, space, checkpoint_age, refuses] = sum;
  add(counted, part.counted);
  add(counts, part.counts);
  in_memory += part.executions_in_memory;
  open_bytes += part.open_bytes;
  open_bytes_max += part.open_bytes_max;
  add(queues, part.queues);
  add(workers, part.workers);
  running += part.running;
  epoch = std::max(epoch, part.epoch);
  position += part.durable_position;
  log_bytes += part.log_bytes;
  space = std::max(space, part.space);
  checkpoint_age = std::max(checkpoint_age, part.checkpoint_age);
  if (!refuses) refuses = part.refuses;
}

Response merge(std::vector<Response> answers, uint32_t limit) {
  auto error = std::find_if(answers.begin(), answers.end(), failed);
  if (error != answers.end()) return std::move(*error);
  Response& whole = answers.front();
  if (std::holds_alternative<FiguresRef>(whole.what)) return {whole.ticket, sum_of(answers)};
  if (auto* result = std::get_if<QueryResult>(&whole.what)) {
    for (size_t i = 1; i < answers.size(); ++i)
      add(*result, std::get<QueryResult>(answers[i].what));
    limit_to(*result, limit);
  }
  return std::move(whole);
}

}  // namespace pawl
