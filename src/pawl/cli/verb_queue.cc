// pawl queue, pawl workers: how queues are handed out, and who could work.

#include "pawl/api/json_codec.h"
#include "pawl/cli/progress_view.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"
#include "pawl/definition/quantity.h"
#include "pawl/model/permille.h"
#include "pawl/model/word.h"

namespace pawl::cli {
namespace {

Error usage(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}

Result<Strategy> strategy_named(const std::string& text) {
  std::string known;
  for (int i = 0; i <= static_cast<int>(last_strategy); ++i) {
    auto strategy = static_cast<Strategy>(i);
    if (text == name(strategy)) return strategy;
    known += (i == 0 ? "" : ", ") + std::string(name(strategy));
  }
  return usage("--placement: \"" + text + "\" is none of " + known);
}

Result<ConfigureQueue> change_of(const std::string& queue, const Arguments& given) {
  ConfigureQueue change;
  change.name = queue;
  if (auto text = given.value("placement")) {
    PAWL_ASSIGN(change.strategy, strategy_named(*text));
  }
  if (given.has("concurrency")) {
    PAWL_ASSIGN(change.concurrency_max, number_of(given, "concurrency", 0, 0));
  }
  if (auto rate = given.value("rate")) {
    auto permille = parse_permille(*rate, queue_rate_permille_max);
    if (!permille.ok()) return usage("--rate: " + permille.error().message);
    change.rate_permille = *permille;
  }
  if (given.has("waiting")) {
    PAWL_ASSIGN(change.waiting_max, number_of(given, "waiting", 0, 0));
  }
  if (given.has("burst")) {
    PAWL_ASSIGN(change.burst, number_of(given, "burst", 1, 1));
  }
  if (auto aging = given.value("aging")) {
    auto time = parse_duration(*aging);
    if (!time.ok()) return usage("--aging: " + time.error().message);
    change.aging = *time;
  }
  if (given.has("pause") && given.has("resume"))
    return usage("--pause and --resume are opposites; keep one");
  if (given.has("pause")) change.paused = true;
  if (given.has("resume")) change.paused = false;
  return change;
}

// As definitions have it.
Status check_queue(const std::string& queue) {
  if (is_queue_name(queue)) return {};
  return usage(std::string(queue_name_rule) + ", not \"" + tame(queue) + "\"");
}

Result<bool> is_known(Client& client, const std::string& queue) {
  PAWL_ASSIGN(QueueList list, client.ask_as<QueueList>(ListQueues{}));
  for (const QueueDetail& one : list.queues)
    if (one.spec.name == queue) return true;
  return false;
}

bool changes(const ConfigureQueue& change) {
  return change.strategy || change.paused || change.concurrency_max || change.rate_permille ||
         change.burst || change.aging || change.waiting_max;
}

int set(Session& session, const Arguments& given, const std::string& queue) {
  if (Status good = check_queue(queue); !good.ok()) return session.fail(good.error());
  Result<ConfigureQueue> change = change_of(queue, given);
  if (!change.ok()) return session.fail(change.error());
  if (!changes(*change)) return session.fail(usage("what is to change? See pawl queue --help"));
  Result<bool> known = is_known(session.client(), queue);
  if (!known.ok()) return session.fail(known.error());
  Result<Changed> changed = session.client().ask_as<Changed>(*change);
  if (!changed.ok()) return session.fail(changed.error());
  if (Session::wants_json(given))
    session.console().out(to_json(CallResult(*changed)) + "\n");
  else
    session.console().out("queue " + tame(queue) + " is set\n");
  if (!*known) session.say("it is a new queue: no workflow uses it yet");
  return exit_ok;
}

std::string or_none(uint64_t limit) {
  return limit == 0 ? "-" : with_commas(limit);
}

std::string rate_text(const QueueSpec& queue) {
  return queue.rate_permille == 0 ? "-" : permille_text(queue.rate_permille) + "/s";
}

int list_queues(Session& session, const Arguments& given) {
  Result<QueueList> list = session.client().ask_as<QueueList>(ListQueues{});
  if (!list.ok()) return session.fail(list.error());
  if (Session::wants_json(given)) {
    session.console().out(to_json(CallResult(*list)) + "\n");
    return exit_ok;
  }
  Table table({"QUEUE", "PLACEMENT", "STATE", "READY", "OLDEST", "GRANTED", "MOST", "RATE",
               "BACKING OFF", "EVALUATING", "PARKED", "AGAIN", "WORKERS", "MAY WAIT"});
  for (const QueueDetail& queue : list->queues) {
    table.row({tame(queue.spec.name), name(queue.spec.strategy),
               queue.spec.paused ? "paused" : "open", with_commas(queue.ready),
               queue.ready > 0 ? in_words(queue.oldest) : "-", with_commas(queue.granted),
               or_none(queue.spec.concurrency_max), rate_text(queue.spec),
               with_commas(queue.backing_off), with_commas(queue.evaluating),
               with_commas(queue.parked), with_commas(queue.redelivered),
               with_commas(queue.workers), or_none(queue.spec.waiting_max)});
  }
  session.console().out(table.text());
  return exit_ok;
}

// "cpu 1.5/4, memory 3.0 GiB/8.0 GiB"
std::string free_of(const WorkerDetail& worker) {
  std::string text;
  for (size_t i = 0; i < worker.free.size() && i < worker.worker.capacity.size(); ++i) {
    const std::string& name = worker.free[i].name;
    auto amount = [&](uint64_t n) {
      return name == "cpu"      ? permille_text(n)
             : name == "memory" ? bytes_in_words(n)
                                : with_commas(n);
    };
    text += (i == 0 ? "" : ", ") + tame(name) + " " + amount(worker.free[i].amount) + "/" +
            amount(worker.worker.capacity[i].amount);
  }
  return text.empty() ? "-" : text;
}

std::string labels_of(const WorkerSpec& worker) {
  std::string text = worker.zone.empty() ? "" : "zone=" + worker.zone;
  for (const Label& label : worker.labels)
    text += (text.empty() ? "" : ",") + label.name + "=" + label.value;
  return text.empty() ? "-" : tame(text);
}

int list_workers(Session& session, const Arguments& given) {
  Result<WorkerList> list = session.client().ask_as<WorkerList>(ListWorkers{});
  if (!list.ok()) return session.fail(list.error());
  if (Session::wants_json(given)) {
    session.console().out(to_json(CallResult(*list)) + "\n");
    return exit_ok;
  }
  if (list->workers.empty()) {
    session.say("no worker is connected");
    return exit_ok;
  }
  Table table({"WORKER", "SESSION", "STATE", "SLOTS", "HELD", "RUNNING", "CPU", "MEMORY", "FREE",
               "LABELS", "HEARD"});
  for (const WorkerDetail& one : list->workers) {
    bool known = one.usage.memory_bytes > 0;
    table.row({tame(one.worker.name), std::to_string(one.session.value), state_of(one),
               with_commas(one.worker.slots), with_commas(one.outstanding),
               known ? with_commas(one.usage.running) : "-",
               known ? std::to_string(one.usage.cpu_permille / 10) + " %" : "-",
               known ? bytes_in_words(one.usage.memory_bytes) : "-", free_of(one),
               labels_of(one.worker),
               one.worker.lease == Duration::forever() ? "-" : in_words(one.silent) + " ago"});
  }
  session.console().out(table.text());
  return exit_ok;
}

int queue(Session& session, const Arguments& given) {
  const std::vector<std::string>& words = given.positionals();
  if (words.size() > 1 && words[0] == "list")
    return session.fail(usage("unexpected \"" + words[1] + "\"; pawl queue list shows all"));
  if (words.empty() || words[0] == "list") return list_queues(session, given);
  if (words[0] != "set") return session.fail(usage("\"" + words[0] + "\" is not list or set"));
  if (words.size() < 2) return session.fail(usage("which queue? pawl queue set NAME --pause"));
  return set(session, given, words[1]);
}

int opened(Session& session, const Arguments& given, Verb verb) {
  Status opened = Session::check_output(given);
  if (opened.ok()) opened = session.open(given, Purpose::look);
  if (!opened.ok()) return session.fail(opened.error());
  return session.close(verb(session, given));
}

}  // namespace

int verb_queue(Session& session, const Arguments& given) {
  return opened(session, given, queue);
}

int verb_workers(Session& session, const Arguments& given) {
  return opened(session, given, list_workers);
}

}  // namespace pawl::cli
